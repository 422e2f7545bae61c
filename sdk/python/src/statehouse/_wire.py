"""Requests to the server and what its replies mean: HTTP API v1, without any input or output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from json import JSONDecodeError
from typing import Any
from urllib.parse import quote

from . import _json, errors
from .errors import StatehouseError, ValidationError


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    target: path and query, percent-encoded.
    repeatable: doing it twice is the same as doing it once.
    writes: where no answer comes, something may have been written.
    """

    method: str
    target: str
    body: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    repeatable: bool = False
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """headers: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def path(*segments: str) -> str:
    """``/a/b``: each segment percent-encoded on its own, so that ids may hold ``/``, ``..`` and anything else."""
    return "".join("/" + _segment(segment) for segment in segments)


def query(**parameters: str | int | None) -> str:
    """``?a=1&b=2`` of those that are not None."""
    pairs = [f"{name}={_encoded(str(value))}" for name, value in parameters.items() if value is not None]
    return "?" + "&".join(pairs) if pairs else ""


def header_text(name: str, value: str) -> tuple[str, bytes]:
    """A header; its value must survive HTTP, which strips spaces around it and knows no control characters."""
    if value != value.strip() or not value or re.search(r"[\x00-\x1f\x7f]", value):
        raise ValidationError(
            f"{name} must be text without control characters and without spaces around it; this is {value!r:.100}.",
            code="SH-1003",
            details={"field": name, "value": f"{value!r:.100}"},
        )
    return name, _utf8(value, name)


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC. A naive datetime could mean any time zone, so it is refused."""
    if moment.tzinfo is None:
        raise ValidationError(
            f"A time needs a time zone; {moment.isoformat()} has none.", code="SH-1003", details={"field": "time"}
        )
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)


def object_of(reply: Reply, parse_float: _json.ParseFloat | None) -> dict[str, Any]:
    """The JSON object in a reply's body."""
    try:
        body = _json.decode(reply.body, parse_float)
    except (JSONDecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        raise StatehouseError(
            f"The server answered with something that is not a JSON object: {reply.body[:100]!r}", status=reply.status
        )
    return body


def absent_key(reply: Reply) -> dict[str, Any] | None:
    """What a 404 says of a key that does not exist; None where the reply is anything else."""
    if reply.status != 404:
        return None
    problem = _problem(reply)
    return problem if problem.get("exists") is False else None


def error_of(reply: Reply) -> StatehouseError:
    """The exception for a reply that is no success (RFC 9457 problem, or whatever a proxy made of it)."""
    problem = _problem(reply)
    code = problem.get("code")
    kind = _KINDS.get(code, StatehouseError) if isinstance(code, str) else _kind_of_status(reply.status)
    details = problem.get("details")
    if isinstance(details, dict):
        kind = _narrower(kind, details)
    detail = problem.get("detail") or problem.get("title")
    if not detail:
        detail = f"The server answered with HTTP {reply.status} and no problem document: {reply.body[:100]!r}"
    return kind(
        str(detail),
        code=code if isinstance(code, str) else None,
        details={str(k): str(v) for k, v in details.items()} if isinstance(details, dict) else None,
        status=reply.status,
        request_id=problem.get("request_id") if isinstance(problem.get("request_id"), str) else None,
        # Without a code of ours it was a proxy who spoke; what the server did behind it, nobody said.
        outcome_unknown=code == "SH-2002" or code == "SH-9001" or (code is None and reply.status >= 500),
        retry_after_s=_retry_after(reply),
    )


def problem_error(text: bytes) -> StatehouseError:
    """The exception for a problem that arrived as an event."""
    reply = Reply(0, {}, text)
    status = _problem(reply).get("status")
    return error_of(Reply(status if isinstance(status, int) else 500, {}, text))


_KINDS: dict[str, type[StatehouseError]] = {
    "SH-1001": errors.ConflictError,
    "SH-1002": errors.ValidationError,
    "SH-1003": errors.ValidationError,
    "SH-1004": errors.ValidationError,
    "SH-1005": errors.TransactionError,
    "SH-1006": errors.TransactionError,
    "SH-1007": errors.NotFoundError,
    "SH-1008": errors.NotFoundError,
    "SH-2001": errors.UnavailableError,
    "SH-2002": errors.OutcomeUnknownError,
    "SH-2003": errors.UnavailableError,
}


# Of a code, the kinds that are known by what their details hold.
_NARROWER: tuple[tuple[type[StatehouseError], str, type[StatehouseError]], ...] = (
    (errors.ConflictError, "buffered_step", errors.BufferedWriteError),
    (errors.ConflictError, "token", errors.StaleTokenError),
    (errors.NotFoundError, "nearest_step", errors.TrimmedError),
)


def _narrower(kind: type[StatehouseError], details: dict[str, Any]) -> type[StatehouseError]:
    return next((narrow for wide, member, narrow in _NARROWER if kind is wide and member in details), kind)


def _kind_of_status(status: int) -> type[StatehouseError]:
    return errors.UnavailableError if status in (429, 502, 503, 504) else StatehouseError


def _problem(reply: Reply) -> dict[str, Any]:
    try:
        problem = _json.decode(reply.body)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _retry_after(reply: Reply) -> float | None:
    # The server sends seconds; a proxy that sends a date is read as "no idea".
    text = reply.headers.get("retry-after", "")
    return float(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _segment(text: str) -> str:
    encoded = _encoded(text)
    # Clients and proxies resolve dot segments before anybody sees them.
    return encoded.replace(".", "%2E") if encoded in (".", "..") else encoded


def _encoded(text: str) -> str:
    return quote(_utf8(text, "text"), safe="")


def _utf8(text: str, field: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValidationError(
            f"{field} must be well-formed Unicode; this holds an unpaired surrogate: {text!r:.100}.",
            code="SH-1003",
            details={"field": field},
        ) from None
