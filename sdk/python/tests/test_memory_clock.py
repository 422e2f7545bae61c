"""The backend in memory goes by the clock that it is given."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from statehouse import MemoryBackend, StaleTokenError, SyncStateManager


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 9, 5, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now


def test_leases_run_out_and_runs_grow_old_by_the_clock_alone() -> None:
    clock = Clock()
    backend = MemoryBackend(clock)
    old = SyncStateManager(backend=backend, worker="old", recovery_timeout=300)
    new = SyncStateManager(backend=backend, worker="new")
    run = old.create("run", state=0)
    assert run.created_at == clock.now and old.claim()[0].token == 1
    clock.now += timedelta(seconds=299)
    assert new.claim() == []
    assert old.heartbeat("run").until == clock.now + timedelta(seconds=300)
    clock.now += timedelta(seconds=300)
    assert new.claim()[0].token == 2
    with pytest.raises(StaleTokenError):
        old.save("run", 1)
    new.complete("run")
    clock.now += timedelta(days=30)
    assert new.cleanup(older_than=clock.now - timedelta(days=31)).removed == 0
    assert new.cleanup(older_than=clock.now - timedelta(days=29)).removed == 1


def test_two_backends_do_not_meet() -> None:
    one, other = SyncStateManager(backend="memory"), SyncStateManager(backend="memory")
    one.save("run", 1)
    assert list(other.query()) == []
