"""Checkpoints of several executions, committed together or not at all."""

from __future__ import annotations

import uuid
from types import TracebackType
from typing import Any

from . import _json
from ._http import AsyncTransport, SyncTransport
from ._manager import ManagerCore
from ._retry import FAULTS, Flow
from .errors import StatehouseError, TransactionError
from .executions import TransactionReceipt
from .memory import AsyncMemoryTransport, SyncMemoryTransport

OPEN, COMMITTED, ENDED = "open", "committed", "ended"


class TransactionState:
    """What both kinds share. Staged here; the server hears of it at the commit."""

    def __init__(self, core: ManagerCore) -> None:
        self._core = core
        self._staged: dict[str, tuple[int, Any]] = {}
        self._key = uuid.uuid4().hex
        self.phase = OPEN
        self.receipt = TransactionReceipt(0)

    def save(self, execution_id: str, state: Any, step: int | None) -> Flow[int]:
        self._must_be_open()
        _json.encode(state, "state")
        if execution_id in self._staged:
            raise TransactionError(f"{execution_id} has a checkpoint in this transaction: one each.")
        at = step if step is not None else (yield from self._core.next_step(execution_id))
        self._staged[execution_id] = (at, state)
        return at

    def commit(self) -> Flow[TransactionReceipt]:
        if self.phase == COMMITTED:
            return self.receipt
        self._must_be_open()
        if self._staged:
            try:
                self.receipt = yield from self._core.commit(self._staged, self._key)
            except StatehouseError as error:
                # After a fault the commit can be repeated: its key is the same.
                self.phase = OPEN if isinstance(error, FAULTS) else ENDED
                raise
        self.phase = COMMITTED
        return self.receipt

    def rollback(self) -> None:
        if self.phase == COMMITTED:
            raise TransactionError("The transaction is committed: it cannot be rolled back.")
        self.phase = ENDED

    def _must_be_open(self) -> None:
        if self.phase != OPEN:
            raise TransactionError(f"The transaction has ended: it is {self.phase}.")


class StateTransaction:
    """Leaving the ``async with`` block commits, an exception drops what was staged. After :meth:`commit` or
    :meth:`rollback` inside the block, leaving it does nothing. Nothing is locked, and nothing is sent before the commit.
    Executions must be there already; at most 100, each once."""

    def __init__(self, core: ManagerCore, transport: AsyncTransport | AsyncMemoryTransport) -> None:
        self._state = TransactionState(core)
        self._transport = transport

    @property
    def receipt(self) -> TransactionReceipt:
        """After the commit."""
        return self._state.receipt

    async def save(self, execution_id: str, state: Any, *, step: int | None = None) -> int:
        """Stages a checkpoint and returns its step. step: None = the last one + 1, as it is now."""
        return await self._transport.run(self._state.save(execution_id, state, step))

    async def commit(self) -> TransactionReceipt:
        """Raises ConflictError where one of them was refused: then none is written. Again, it returns the same."""
        return await self._transport.run(self._state.commit())

    async def rollback(self) -> None:
        """Drops what was staged."""
        self._state.rollback()

    async def __aenter__(self) -> StateTransaction:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._state.phase == OPEN:
            if kind is None:
                await self.commit()
            else:
                self._state.rollback()


class SyncStateTransaction:
    """:class:`StateTransaction`, blocking: ``with manager.transaction() as tx``."""

    def __init__(self, core: ManagerCore, transport: SyncTransport | SyncMemoryTransport) -> None:
        self._state = TransactionState(core)
        self._transport = transport

    @property
    def receipt(self) -> TransactionReceipt:
        """After the commit."""
        return self._state.receipt

    def save(self, execution_id: str, state: Any, *, step: int | None = None) -> int:
        """Stages a checkpoint and returns its step. step: None = the last one + 1, as it is now."""
        return self._transport.run(self._state.save(execution_id, state, step))

    def commit(self) -> TransactionReceipt:
        """Raises ConflictError where one of them was refused: then none is written. Again, it returns the same."""
        return self._transport.run(self._state.commit())

    def rollback(self) -> None:
        """Drops what was staged."""
        self._state.rollback()

    def __enter__(self) -> SyncStateTransaction:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._state.phase == OPEN:
            if kind is None:
                self.commit()
            else:
                self._state.rollback()
