"""Recovery: claimed runs in a handler's hands, on a server and in memory, with threads and with asyncio."""

from __future__ import annotations

import threading
from typing import Any

import anyio
import pytest

from execution_backends import SHORT_LEASE_S, WAIT_BOUND_S, Managers, wait_for
from statehouse import (
    ConflictError,
    ExecutionFailure,
    RecoveredExecution,
    StaleTokenError,
    SyncRecoveredExecution,
    SyncStateManager,
)

LONG_S = 60.0


def count_to(run: SyncRecoveredExecution, end: int) -> int:
    while (run.step or 0) < end:
        run.checkpoint((run.step or 0) + 1, (run.state or 0) + 1)
    return int(run.state)


def abandon(manager: SyncStateManager, execution_id: str, **options: Any) -> None:
    """A run that a worker has claimed, and will never go on with."""
    manager.create(execution_id, state=0, **options)
    assert [claim.execution.execution_id for claim in manager.claim()] == [execution_id]


def test_unfinished_runs_are_finished_where_they_were(managers: Managers) -> None:
    dead = managers.make("dead", recovery_timeout=SHORT_LEASE_S)
    abandon(dead, "abandoned")
    dead.save("abandoned", 1)
    for number in range(5):
        dead.create(f"new-{number}", state=0)
    worker = managers.make("worker")
    wait_for("the abandoned run's lease", lambda: worker.recover_all(lambda run: count_to(run, 3)).claimed and worker.get_execution("abandoned").is_final)
    assert {run.status for run in worker.query()} == {"completed"}
    for run in worker.query():
        assert worker.get_execution(run.execution_id).result == 3
        assert [entry.step for entry in worker.get_history(run.execution_id)] == [0, 1, 2, 3]
    assert worker.get_execution("abandoned").attempt == 2
    assert worker.recover_all(lambda run: None).claimed == 0


def test_a_handler_may_end_the_run_itself_and_its_return_value_is_then_not_used(managers: Managers) -> None:
    manager = managers.make()
    for name in ("done", "bad"):
        manager.create(name, workflow=name)

    def handle(run: SyncRecoveredExecution) -> str:
        assert (run.state, run.step, run.token, run.workflow, run.execution.attempt) == (None, None, 1, run.id, 1)
        run.save("a state")
        if run.id == "done":
            run.complete("by hand")
        else:
            run.fail(ExecutionFailure("no money", "Payment", {"missing": 3}))
        return "unused"

    report = manager.recover_all(handle, concurrency=1)
    assert (report.claimed, report.completed, report.failed, report.left, report.lost) == (2, 1, 1, 0, 0)
    assert manager.get_execution("done").result == "by hand"
    assert manager.get_execution("bad").error == ExecutionFailure("no money", "Payment", {"missing": 3})


def test_a_handler_that_raises_leaves_the_run_to_its_next_attempt_and_fails_it_in_the_last(managers: Managers) -> None:
    manager = managers.make(recovery_timeout=SHORT_LEASE_S, max_attempts=2)
    manager.create("run")

    def handle(run: SyncRecoveredExecution) -> None:
        run.save(run.execution.attempt)
        raise OSError(f"attempt {run.execution.attempt}")

    first = manager.recover_all(handle)
    assert (first.claimed, first.left, manager.get_execution("run").status) == (1, 1, "running")
    second = wait_for("the second attempt", lambda: [r for r in [manager.recover_all(handle)] if r.claimed])[0]
    assert (second.failed, second.left) == (1, 0)
    run = manager.get_execution("run")
    assert (run.status, run.attempt, run.error) == ("failed", 2, ExecutionFailure("attempt 2", "OSError"))
    assert manager.load("run").state == 2


def test_heartbeats_keep_a_run_that_works_longer_than_its_lease(managers: Managers) -> None:
    manager = managers.make("slow", recovery_timeout=0.5)
    other = managers.make("other")
    manager.create("run", state=0)
    seen: list[Any] = []

    def handle(run: SyncRecoveredExecution) -> None:
        first = other.get_execution("run").lease
        assert first is not None
        start = first.until

        def was_extended() -> bool:
            lease = other.get_execution("run").lease
            return lease is not None and (lease.until - start).total_seconds() > 0.5

        wait_for("two heartbeats", was_extended)
        seen.extend(other.claim())

    report = manager.recover_all(handle)
    assert (report.completed, seen) == (1, [])


def test_a_run_that_somebody_cancels_is_let_go(managers: Managers) -> None:
    worker, operator = managers.make("worker"), managers.make("operator")
    worker.create("run", state=0)

    def handle(run: SyncRecoveredExecution) -> None:
        operator.cancel(run.id)
        with pytest.raises(ConflictError):
            run.save(1)

    report = worker.recover_all(handle)
    assert report.completed == 0 and report.left + report.lost == 1
    assert worker.get_execution("run").status == "cancelled"


def test_a_handler_that_has_lost_its_lease_is_told_and_writes_nothing(managers: Managers) -> None:
    worker, thief = managers.make("worker", recovery_timeout=0.3), managers.make("thief")
    worker.create("run", state=0)

    def handle(run: SyncRecoveredExecution) -> None:
        thief.pause(run.id)
        thief.resume(run.id)
        assert thief.claim()
        wait_for("the heartbeat to be refused", lambda: run.is_lost)
        with pytest.raises(StaleTokenError):
            run.save(1)

    assert worker.recover_all(handle, limit=1).lost == 1
    assert thief.complete("run", "thief").status == "completed"
    assert [entry.step for entry in thief.get_history("run")] == [0]


def test_only_so_many_are_claimed_and_only_of_the_workflow(managers: Managers) -> None:
    manager = managers.make()
    for number in range(6):
        manager.create(f"run-{number}", workflow="a" if number < 4 else "b")
    assert manager.recover_all(lambda run: None, limit=2, workflow="a").completed == 2
    assert manager.recover_all(lambda run: None, workflow="a").completed == 2
    assert sorted(run.execution_id for run in manager.query(status="pending")) == ["run-4", "run-5"]


def test_a_registered_handler_recovers_in_the_background_until_the_block_is_left(managers: Managers) -> None:
    done = threading.Event()
    creator = managers.make("creator")
    with managers.make("worker", recovery_timeout=1) as worker:

        @worker.recovery_handler
        def handle(run: SyncRecoveredExecution) -> str:
            done.set()
            return "background"

        creator.create("run")
        assert done.wait(WAIT_BOUND_S)
        wait_for("the run's end", lambda: creator.get_execution("run").is_final)
    creator.create("later")
    assert creator.get_execution("run").result == "background" and len(creator.claim()) == 1


def test_without_auto_recovery_a_handler_is_not_called(managers: Managers) -> None:
    with managers.make("worker", enable_auto_recovery=False) as worker:
        worker.recovery_handler(lambda run: None)
        worker.create("run")
        assert len(worker.claim()) == 1


def test_asynchronous_handlers_run_side_by_side(managers: Managers) -> None:
    creator = managers.make("creator")
    for number in range(4):
        creator.create(f"run-{number}", state=0)

    async def talk() -> None:
        running = 0
        all_running = anyio.Event()

        async def handle(run: RecoveredExecution) -> int:
            nonlocal running
            running += 1
            if running == 4:
                all_running.set()
            with anyio.fail_after(WAIT_BOUND_S):
                await all_running.wait()
            await run.checkpoint(1, run.token)
            return int(run.state)

        async with managers.make_async("worker") as worker:
            report = await worker.recover_all(handle, concurrency=4)
            assert report.completed == 4
            assert {run.status async for run in worker.query()} == {"completed"}

    anyio.run(talk)


def test_an_asynchronous_handler_is_cancelled_where_its_lease_is_lost(managers: Managers) -> None:
    operator = managers.make("operator")
    cancelled: list[str] = []

    async def handle(run: RecoveredExecution) -> None:
        operator.cancel(run.id)
        try:
            await anyio.sleep(LONG_S)
        finally:
            cancelled.append(run.id)

    async def talk() -> None:
        async with managers.make_async("worker", recovery_timeout=0.3) as worker:
            await worker.create("run")
            with anyio.fail_after(WAIT_BOUND_S):
                report = await worker.recover_all(handle)
            assert (report.claimed, report.lost) == (1, 1)

    anyio.run(talk)
    assert cancelled == ["run"] and operator.get_execution("run").status == "cancelled"


def test_an_asynchronous_handler_of_the_background_is_cancelled_by_leaving_and_its_run_left(managers: Managers) -> None:
    creator = managers.make("creator")

    async def talk() -> None:
        started = anyio.Event()
        async with managers.make_async("worker", recovery_timeout=1) as worker:

            @worker.recovery_handler
            async def handle(run: RecoveredExecution) -> None:
                started.set()
                await anyio.sleep(LONG_S)

            creator.create("run")
            with anyio.fail_after(WAIT_BOUND_S):
                await started.wait()
        assert creator.get_execution("run").status == "running"

    anyio.run(talk)


def test_an_exception_of_the_block_comes_out_as_it_is(managers: Managers) -> None:
    async def talk() -> None:
        async with managers.make_async("worker") as worker:

            @worker.recovery_handler
            async def handle(run: RecoveredExecution) -> None:
                raise AssertionError("There is nothing to claim.")

            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        anyio.run(talk)
