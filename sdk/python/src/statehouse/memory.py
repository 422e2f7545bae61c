"""Executions in this process: the same rules as the server's, for tests that need none. Nothing here is durable."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from typing import TypeVar

import anyio

from . import _json
from ._memory_routes import MemoryRoutes
from ._memory_runs import STATUS_OF_CODE, Refusal
from ._retry import Flow, Pause
from ._wire import Reply, Request
from .errors import StatehouseError, ValidationError

T = TypeVar("T")


class MemoryBackend:
    """What a server holds, in this process. Share one among managers to let them meet; threads may use it at once.

    clock: the time, with a time zone; leases, receipts and cleanup go by it. Buffered checkpoints are written by
    ``flush`` only, since no timer runs here.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)) -> None:
        self._routes = MemoryRoutes(clock)
        self._lock = threading.Lock()

    @staticmethod
    def of(backend: str | MemoryBackend) -> MemoryBackend | None:
        """None for HTTP."""
        if isinstance(backend, MemoryBackend):
            return backend
        if backend not in ("http", "memory"):
            raise ValidationError(f"backend must be http or memory; this is {backend!r}.", code="SH-1003", details={"field": "backend"})
        return MemoryBackend() if backend == "memory" else None

    def answer(self, request: Request) -> Reply:
        """Answers as docs/executions.md says."""
        with self._lock:
            try:
                status, body = self._routes.answer(request)
            except Refusal as refusal:
                status = STATUS_OF_CODE[refusal.code]
                body = {
                    "type": f"/errors/{refusal.code}", "title": refusal.code, "status": status, "detail": str(refusal),
                    "code": refusal.code, "request_id": "memory", "details": refusal.details,
                }
            return Reply(status, {}, b"" if body is None else _json.encode(body))


class AsyncMemoryTransport:
    """Runs flows on a backend, without a network."""

    def __init__(self, backend: MemoryBackend) -> None:
        self._backend = backend
        self._closed = False

    async def run(self, flow: Flow[T]) -> T:
        advance: Callable[[], Request | Pause] = flow.__next__
        while True:
            try:
                step = advance()
            except StopIteration as done:
                result: T = done.value
                return result
            if isinstance(step, Pause):
                await anyio.sleep(step.seconds)
                advance = partial(flow.send, None)
            else:
                # A real request lets others run, and may be cancelled; so does this.
                await anyio.sleep(0)
                advance = _perform(self._backend, step, flow, self._closed)

    async def close(self) -> None:
        self._closed = True


class SyncMemoryTransport:
    """The same, blocking."""

    def __init__(self, backend: MemoryBackend) -> None:
        self._backend = backend
        self._closed = False

    def run(self, flow: Flow[T]) -> T:
        advance: Callable[[], Request | Pause] = flow.__next__
        while True:
            try:
                step = advance()
            except StopIteration as done:
                result: T = done.value
                return result
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                advance = partial(flow.send, None)
            else:
                advance = _perform(self._backend, step, flow, self._closed)

    def close(self) -> None:
        self._closed = True


def _perform(backend: MemoryBackend, request: Request, flow: Flow[T], is_closed: bool) -> Callable[[], Request | Pause]:
    if is_closed:
        return partial(flow.throw, StatehouseError("The client is closed."))
    return partial(flow.send, backend.answer(request))
