"""A claimed execution in a handler's hands, without input or output: what both kinds of recovery share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from ._manager import ManagerCore
from ._retry import FAULTS, Flow, logger
from .errors import ConflictError, NotFoundError, StaleTokenError, StatehouseError
from .executions import CheckpointReceipt, Claim, Execution, ExecutionFailure, RecoveryReport

T = TypeVar("T")
Outcome = Literal["completed", "failed", "left", "lost"]

# Of a lease: two heartbeats may get lost.
HEARTBEATS_PER_LEASE = 3


class RecoveredCore:
    """Every write carries the claim's token, whatever the manager has claimed since."""

    def __init__(self, core: ManagerCore, claim: Claim) -> None:
        execution = claim.execution
        self._core = core
        self.execution = execution
        self.execution_id = execution.execution_id
        self.token = claim.token
        self.step = execution.step
        self.state = claim.state
        self.is_lost = False
        self.is_ending = False
        self.ended: Outcome | None = None

    @property
    def lease_s(self) -> float:
        settings = self.execution.settings
        return self._core.options.recovery_timeout if settings is None else settings.recovery_timeout_s

    def checkpoint(self, step: int, state: Any) -> Flow[CheckpointReceipt]:
        self._must_be_held()
        receipt = yield from self._guarded(self._core.checkpoint(self.execution_id, step, state, self.token))
        self.step, self.state = step, state
        return receipt

    def save(self, state: Any) -> Flow[CheckpointReceipt]:
        return (yield from self.checkpoint(0 if self.step is None else self.step + 1, state))

    def complete(self, result: Any) -> Flow[Execution]:
        self._must_be_held()
        body = {} if result is None else {"result": result}
        return (yield from self._end(self._core.end(self.execution_id, "complete", body, self.token), "completed"))

    def fail(self, error: ExecutionFailure | BaseException | str) -> Flow[Execution]:
        self._must_be_held()
        return (yield from self._end(self._core.fail(self.execution_id, error, self.token), "failed"))

    def heartbeat(self) -> Flow[None]:
        yield from self._guarded(self._core.heartbeat(self.execution_id, self.token))

    def settle(self, result: Any, error: Exception | None) -> Flow[Outcome]:
        """What becomes of the run now that its handler has returned, or raised."""
        if self.ended is not None:
            return self.ended
        try:
            return (yield from self._settle(result, error))
        except (ConflictError, NotFoundError) as refusal:
            # Another worker has it, or somebody paused, cancelled or removed it meanwhile.
            logger.info("%s is no longer this worker's: %s", self.execution_id, refusal)
            return "lost" if self.is_lost else "left"
        except FAULTS as fault:
            logger.warning("%s is left to another attempt: %s", self.execution_id, fault)
            return "left"

    def _end(self, flow: Flow[Execution], outcome: Outcome) -> Flow[Execution]:
        # A heartbeat that is refused meanwhile may have met our own ending: this call will tell.
        self.is_ending = True
        try:
            done = yield from self._guarded(flow)
            self.ended = outcome
            return done
        finally:
            self.is_ending = False

    def _settle(self, result: Any, error: Exception | None) -> Flow[Outcome]:
        if self.is_lost or isinstance(error, StaleTokenError):
            return "lost"
        if error is None:
            yield from self.complete(result)
            return "completed"
        attempt, last = self.execution.attempt, self.execution.max_attempts
        logger.warning("the handler of %s raised in attempt %d of %d", self.execution_id, attempt, last, exc_info=error)
        if attempt < last:
            return "left"
        yield from self.fail(error)
        return "failed"

    def _must_be_held(self) -> None:
        if self.is_lost:
            raise StaleTokenError(
                f"The lease of {self.execution_id} with the token {self.token} is lost: stop working on it.",
                code="SH-1001",
                details={"given": str(self.token)},
            )

    def _guarded(self, flow: Flow[T]) -> Flow[T]:
        try:
            return (yield from flow)
        except StaleTokenError:
            self.is_lost = True
            raise


@dataclass(slots=True)
class Tally:
    """Counts a recovery's executions, up to a limit."""

    limit: int | None
    report: RecoveryReport = RecoveryReport()
    error: StatehouseError | None = None

    def reserve(self) -> bool:
        if self.error is not None or (self.limit is not None and self.report.claimed >= self.limit):
            return False
        self._add("claimed", 1)
        return True

    def give_back(self) -> None:
        self._add("claimed", -1)

    def count(self, outcome: Outcome) -> None:
        self._add(outcome, 1)

    def _add(self, name: str, change: int) -> None:
        counts: Mapping[str, int] = {name: getattr(self.report, name) + change}
        self.report = replace(self.report, **counts)


def poll_of(recovery_timeout: float) -> float:
    """How often a background recovery looks for work, in seconds: a lease that ran out is found soon after."""
    return min(30.0, max(0.05, recovery_timeout / HEARTBEATS_PER_LEASE))
