"""Claims unfinished executions and hands them to a handler, for asyncio (or trio)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import anyio
import anyio.abc

from ._http import AsyncTransport
from ._manager import ManagerCore
from ._recovery import HEARTBEATS_PER_LEASE, Outcome, RecoveredCore, Tally
from ._retry import FAULTS, Flow, logger
from .errors import StatehouseError
from .executions import CheckpointReceipt, Claim, Execution, ExecutionFailure, RecoveryReport
from .memory import AsyncMemoryTransport

T = TypeVar("T")


class RecoveredExecution:
    """A run that this worker has claimed. Its writes carry the claim's token: after another claim they are refused."""

    def __init__(self, core: RecoveredCore, transport: AsyncTransport | AsyncMemoryTransport) -> None:
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

    async def checkpoint(self, step: int, state: Any) -> CheckpointReceipt:
        """Saves a checkpoint; StaleTokenError where another worker has the run: stop."""
        return await self._transport.run(self._core.checkpoint(step, state))

    async def save(self, state: Any) -> CheckpointReceipt:
        """The same at the next step."""
        return await self._transport.run(self._core.save(state))

    async def complete(self, result: Any = None) -> Execution:
        return await self._transport.run(self._core.complete(result))

    async def fail(self, error: ExecutionFailure | BaseException | str) -> Execution:
        """Ends it for good, whatever attempts are left."""
        return await self._transport.run(self._core.fail(error))


class Recovery:
    """One run of :meth:`StateManager.recover_all`."""

    def __init__(
        self,
        core: ManagerCore,
        transport: AsyncTransport | AsyncMemoryTransport,
        handler: Callable[[RecoveredExecution], Awaitable[Any]],
    ) -> None:
        self._core = core
        self._transport = transport
        self._handler = handler

    async def run(
        self, concurrency: int, limit: int | None, poll: float | None, workflow: str | None, labels: Mapping[str, str] | None
    ) -> RecoveryReport:
        tally = Tally(limit)
        async with anyio.create_task_group() as workers:
            for _ in range(concurrency):
                workers.start_soon(self._work, tally, poll, lambda: self._core.claim(1, workflow, labels, None))
        # Raised here, since the group would wrap it.
        if tally.error is not None:
            raise tally.error
        return tally.report

    async def _work(self, tally: Tally, poll: float | None, next_claim: Callable[[], Flow[list[Claim]]]) -> None:
        while tally.reserve():
            claims = await self._claim(tally, poll, next_claim())
            if claims:
                tally.count(await self._handle(claims[0]))
                continue
            tally.give_back()
            if poll is None:
                return
            await anyio.sleep(poll)

    async def _claim(self, tally: Tally, poll: float | None, flow: Flow[list[Claim]]) -> list[Claim]:
        try:
            return await self._transport.run(flow)
        except StatehouseError as error:
            if poll is None or not isinstance(error, FAULTS):
                tally.error = tally.error or error
            logger.warning("claiming failed: %s", error)
            return []

    async def _handle(self, claim: Claim) -> Outcome:
        run = RecoveredCore(self._core, claim)
        result: Any = None
        raised: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._heartbeat, run, group.cancel_scope)
            try:
                result = await self._handler(RecoveredExecution(run, self._transport))
            except Exception as error:  # Whatever a handler raises is told to the log, or to the run: see settle.
                raised = error
            group.cancel_scope.cancel()
        return await self._transport.run(run.settle(result, raised))

    async def _heartbeat(self, run: RecoveredCore, scope: anyio.CancelScope) -> None:
        until = anyio.current_time() + run.lease_s
        while not run.is_lost:
            await anyio.sleep(run.lease_s / HEARTBEATS_PER_LEASE)
            try:
                with anyio.move_on_after(max(0.0, until - anyio.current_time())):
                    asked = anyio.current_time()
                    await self._transport.run(run.heartbeat())
                    until = asked + run.lease_s
            except FAULTS as fault:
                logger.info("a heartbeat of %s failed: %s", run.execution_id, fault)
            except StatehouseError as refusal:
                if run.is_ending or run.ended is not None:
                    return
                logger.warning("%s is lost: %s", run.execution_id, refusal)
                run.is_lost = True
            run.is_lost = run.is_lost or anyio.current_time() >= until
        scope.cancel()
