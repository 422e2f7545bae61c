"""Claims unfinished executions and hands them to a handler, on threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ._http import SyncTransport
from ._manager import ManagerCore
from ._recovery import HEARTBEATS_PER_LEASE, Outcome, RecoveredCore, Tally
from ._retry import FAULTS, logger
from .errors import StatehouseError
from .executions import CheckpointReceipt, Claim, Execution, ExecutionFailure, RecoveryReport
from .memory import SyncMemoryTransport


class SyncRecoveredExecution:
    """:class:`RecoveredExecution`, blocking. No thread can be stopped from outside: a handler of long steps asks
    ``is_lost`` between them; each of its writes raises StaleTokenError then."""

    def __init__(self, core: RecoveredCore, transport: SyncTransport | SyncMemoryTransport) -> None:
        self._core = core
        self._transport = transport

    @property
    def id(self) -> str:
        return self._core.execution_id

    @property
    def workflow(self) -> str:
        return self._core.execution.workflow

    @property
    def execution(self) -> Execution:
        """As it was when it was claimed."""
        return self._core.execution

    @property
    def state(self) -> Any:
        """Of the last checkpoint; None before the first."""
        return self._core.state

    @property
    def step(self) -> int | None:
        """Of the last checkpoint; None before the first."""
        return self._core.step

    @property
    def token(self) -> int:
        return self._core.token

    @property
    def is_lost(self) -> bool:
        """Whether another worker may have it: whatever is written from now on is refused."""
        return self._core.is_lost

    def checkpoint(self, step: int, state: Any) -> CheckpointReceipt:
        """Saves a checkpoint; StaleTokenError where another worker has the run: stop."""
        return self._transport.run(self._core.checkpoint(step, state))

    def save(self, state: Any) -> CheckpointReceipt:
        """The same at the next step."""
        return self._transport.run(self._core.save(state))

    def complete(self, result: Any = None) -> Execution:
        return self._transport.run(self._core.complete(result))

    def fail(self, error: ExecutionFailure | BaseException | str) -> Execution:
        """Ends it for good, whatever attempts are left."""
        return self._transport.run(self._core.fail(error))


class SyncRecovery:
    """One run of :meth:`SyncStateManager.recover_all`. stop: set, nothing more is claimed."""

    def __init__(
        self,
        core: ManagerCore,
        transport: SyncTransport | SyncMemoryTransport,
        handler: Callable[[SyncRecoveredExecution], Any],
        stop: threading.Event,
    ) -> None:
        self._core = core
        self._transport = transport
        self._handler = handler
        self._stop = stop
        self._lock = threading.Lock()

    def run(
        self, concurrency: int, limit: int | None, poll: float | None, workflow: str | None, labels: Mapping[str, str] | None
    ) -> RecoveryReport:
        tally = Tally(limit)

        def claim() -> list[Claim]:
            return self._transport.run(self._core.claim(1, workflow, labels, None))

        workers = [threading.Thread(target=self._work, args=(tally, poll, claim), daemon=True) for _ in range(concurrency)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if tally.error is not None:
            raise tally.error
        return tally.report

    def _work(self, tally: Tally, poll: float | None, claim: Callable[[], list[Claim]]) -> None:
        while not self._stop.is_set() and self._locked(tally.reserve):
            claims = self._claim(tally, poll, claim)
            if claims:
                outcome = self._handle(claims[0])
                self._locked(partial(tally.count, outcome))
                continue
            self._locked(tally.give_back)
            if poll is None:
                return
            self._stop.wait(poll)

    def _claim(self, tally: Tally, poll: float | None, claim: Callable[[], list[Claim]]) -> list[Claim]:
        try:
            return claim()
        except StatehouseError as error:
            if poll is None or not isinstance(error, FAULTS):
                tally.error = tally.error or error
            logger.warning("claiming failed: %s", error)
            return []

    def _handle(self, claim: Claim) -> Outcome:
        run = RecoveredCore(self._core, claim)
        done = threading.Event()
        heart = threading.Thread(target=self._heartbeat, args=(run, done), daemon=True)
        heart.start()
        result: Any = None
        raised: Exception | None = None
        try:
            result = self._handler(SyncRecoveredExecution(run, self._transport))
        except Exception as error:  # Whatever a handler raises is told to the log, or to the run: see settle.
            raised = error
        finally:
            done.set()
            heart.join()
        return self._transport.run(run.settle(result, raised))

    def _heartbeat(self, run: RecoveredCore, done: threading.Event) -> None:
        until = time.monotonic() + run.lease_s
        while not run.is_lost and not done.wait(run.lease_s / HEARTBEATS_PER_LEASE):
            asked = time.monotonic()
            try:
                self._transport.run(run.heartbeat())
                until = asked + run.lease_s
            except FAULTS as fault:
                logger.info("a heartbeat of %s failed: %s", run.execution_id, fault)
            except StatehouseError as refusal:
                if run.is_ending or run.ended is not None or done.is_set():
                    return
                logger.warning("%s is lost: %s", run.execution_id, refusal)
                run.is_lost = True
            run.is_lost = run.is_lost or time.monotonic() >= until

    def _locked(self, act: Callable[[], Any]) -> Any:
        with self._lock:
            return act()
