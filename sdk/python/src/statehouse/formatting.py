"""A replay as lines for people: ``HH:MM:SSZ  agent=…  WRITE  key=…  v=N  summary``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import _json
from .types import Operation, ReplayEvent

SUMMARY_CHARACTERS_MAX = 120

_KINDS = (("tool/", "TOOL"), ("note/", "NOTE"), ("final/", "FINAL"))


def format_event(event: ReplayEvent, *, verbose: bool = False, width: int | None = None) -> Iterator[str]:
    """A line per operation.

    verbose: the whole value, and the commit's numbers. width: characters of a line at most; None = not cut.
    """
    for operation in event.operations:
        line = "  ".join(_parts(event, operation, verbose))
        yield line if width is None else _cut(line, width)


def _parts(event: ReplayEvent, operation: Operation, verbose: bool) -> Iterator[str]:
    yield event.time.strftime("%H:%M:%SZ")
    yield f"agent={_plain(event.agent_id)}"
    yield _kind(operation)
    yield f"key={_plain(operation.key)}"
    yield f"v={operation.version}"
    if verbose:
        yield f"agent_version={event.version}"
        yield f"commit_ts={event.commit_ts}"
        yield f"txn={event.txn_id}"
    if not operation.is_delete:
        text = _summary(operation.value)
        yield text if verbose else _cut(text, SUMMARY_CHARACTERS_MAX)


def _kind(operation: Operation) -> str:
    if operation.is_delete:
        return "DEL"
    return next((kind for prefix, kind in _KINDS if operation.key.startswith(prefix)), "WRITE")


def _summary(value: Any) -> str:
    return _plain(_json.encode(value).decode())


def _plain(text: str) -> str:
    # An id that holds control characters must neither break the line nor reach the terminal as a command.
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: max(characters - 1, 0)] + "…"
