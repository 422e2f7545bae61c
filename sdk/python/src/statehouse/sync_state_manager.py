"""Executions, blocking: every call of :mod:`statehouse.state_manager`, and recovery with threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Literal

import httpx

from . import _json
from ._api import Api, Consistency
from ._executions import PAGE_MAX, STATES_PAGE, ExecutionsApi, Order, query_parameters
from ._http import SyncTransport, Settings
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
from .memory import SyncMemoryTransport, MemoryBackend
from .sync_recovery import SyncRecoveredExecution, SyncRecovery
from .state_transaction import SyncStateTransaction
from .types import RetryPolicy

Handler = Callable[[SyncRecoveredExecution], Any]


class SyncStateManager:
    """:class:`StateManager`, blocking: same parameters, same methods. May be used from several threads at once.

    enable_auto_recovery: the handler of :meth:`recovery_handler` runs on threads of this manager's, inside of ``with``.
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
        http_client: httpx.Client | None = None,
    ) -> None:
        options = ManagerOptions(
            checkpoint_interval, checkpoint_retention, recovery_timeout, max_attempts,
            batch_writes, batch_size, flush_interval_ms, worker or worker_name(),
        )
        self._core = ManagerCore(ExecutionsApi(Api(namespace, retries or RetryPolicy(), parse_float)), options)
        self._executions = self._core.executions
        memory = MemoryBackend.of(backend)
        self._transport: SyncTransport | SyncMemoryTransport = (
            SyncTransport(Settings(url, timeout_s, 100, enable_compression), http_client)
            if memory is None else SyncMemoryTransport(memory)
        )
        self._recovers_by_itself = enable_auto_recovery
        self._handler: Handler | None = None
        self._is_entered = False
        self._closing = threading.Event()
        self._background: threading.Thread | None = None

    @property
    def worker(self) -> str:
        return self._core.options.worker

    def create(
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
        return self._transport.run(self._core.create(execution_id, workflow, labels, state, claim))

    def save(
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
        return self._transport.run(self._core.save(execution_id, state, workflow, step, labels))

    def checkpoint(self, execution_id: str, step: int, state: Any) -> CheckpointReceipt:
        """Saves a checkpoint of a run that is there. The last step again with the same state is no error: ``replayed``."""
        return self._transport.run(self._core.checkpoint(execution_id, step, state, None))

    def load(self, execution_id: str, step: int | None = None) -> Checkpoint:
        """The latest checkpoint, or that of a step. NotFoundError where there is none; TrimmedError where it was thinned."""
        return self._transport.run(self._executions.checkpoint(execution_id, step))

    def get_execution(self, execution_id: str, *, consistency: Consistency | None = None) -> Execution:
        """The run as it stands; raises NotFoundError."""
        return self._transport.run(self._executions.get(execution_id, consistency))

    def get_history(
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
            page = self._transport.run(
                self._executions.history_page(execution_id, from_step, to_step, order, size, with_state, after)
            )
            found.extend(page.items)
            after = page.next
            if after is None or (limit is not None and len(found) >= limit):
                return found

    def query(
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
    ) -> Iterator[Execution]:
        """Runs with any of the statuses and all of the labels, page by page: ``for run in manager.query(…)``.

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
            page = self._transport.run(self._executions.query_page(parameters, size, after))
            for execution in page.items:
                yield execution
            left = None if left is None else left - len(page.items)
            after = page.next
            if after is None:
                return

    def transaction(self) -> SyncStateTransaction:
        """Checkpoints of several executions, all or none: ``with manager.transaction() as tx``."""
        return SyncStateTransaction(self._core, self._transport)

    def create_snapshot(self, execution_id: str, name: str, *, step: int | None = None) -> Snapshot:
        """Names the latest checkpoint, or that of a step, so that it is never thinned. ConflictError where it is taken."""
        return self._transport.run(self._core.create_snapshot(execution_id, name, step))

    def get_snapshot(self, execution_id: str, name: str) -> Snapshot:
        """With its state; raises NotFoundError."""
        return self._transport.run(self._executions.snapshot(execution_id, name))

    def list_snapshots(self, execution_id: str) -> list[Snapshot]:
        """Without their states."""
        return self._transport.run(self._executions.snapshots(execution_id))

    def delete_snapshot(self, execution_id: str, name: str) -> None:
        self._transport.run(self._core.delete_snapshot(execution_id, name))

    def restore_snapshot(self, execution_id: str, name: str) -> Execution:
        """Makes the named state the latest again. The run becomes pending, its lease ends, its history stays."""
        return self._transport.run(self._core.end(execution_id, "restore", {"snapshot": name}, None))

    def restore(self, execution_id: str, step: int) -> Execution:
        """The same to a step. TrimmedError, with ``nearest_step``, where its state was thinned."""
        return self._transport.run(self._core.end(execution_id, "restore", {"step": step}, None))

    def complete(self, execution_id: str, result: Any = None) -> Execution:
        """Ends a running execution well. result: any JSON."""
        body = {} if result is None else {"result": result}
        return self._transport.run(self._core.end(execution_id, "complete", body, None))

    def fail(self, execution_id: str, error: ExecutionFailure | BaseException | str) -> Execution:
        """Ends it badly; an exception becomes its message and type."""
        return self._transport.run(self._core.fail(execution_id, error, None))

    def cancel(self, execution_id: str, reason: str | None = None) -> Execution:
        """Ends it from outside: its worker's next write is refused."""
        body = {} if reason is None else {"reason": reason}
        return self._transport.run(self._core.end(execution_id, "cancel", body, None))

    def pause(self, execution_id: str, reason: str | None = None) -> Execution:
        """Nobody claims it until :meth:`resume`."""
        body = {} if reason is None else {"reason": reason}
        return self._transport.run(self._core.end(execution_id, "pause", body, None))

    def resume(self, execution_id: str) -> Execution:
        """Goes on with a paused or pending one; it can be claimed at once."""
        return self._transport.run(self._core.resume(execution_id))

    def claim(
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
        return self._transport.run(self._core.claim(limit, workflow, labels, lease))

    def heartbeat(self, execution_id: str) -> Lease:
        """Extends the lease to now + the run's recovery timeout. StaleTokenError where another worker has it."""
        return self._transport.run(self._core.heartbeat(execution_id, None))

    def recover_all(
        self,
        handler: Handler,
        *,
        concurrency: int = 4,
        limit: int | None = None,
        poll: float | None = None,
        workflow: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> RecoveryReport:
        """Claims unfinished runs and calls ``handler(run)`` for each, on ``concurrency`` threads.

        While a handler runs the lease is extended every third of it; where it is lost, ``run.is_lost`` is set and each
        write of the handler raises StaleTokenError. Returned, its value becomes the result, unless the handler has
        completed or failed the run itself. Raised, the run is left: another attempt is due when its lease has run out;
        the last attempt (``max_attempts``) marks it failed, with the exception. Ends when nothing can be claimed; with
        ``poll`` it looks again every so many seconds, until ``limit`` runs were claimed or this manager is closed by
        another thread.
        """
        recovery = SyncRecovery(self._core, self._transport, handler, self._closing)
        return recovery.run(concurrency, limit, poll, workflow, labels)

    def recovery_handler(self, handler: Handler) -> Handler:
        """Decorator: inside of ``with`` this handler gets what can be claimed, in the background, with
        ``recover_all(handler, poll=recovery_timeout / 3)`` (at most 30 s). Leaving waits for handlers that still run.
        Does nothing without ``enable_auto_recovery``. One per manager."""
        if self._handler is not None:
            raise ValueError("This manager has a recovery handler.")
        self._handler = handler
        self._start_recovery()
        return handler

    def get_metrics(self) -> Metrics:
        return self._transport.run(self._executions.metrics())

    def cleanup(
        self,
        older_than_days: float | None = None,
        status: Iterable[Status] = ("completed", "failed", "cancelled"),
        *,
        older_than: datetime | None = None,
        dry_run: bool = False,
    ) -> CleanupResult:
        """Removes runs that ended longer ago than that; asks again until none is left. dry_run: counts only, up to the
        server's bound per request (``more``). Days are counted back from this machine's clock."""
        return self._transport.run(self._core.cleanup(older_than, older_than_days, status, dry_run))

    def thin(self, execution_id: str) -> int:
        """Applies checkpoint_retention now, as the server does by itself in time; returns how many states went."""
        return self._transport.run(self._executions.thin(execution_id))

    def flush(self, execution_id: str | None = None) -> int:
        """Makes buffered checkpoints durable, of one run or of all that this manager has buffered; returns how many.

        BufferedWriteError where one was refused, or lost by a crash; the others are flushed before it is raised.
        """
        return self._transport.run(self._core.flush(execution_id))

    def close(self) -> None:
        """Ends background recovery, flushes what is buffered, and closes all connections."""
        self._closing.set()
        if self._background is not None:
            self._background.join()
        try:
            if self._core.has_unflushed:
                self.flush()
        finally:
            self._transport.close()

    def __enter__(self) -> SyncStateManager:
        self._is_entered = True
        self._start_recovery()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_recovery(self) -> None:
        if self._recovers_by_itself and self._is_entered and self._handler is not None:
            self._background = threading.Thread(target=self._recover_in_background, args=(self._handler,), daemon=True)
            self._background.start()

    def _recover_in_background(self, handler: Handler) -> None:
        self.recover_all(handler, poll=poll_of(self._core.options.recovery_timeout))
