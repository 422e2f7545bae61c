"""Every route of docs/executions.md as a flow, without any memory of what went before."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from . import _executions_parse as parse
from . import _json, _parse, _wire
from ._api import Api, Consistency
from ._retry import Flow, exchange
from ._wire import Reply, Request
from .errors import ValidationError
from .executions import (
    Checkpoint,
    CheckpointEntry,
    CheckpointReceipt,
    Claim,
    CleanupResult,
    Execution,
    ExecutionFailure,
    Lease,
    Metrics,
    Snapshot,
    TransactionReceipt,
)

PAGE_MAX = 1000

# States may be large: the server holds a page of them at a time.
STATES_PAGE = 100

Order = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class Page:
    """next: what to ask for next; None at the end."""

    items: list[Any]
    next: object


@dataclass(frozen=True, slots=True)
class Flushed:
    """step: the last one that is durable; None where there is none."""

    flushed: int
    step: int | None


@dataclass(frozen=True, slots=True)
class ExecutionsApi:
    """Requests on the executions of one namespace. token: of a claim; None sends none."""

    api: Api

    def create(self, body: Mapping[str, Any]) -> Flow[Execution]:
        # With its id in the body a repeat answers with what the first one made.
        return parse.execution((yield from self._write("POST", "", body, keyed=False)))

    def get(self, execution_id: str, consistency: Consistency | None) -> Flow[Execution]:
        return parse.execution((yield from self._read(self._run(execution_id) + _wire.query(consistency=consistency))))

    def put_checkpoint(
        self, execution_id: str, step: int, state: bytes, token: int | None, *, buffered: bool
    ) -> Flow[CheckpointReceipt]:
        target = self._run(execution_id, "checkpoints", str(_step(step)))
        if buffered:
            # The server keeps no keys of what is not durable, so twice is not the same as once.
            reply = yield from self._send("PUT", target + "?buffered=true", state, _headers(token, None), repeatable=False)
            return parse.receipt(self.api.object_of(reply))
        reply = yield from self._send("PUT", target, state, _headers(token, _new_key()))
        replayed = reply.headers.get("idempotent-replayed") == "true"
        return parse.receipt(self.api.object_of(reply), replayed=replayed)

    def flush(self, execution_id: str) -> Flow[Flushed]:
        body = yield from self._write("POST", self._of(execution_id, "flush"), {}, keyed=False)
        return Flushed(_parse.member(body, "flushed", int), body.get("step"))

    def checkpoint(self, execution_id: str, step: int | None) -> Flow[Checkpoint]:
        which = "latest" if step is None else str(_step(step))
        return parse.checkpoint((yield from self._read(self._run(execution_id, "checkpoints", which))))

    def history_page(
        self, execution_id: str, from_step: int | None, to_step: int | None, order: Order, limit: int, with_state: bool, after: object
    ) -> Flow[Page]:
        target = self._run(execution_id, "checkpoints") + _wire.query(
            from_step=from_step, to_step=to_step, order=order, limit=limit, state="true" if with_state else None,
            after=None if after is None else str(after),
        )
        body = yield from self._read(target)
        return Page([parse.entry(item) for item in _parse.items(body)], body.get("next"))

    def heartbeat(self, execution_id: str, token: int | None) -> Flow[Lease]:
        body = yield from self._write("POST", self._of(execution_id, "heartbeat"), {}, token, keyed=False)
        return parse.lease(_parse.member(body, "lease", dict))

    def change(self, execution_id: str, verb: str, body: Mapping[str, Any], token: int | None) -> Flow[Execution]:
        """verb: complete, fail, cancel, pause, resume or restore."""
        return parse.execution((yield from self._write("POST", self._of(execution_id, verb), body, token)))

    def create_snapshot(self, execution_id: str, name: str, step: int | None, token: int | None) -> Flow[Snapshot]:
        place = self._of(execution_id, "snapshots", name) + _wire.query(step=step)
        # Not repeated: the name would then be taken, by the first one.
        reply = yield from self._send("POST", self._all() + place, b"{}", _headers(token, None), repeatable=False)
        return parse.snapshot(self.api.object_of(reply))

    def snapshot(self, execution_id: str, name: str) -> Flow[Snapshot]:
        return parse.snapshot((yield from self._read(self._run(execution_id, "snapshots", name))))

    def snapshots(self, execution_id: str) -> Flow[list[Snapshot]]:
        found: list[Snapshot] = []
        after: str | None = None
        while True:
            body = yield from self._read(self._run(execution_id, "snapshots") + _wire.query(after=after))
            found.extend(parse.snapshot(item) for item in _parse.items(body))
            after = body.get("next")
            if after is None:
                return found

    def delete_snapshot(self, execution_id: str, name: str, token: int | None) -> Flow[None]:
        yield from self._send("DELETE", self._run(execution_id, "snapshots", name), None, _headers(token, None), repeatable=False)

    def claim(self, body: Mapping[str, Any]) -> Flow[list[Claim]]:
        # Repeated after a lost answer it hands out others; what the lost one handed out waits for its lease to run out.
        answer = yield from self._write("POST", _wire.path("claim"), body, keyed=False)
        return [parse.claim(item) for item in _parse.items(answer)]

    def query_page(self, parameters: Sequence[tuple[str, str]], limit: int, after: str | None) -> Flow[Page]:
        pairs = [*parameters, ("limit", str(limit))] + ([] if after is None else [("after", after)])
        body = yield from self._read(self._all() + "?" + "&".join(_wire.query(**{name: value})[1:] for name, value in pairs))
        return Page([parse.execution(item) for item in _parse.items(body)], body.get("next"))

    def commit(self, checkpoints: Iterable[Mapping[str, Any]], key: str) -> Flow[TransactionReceipt]:
        staged = list(checkpoints)
        body = {"checkpoints": staged, "idempotency_key": key}
        answer = yield from self._write("POST", _wire.path("commit"), body, keyed=False)
        receipts = tuple(parse.receipt(item) for item in _parse.member(answer, "checkpoints", list))
        return TransactionReceipt(_parse.member(answer, "commit_ts", int), receipts)

    def cleanup(self, body: Mapping[str, Any]) -> Flow[CleanupResult]:
        return parse.cleanup((yield from self._write("POST", _wire.path("cleanup"), body, keyed=False)))

    def thin(self, execution_id: str) -> Flow[int]:
        return _parse.member((yield from self._write("POST", self._of(execution_id, "thin"), {}, keyed=False)), "thinned", int)

    def metrics(self) -> Flow[Metrics]:
        return parse.metrics((yield from self._read(self._all() + "/metrics")))

    def _all(self) -> str:
        return _wire.path("v1", "namespaces", self.api.namespace, "executions")

    def _of(self, execution_id: str, *more: str) -> str:
        if not execution_id:
            # An empty segment would change which route is meant.
            raise ValidationError("execution_id must not be empty.", code="SH-1003", details={"field": "execution_id"})
        # The route of the namespace's metrics stands where a run of this name would.
        run = "/%6Detrics" if execution_id == "metrics" else _wire.path(execution_id)
        return run + _wire.path(*more)

    def _run(self, execution_id: str, *more: str) -> str:
        return self._all() + self._of(execution_id, *more)

    def _read(self, target: str) -> Flow[dict[str, Any]]:
        reply = yield from exchange(Request("GET", target, repeatable=True), self.api.policy)
        return self.api.object_of(reply)

    def _write(
        self, method: str, place: str, body: Mapping[str, Any], token: int | None = None, *, keyed: bool = True
    ) -> Flow[dict[str, Any]]:
        headers = _headers(token, _new_key() if keyed else None)
        reply = yield from self._send(method, self._all() + place, _json.encode(body, "body"), headers)
        return self.api.object_of(reply)

    def _send(
        self, method: str, target: str, body: bytes | None, headers: tuple[tuple[str, bytes], ...], *, repeatable: bool = True
    ) -> Flow[Reply]:
        # repeatable: the same when it is done twice, or with a key that was drawn once.
        request = Request(method, target, body, headers, repeatable=repeatable, writes=True)
        return (yield from exchange(request, self.api.policy))


def failure_json(failure: ExecutionFailure) -> dict[str, Any]:
    body: dict[str, Any] = {"message": failure.message}
    if failure.type is not None:
        body["type"] = failure.type
    if failure.details is not None:
        body["details"] = failure.details
    return body


def query_parameters(
    status: str | Iterable[str] | None,
    workflow: str | None,
    labels: Mapping[str, str] | None,
    times: Mapping[str, datetime | None],
    order_by: str,
    order: str,
) -> list[tuple[str, str]]:
    statuses = [status] if isinstance(status, str) else list(status or ())
    found = [("status", value) for value in statuses]
    if workflow is not None:
        found.append(("workflow", workflow))
    found += [("label", f"{name}={value}") for name, value in (labels or {}).items()]
    found += [(name, _wire.instant(time)) for name, time in times.items() if time is not None]
    return [*found, ("order_by", order_by), ("order", order)]


def _headers(token: int | None, key: str | None) -> tuple[tuple[str, bytes], ...]:
    headers: list[tuple[str, bytes]] = []
    if token is not None:
        headers.append(("Statehouse-Token", b"%d" % token))
    if key is not None:
        headers.append(_wire.header_text("Idempotency-Key", key))
    return tuple(headers)


def _new_key() -> str:
    return uuid.uuid4().hex


def _step(step: int) -> int:
    if step < 0:
        raise ValidationError(f"step must be at least 0; this is {step}.", code="SH-1003", details={"field": "step", "value": str(step)})
    return step
