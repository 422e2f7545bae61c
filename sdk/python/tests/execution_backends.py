"""State managers over each backend: what holds of one must hold of the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from statehouse import MemoryBackend, StateManager, SyncStateManager

T = TypeVar("T")

BACKENDS = ["memory", pytest.param("http", marks=pytest.mark.live)]

WAIT_BOUND_S = 30.0

# The shortest lease that a server grants.
SHORT_LEASE_S = 0.1


class Managers:
    """url: of a server; None = in memory. All managers of one of these meet in one namespace."""

    def __init__(self, url: str | None, namespace: str) -> None:
        self._place: dict[str, Any] = {"backend": MemoryBackend()} if url is None else {"url": url}
        self._place["namespace"] = namespace
        self._made: list[SyncStateManager] = []

    def make(self, worker: str = "w1", **options: Any) -> SyncStateManager:
        arguments: dict[str, Any] = self._place | {"worker": worker} | options
        manager = SyncStateManager(**arguments)
        self._made.append(manager)
        return manager

    def make_async(self, worker: str = "w1", **options: Any) -> StateManager:
        """The caller closes it."""
        arguments: dict[str, Any] = self._place | {"worker": worker} | options
        return StateManager(**arguments)

    def close(self) -> None:
        for manager in self._made:
            manager.close()


def wait_for(what: str, ask: Callable[[], T | None]) -> T:
    """Asks until the answer is true."""
    deadline = time.monotonic() + WAIT_BOUND_S
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"Waited {WAIT_BOUND_S} s for {what}."
        time.sleep(0.02)


def calls(*each: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    """Says what a tuple of lambdas is."""
    return each
