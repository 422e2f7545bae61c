"""Executions for asyncio (or trio): runs of a workflow that are checkpointed, and go on after a crash."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Literal

import anyio
import anyio.abc
import httpx

from . import _json
from ._api import Api, Consistency
from ._executions import PAGE_MAX, STATES_PAGE, ExecutionsApi, Order, query_parameters
from ._http import AsyncTransport, Settings
from ._manager import NO_STATE, WORKFLOW_DEFAULT, ManagerCore, ManagerOptions, worker_name
from ._recovery import poll_of
from .client import DEFAULT_URL
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
    RecoveryReport,
    Snapshot,
    Status,
)
from .memory import AsyncMemoryTransport, MemoryBackend
from .recovery import RecoveredExecution, Recovery
from .state_transaction import StateTransaction
from .types import RetryPolicy

Handler = Callable[[RecoveredExecution], Awaitable[Any]]


class StateManager:
    """Saves and finds the executions of one namespace.

    url, namespace: of the server. worker: who claims; default host name, process id and a random part.
    checkpoint_interval, checkpoint_retention, recovery_timeout (seconds), max_attempts: of the executions that this manager
        creates; see docs/executions.md.
    enable_auto_recovery: whether the handler of :meth:`recovery_handler` runs in the background inside of ``async with``.
        Without a handler nothing is started.
    enable_compression: whether answers may come compressed over the network (``Accept-Encoding``); what a server does not
        compress comes as it is. Requests are sent as they are, and how states are stored is the server's own affair.
    batch_writes: checkpoints wait in the server's memory, and are written together. Their receipts say ``durable=False``,
        and a crash of the server loses them: only what :meth:`flush`, or a receipt with ``durable=True``, has acknowledged
        is safe. A lost one that the server stood behind raises BufferedWriteError at the next flush. Leaving ``async with``
        flushes.
    batch_size, flush_interval_ms: with batch_writes, a checkpoint is flushed together with those before it where so many
        of its execution wait, or the oldest was saved so long ago. The server has bounds of its own beside these.
    backend: ``http``; ``memory`` keeps all of it in this process and needs no server, for tests: url is not used then.
        A :class:`MemoryBackend` can be shared by several managers and given a clock.
    timeout_s, retries, parse_float, http_client: as of :class:`AsyncStatehouse`.

    Writes are repeated where an answer is lost: each carries an idempotency key that is drawn once, or is the same when done
    twice, so nothing is written twice. Buffered checkpoints and the making and deleting of snapshots are not. Tokens of claims are remembered per execution and sent with each later write, until
    this manager ends the claim. Every method raises StatehouseError or one of its subclasses; StaleTokenError says that
    another worker has the execution.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        namespace: str = "default",
        *,
        checkpoint_interval: int = 10,
        checkpoint_retention: int = 100,
        enable_auto_recovery: bool = True,
        recovery_timeout: float = 300,
        enable_compression: bool = True,
        batch_writes: bool = False,
        batch_size: int = 100,
        flush_interval_ms: int = 1000,
        backend: Literal["http", "memory"] | MemoryBackend = "http",
        max_attempts: int = 3,
        worker: str | None = None,
        timeout_s: float = 10.0,
        retries: RetryPolicy | None = None,
        parse_float: _json.ParseFloat | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        options = ManagerOptions(
            checkpoint_interval, checkpoint_retention, recovery_timeout, max_attempts,
            batch_writes, batch_size, flush_interval_ms, worker or worker_name(),
        )
        self._core = ManagerCore(ExecutionsApi(Api(namespace, retries or RetryPolicy(), parse_float)), options)
        self._executions = self._core.executions
        memory = MemoryBackend.of(backend)
        self._transport: AsyncTransport | AsyncMemoryTransport = (
            AsyncTransport(Settings(url, timeout_s, 100, enable_compression), http_client)
            if memory is None else AsyncMemoryTransport(memory)
        )
        self._recovers_by_itself = enable_auto_recovery
        self._handler: Handler | None = None
        self._tasks: anyio.abc.TaskGroup | None = None

    @property
    def worker(self) -> str:
        return self._core.options.worker

    async def create(
        self,
        execution_id: str | None = None,
        *,
        workflow: str = WORKFLOW_DEFAULT,
        labels: Mapping[str, str] | None = None,
        state: Any = NO_STATE,
        claim: bool = False,
    ) -> Execution:
        """Creates a run; without an id one is drawn. state: becomes checkpoint 0. claim: this worker holds it at once.

        The same again returns it as it is now. ValidationError (SH-1002) where the id is taken by another one.
        """
        return await self._transport.run(self._core.create(execution_id, workflow, labels, state, claim))

    async def save(
        self,
        execution_id: str,
        state: Any,
        *,
        workflow: str = WORKFLOW_DEFAULT,
        step: int | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> CheckpointReceipt:
        """Saves a checkpoint, and creates the run where it is not there; returns when that is durable.

        step: above the last one; None = the last one + 1. ConflictError where another writer has saved that step, or the
        run has ended. workflow, labels: only used where the run is created.
        """
        return await self._transport.run(self._core.save(execution_id, state, workflow, step, labels))

    async def checkpoint(self, execution_id: str, step: int, state: Any) -> CheckpointReceipt:
        """Saves a checkpoint of a run that is there. The last step again with the same state is no error: ``replayed``."""
        return await self._transport.run(self._core.checkpoint(execution_id, step, state, None))

    async def load(self, execution_id: str, step: int | None = None) -> Checkpoint:
        """The latest checkpoint, or that of a step. NotFoundError where there is none; TrimmedError where it was thinned."""
        return await self._transport.run(self._executions.checkpoint(execution_id, step))

    async def get_execution(self, execution_id: str, *, consistency: Consistency | None = None) -> Execution:
        """The run as it stands; raises NotFoundError."""
        return await self._transport.run(self._executions.get(execution_id, consistency))

    async def get_history(
        self,
        execution_id: str,
        *,
        limit: int | None = None,
        with_state: bool = False,
        from_step: int | None = None,
        to_step: int | None = None,
        order: Order = "asc",
    ) -> list[CheckpointEntry]:
        """Checkpoints in the order in which they were made, or newest first; those that were restored over included."""
        found: list[CheckpointEntry] = []
        after: object = None
        while True:
            size = min(STATES_PAGE if with_state else PAGE_MAX, PAGE_MAX if limit is None else limit - len(found))
            page = await self._transport.run(
                self._executions.history_page(execution_id, from_step, to_step, order, size, with_state, after)
            )
            found.extend(page.items)
            after = page.next
            if after is None or (limit is not None and len(found) >= limit):
                return found

    async def query(
        self,
        *,
        status: Status | Iterable[Status] | None = None,
        workflow: str | None = None,
        labels: Mapping[str, str] | None = None,
        started_after: datetime | None = None,
        started_before: datetime | None = None,
        updated_after: datetime | None = None,
        updated_before: datetime | None = None,
        order_by: Literal["started", "updated"] = "updated",
        order: Order = "desc",
        limit: int | None = None,
    ) -> AsyncIterator[Execution]:
        """Runs with any of the statuses and all of the labels, page by page: ``async for run in manager.query(…)``.

        Times need a time zone; from ``after`` on, up to but without ``before``; started means created. limit: None = all.
        """
        times = {
            "started_from": started_after, "started_to": started_before,
            "updated_from": updated_after, "updated_to": updated_before,
        }
        parameters = query_parameters(status, workflow, labels, times, order_by, order)
        left, after = limit, None
        while left is None or left > 0:
            size = PAGE_MAX if left is None else min(left, PAGE_MAX)
            page = await self._transport.run(self._executions.query_page(parameters, size, after))
            for execution in page.items:
                yield execution
            left = None if left is None else left - len(page.items)
            after = page.next
            if after is None:
                return

    def transaction(self) -> StateTransaction:
        """Checkpoints of several executions, all or none: ``async with manager.transaction() as tx``."""
        return StateTransaction(self._core, self._transport)

    async def create_snapshot(self, execution_id: str, name: str, *, step: int | None = None) -> Snapshot:
        """Names the latest checkpoint, or that of a step, so that it is never thinned. ConflictError where it is taken."""
        return await self._transport.run(self._core.create_snapshot(execution_id, name, step))

    async def get_snapshot(self, execution_id: str, name: str) -> Snapshot:
        """With its state; raises NotFoundError."""
        return await self._transport.run(self._executions.snapshot(execution_id, name))

    async def list_snapshots(self, execution_id: str) -> list[Snapshot]:
        """Without their states."""
        return await self._transport.run(self._executions.snapshots(execution_id))

    async def delete_snapshot(self, execution_id: str, name: str) -> None:
        await self._transport.run(self._core.delete_snapshot(execution_id, name))

    async def restore_snapshot(self, execution_id: str, name: str) -> Execution:
        """Makes the named state the latest again. The run becomes pending, its lease ends, its history stays."""
        return await self._transport.run(self._core.end(execution_id, "restore", {"snapshot": name}, None))

    async def restore(self, execution_id: str, step: int) -> Execution:
        """The same to a step. TrimmedError, with ``nearest_step``, where its state was thinned."""
        return await self._transport.run(self._core.end(execution_id, "restore", {"step": step}, None))

    async def complete(self, execution_id: str, result: Any = None) -> Execution:
        """Ends a running execution well. result: any JSON."""
        body = {} if result is None else {"result": result}
        return await self._transport.run(self._core.end(execution_id, "complete", body, None))

    async def fail(self, execution_id: str, error: ExecutionFailure | BaseException | str) -> Execution:
        """Ends it badly; an exception becomes its message and type."""
        return await self._transport.run(self._core.fail(execution_id, error, None))

    async def cancel(self, execution_id: str, reason: str | None = None) -> Execution:
        """Ends it from outside: its worker's next write is refused."""
        body = {} if reason is None else {"reason": reason}
        return await self._transport.run(self._core.end(execution_id, "cancel", body, None))

    async def pause(self, execution_id: str, reason: str | None = None) -> Execution:
        """Nobody claims it until :meth:`resume`."""
        body = {} if reason is None else {"reason": reason}
        return await self._transport.run(self._core.end(execution_id, "pause", body, None))

    async def resume(self, execution_id: str) -> Execution:
        """Goes on with a paused or pending one; it can be claimed at once."""
        return await self._transport.run(self._core.resume(execution_id))

    async def claim(
        self,
        limit: int = 1,
        *,
        workflow: str | None = None,
        labels: Mapping[str, str] | None = None,
        lease: float | None = None,
    ) -> list[Claim]:
        """Takes up to ``limit`` (at most 100) runs that are pending, or whose worker has let its lease run out.

        lease: seconds of the first lease; None = the run's recovery timeout.
        """
        return await self._transport.run(self._core.claim(limit, workflow, labels, lease))

    async def heartbeat(self, execution_id: str) -> Lease:
        """Extends the lease to now + the run's recovery timeout. StaleTokenError where another worker has it."""
        return await self._transport.run(self._core.heartbeat(execution_id, None))

    async def recover_all(
        self,
        handler: Handler,
        *,
        concurrency: int = 4,
        limit: int | None = None,
        poll: float | None = None,
        workflow: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> RecoveryReport:
        """Claims unfinished runs and calls ``await handler(run)`` for each, ``concurrency`` at a time.

        While a handler runs the lease is extended every third of it; where it is lost, the handler is cancelled. Returned,
        its value becomes the result, unless the handler has completed or failed the run itself. Raised, the run is left:
        another attempt is due when its lease has run out; the last attempt (``max_attempts``) marks it failed, with the
        exception. Ends when nothing can be claimed; with ``poll`` it looks again every so many seconds, until cancelled
        or ``limit`` runs were claimed.
        """
        recovery = Recovery(self._core, self._transport, handler)
        return await recovery.run(concurrency, limit, poll, workflow, labels)

    def recovery_handler(self, handler: Handler) -> Handler:
        """Decorator: inside of ``async with`` this handler gets what can be claimed, in the background, with
        ``recover_all(handler, poll=recovery_timeout / 3)`` (at most 30 s). Leaving cancels handlers that still run.
        Does nothing without ``enable_auto_recovery``. One per manager."""
        if self._handler is not None:
            raise ValueError("This manager has a recovery handler.")
        self._handler = handler
        self._start_recovery()
        return handler

    async def get_metrics(self) -> Metrics:
        return await self._transport.run(self._executions.metrics())

    async def cleanup(
        self,
        older_than_days: float | None = None,
        status: Iterable[Status] = ("completed", "failed", "cancelled"),
        *,
        older_than: datetime | None = None,
        dry_run: bool = False,
    ) -> CleanupResult:
        """Removes runs that ended longer ago than that; asks again until none is left. dry_run: counts only, up to the
        server's bound per request (``more``). Days are counted back from this machine's clock."""
        return await self._transport.run(self._core.cleanup(older_than, older_than_days, status, dry_run))

    async def thin(self, execution_id: str) -> int:
        """Applies checkpoint_retention now, as the server does by itself in time; returns how many states went."""
        return await self._transport.run(self._executions.thin(execution_id))

    async def flush(self, execution_id: str | None = None) -> int:
        """Makes buffered checkpoints durable, of one run or of all that this manager has buffered; returns how many.

        BufferedWriteError where one was refused, or lost by a crash; the others are flushed before it is raised.
        """
        return await self._transport.run(self._core.flush(execution_id))

    async def close(self) -> None:
        """Flushes what is buffered, and closes all connections."""
        try:
            if self._core.has_unflushed:
                await self.flush()
        finally:
            await self._transport.close()

    async def __aenter__(self) -> StateManager:
        if self._recovers_by_itself:
            self._tasks = anyio.create_task_group()
            await self._tasks.__aenter__()
            self._start_recovery()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tasks is not None:
            tasks, self._tasks = self._tasks, None
            tasks.cancel_scope.cancel()
            # Without the block's own exception, which would come back wrapped into a group.
            await tasks.__aexit__(None, None, None)
        await self.close()

    def _start_recovery(self) -> None:
        if self._tasks is not None and self._handler is not None:
            self._tasks.start_soon(self._recover_in_background, self._handler)

    async def _recover_in_background(self, handler: Handler) -> None:
        await self.recover_all(handler, poll=poll_of(self._core.options.recovery_timeout))
