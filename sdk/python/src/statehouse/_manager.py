"""What both state managers share: which tokens and steps they know, and what they do about them."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from . import _json, _wire
from ._executions import ExecutionsApi, failure_json
from ._retry import Flow
from .errors import BufferedWriteError, ConflictError, NotFoundError, StatehouseError, ValidationError
from .executions import (
    CheckpointReceipt,
    Claim,
    CleanupResult,
    Execution,
    ExecutionFailure,
    Lease,
    Snapshot,
    TransactionReceipt,
)

WORKFLOW_DEFAULT = "default"

# None is a state too.
NO_STATE: Any = object()

# Of executions whose last step is remembered; a forgotten one costs a request.
KNOWN_STEPS_MAX = 10_000


def worker_name() -> str:
    """Tells a person where to look, and differs between two managers of one process."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True, slots=True)
class ManagerOptions:
    """Checked by the server, but for those that it never sees."""

    checkpoint_interval: int
    checkpoint_retention: int
    recovery_timeout: float
    max_attempts: int
    batch_writes: bool
    batch_size: int
    flush_interval_ms: int
    worker: str

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.flush_interval_ms < 1:
            raise ValidationError("batch_size and flush_interval_ms must be at least 1.", code="SH-1003", details={"field": "batch_size"})

    def settings_json(self) -> dict[str, Any]:
        return {
            "checkpoint_interval": self.checkpoint_interval,
            "checkpoint_retention": self.checkpoint_retention,
            "recovery_timeout_ms": round(self.recovery_timeout * 1000),
        }


@dataclass(frozen=True, slots=True)
class Unflushed:
    """Checkpoints of one execution that only wait in the server's memory, as far as this manager knows."""

    count: int
    since: float
    last_step: int


class ManagerCore:
    """clock: seconds that never go back."""

    def __init__(self, executions: ExecutionsApi, options: ManagerOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self.executions = executions
        self.options = options
        self._clock = clock
        self._tokens: dict[str, int] = {}
        self._steps: dict[str, int] = {}
        self._unflushed: dict[str, Unflushed] = {}

    @property
    def has_unflushed(self) -> bool:
        return bool(self._unflushed)

    def create(
        self,
        execution_id: str | None,
        workflow: str,
        labels: Mapping[str, str] | None,
        state: Any,
        claim: bool,
    ) -> Flow[Execution]:
        # The id is drawn here, so that a repeat after a lost answer does not create a second one.
        name = str(uuid.uuid4()) if execution_id is None else execution_id
        body: dict[str, Any] = {"execution_id": name, "workflow": workflow, "settings": self.options.settings_json()}
        body["max_attempts"] = self.options.max_attempts
        if labels:
            body["labels"] = dict(labels)
        if state is not NO_STATE:
            body["state"] = state
        if claim:
            body["claim"] = {"worker": self.options.worker}
        made = yield from self.executions.create(body)
        if claim and made.lease is not None and made.lease.worker == self.options.worker:
            self._tokens[made.execution_id] = made.lease.token
        if made.step is not None:
            self._know_step(made.execution_id, made.step)
        return made

    def save(
        self, execution_id: str, state: Any, workflow: str, step: int | None, labels: Mapping[str, str] | None
    ) -> Flow[CheckpointReceipt]:
        _json.encode(state, "state")  # Refused before anything is created.
        is_there = step is not None or execution_id in self._steps
        at = step if step is not None else self._steps.get(execution_id, -1) + 1
        if not is_there:
            at = yield from self._next_step_of(execution_id, workflow, labels)
        try:
            return (yield from self.checkpoint(execution_id, at, state, None))
        except NotFoundError as error:
            if error.code != "SH-1007" or not is_there:
                raise
        yield from self._create_unless_there(execution_id, workflow, labels)
        return (yield from self.checkpoint(execution_id, at, state, None))

    def next_step(self, execution_id: str) -> Flow[int]:
        """One above the last; raises NotFoundError where there is no such execution."""
        known = self._steps.get(execution_id)
        if known is None:
            known = (yield from self.executions.get(execution_id, None)).step
        return 0 if known is None else known + 1

    def checkpoint(self, execution_id: str, step: int, state: Any, token: int | None) -> Flow[CheckpointReceipt]:
        text = _json.encode(state, "state")
        try:
            receipt = yield from self.executions.put_checkpoint(
                execution_id, step, text, self._token(execution_id, token), buffered=self.options.batch_writes
            )
        except StatehouseError as error:
            self._forget_progress(execution_id, error)
            raise
        self._know_step(execution_id, step)
        if receipt.durable:
            return receipt
        if self._add_unflushed(execution_id, step):
            yield from self.flush(execution_id)
            return replace(receipt, durable=True)
        return receipt

    def flush(self, execution_id: str | None) -> Flow[int]:
        """The first refusal is raised after the others were flushed."""
        refusal: StatehouseError | None = None
        flushed = 0
        for name in list(self._unflushed) if execution_id is None else [execution_id]:
            try:
                flushed += yield from self._flush_one(name)
            except StatehouseError as error:
                self._forget_progress(name, error)
                refusal = refusal or error
        if refusal is not None:
            raise refusal
        return flushed

    def _flush_one(self, execution_id: str) -> Flow[int]:
        result = yield from self.executions.flush(execution_id)
        waiting = self._unflushed.pop(execution_id, None)
        if waiting is not None and (result.step is None or result.step < waiting.last_step):
            raise BufferedWriteError(
                f"Buffered checkpoints of {execution_id} up to step {waiting.last_step} are lost: the server stands at step "
                f"{result.step}. It was restarted before it wrote them.",
                code="SH-1001",
                details={"buffered_step": str((result.step if result.step is not None else -1) + 1)},
            )
        return result.flushed

    def heartbeat(self, execution_id: str, token: int | None) -> Flow[Lease]:
        return (yield from self.executions.heartbeat(execution_id, self._token(execution_id, token)))

    def end(self, execution_id: str, verb: str, body: Mapping[str, Any], token: int | None) -> Flow[Execution]:
        """complete, fail, cancel, pause and restore: all end the lease, so that its token is worth nothing from then on."""
        if execution_id in self._unflushed:
            yield from self.flush(execution_id)
        changed = yield from self.executions.change(execution_id, verb, body, self._token(execution_id, token))
        if token is None or self._tokens.get(execution_id) == token:
            self._tokens.pop(execution_id, None)
        self._steps.pop(execution_id, None)
        return changed

    def resume(self, execution_id: str) -> Flow[Execution]:
        resumed = yield from self.executions.change(execution_id, "resume", {}, None)
        self._tokens.pop(execution_id, None)
        return resumed

    def fail(self, execution_id: str, error: ExecutionFailure | BaseException | str, token: int | None) -> Flow[Execution]:
        return (yield from self.end(execution_id, "fail", {"error": failure_json(ExecutionFailure.of(error))}, token))

    def create_snapshot(self, execution_id: str, name: str, step: int | None) -> Flow[Snapshot]:
        if execution_id in self._unflushed:
            yield from self.flush(execution_id)
        return (yield from self.executions.create_snapshot(execution_id, name, step, self._token(execution_id, None)))

    def delete_snapshot(self, execution_id: str, name: str) -> Flow[None]:
        yield from self.executions.delete_snapshot(execution_id, name, self._token(execution_id, None))

    def claim(
        self, limit: int, workflow: str | None, labels: Mapping[str, str] | None, lease: float | None
    ) -> Flow[list[Claim]]:
        body: dict[str, Any] = {"worker": self.options.worker, "limit": limit}
        if workflow is not None:
            body["workflow"] = workflow
        if labels:
            body["labels"] = dict(labels)
        if lease is not None:
            body["lease_ms"] = round(lease * 1000)
        claims = yield from self.executions.claim(body)
        for claim in claims:
            self._tokens[claim.execution.execution_id] = claim.token
            self._steps.pop(claim.execution.execution_id, None)
        return claims

    def commit(self, staged: Mapping[str, tuple[int, Any]], key: str) -> Flow[TransactionReceipt]:
        checkpoints = []
        for execution_id, (step, state) in staged.items():
            checkpoint = {"execution_id": execution_id, "step": step, "state": state}
            token = self._tokens.get(execution_id)
            checkpoints.append(checkpoint if token is None else checkpoint | {"token": token})
        try:
            receipt = yield from self.executions.commit(checkpoints, key)
        except ConflictError:
            for execution_id in staged:
                self._steps.pop(execution_id, None)
            raise
        for execution_id, (step, _) in staged.items():
            self._know_step(execution_id, step)
        return receipt

    def cleanup(self, older_than: datetime | None, days: float | None, status: Iterable[str], dry_run: bool) -> Flow[CleanupResult]:
        if (older_than is None) == (days is None):
            raise ValidationError("Give older_than_days or older_than.", code="SH-1003", details={"field": "older_than_days"})
        body: dict[str, Any] = {"status": [status] if isinstance(status, str) else list(status), "dry_run": dry_run}
        # A fixed moment: what finishes while the calls go on is not removed by the last of them.
        moment = older_than if older_than is not None else datetime.now(timezone.utc) - timedelta(days=days or 0)
        body["older_than"] = _wire.instant(moment)
        total = yield from self.executions.cleanup(body)
        while total.more and not dry_run:
            step = yield from self.executions.cleanup(body)
            sizes = None if total.bytes is None or step.bytes is None else total.bytes + step.bytes
            total = CleanupResult(total.matched + step.matched, total.removed + step.removed, False, sizes, step.more)
            if step.removed == 0:
                break
        return total

    def _next_step_of(self, execution_id: str, workflow: str, labels: Mapping[str, str] | None) -> Flow[int]:
        try:
            return (yield from self.next_step(execution_id))
        except NotFoundError:
            yield from self._create_unless_there(execution_id, workflow, labels)
            return 0

    def _create_unless_there(self, execution_id: str, workflow: str, labels: Mapping[str, str] | None) -> Flow[None]:
        try:
            yield from self.create(execution_id, workflow, labels, NO_STATE, False)
        except ValidationError as error:
            # Somebody else made it in the meantime, in another way: then it is there.
            if error.code != "SH-1002":
                raise

    def _token(self, execution_id: str, given: int | None) -> int | None:
        # An old token is kept and sent: without one, a write would pass where the lease of a newer one has run out.
        return self._tokens.get(execution_id) if given is None else given

    def _know_step(self, execution_id: str, step: int) -> None:
        self._steps.pop(execution_id, None)
        self._steps[execution_id] = step
        if len(self._steps) > KNOWN_STEPS_MAX:
            self._steps.pop(next(iter(self._steps)), None)

    def _forget_progress(self, execution_id: str, error: StatehouseError) -> None:
        self._steps.pop(execution_id, None)
        if isinstance(error, (BufferedWriteError, NotFoundError)):
            self._unflushed.pop(execution_id, None)

    def _add_unflushed(self, execution_id: str, step: int) -> bool:
        """Whether they must be flushed now."""
        before = self._unflushed.get(execution_id, Unflushed(0, self._clock(), step))
        now = Unflushed(before.count + 1, before.since, step)
        self._unflushed[execution_id] = now
        age_ms = (self._clock() - now.since) * 1000
        return now.count >= self.options.batch_size or age_ms >= self.options.flush_interval_ms
