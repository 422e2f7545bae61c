"""The rules of docs/executions.md, through the state manager, on a server and in memory alike."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from execution_backends import SHORT_LEASE_S, Managers, calls, wait_for
from statehouse import (
    BufferedWriteError,
    ConflictError,
    NotFoundError,
    StaleTokenError,
    TransactionError,
    TrimmedError,
    ValidationError,
)


def test_a_run_that_is_not_there_is_created_by_its_first_save_and_goes_on_from_any_manager(managers: Managers) -> None:
    first = managers.make().save("run", {"n": 0}, workflow="refund", labels={"team": "a"})
    second = managers.make("w2").save("run", {"n": 1})
    run = managers.make().get_execution("run")
    assert (first.step, second.step, first.durable, second.replayed) == (0, 1, True, False)
    assert (run.workflow, run.status, run.step, run.checkpoints, run.labels) == ("refund", "running", 1, 2, {"team": "a"})
    assert run.lease is None and run.attempt == 0 and run.finished_at is None and run.settings is not None
    assert run.version > first.version > 0 and second.commit_ts > first.commit_ts
    assert managers.make().load("run").state == {"n": 1}
    assert managers.make().load("run", 0).state == {"n": 0}


def test_ids_of_any_characters_are_different_runs(managers: Managers) -> None:
    manager = managers.make()
    names = ["metrics", "claim", "a/b", "a%2Fb", "..", "checkpoints/latest", "claim x", "Zürich 🚀", "a?b#c"]
    for name in names:
        manager.save(name, name)
    assert [manager.load(name).state for name in names] == names
    assert sorted([run.execution_id for run in manager.query()]) == sorted(names)


def test_a_state_keeps_its_numbers_and_its_order(managers: Managers) -> None:
    manager = managers.make(parse_float=Decimal)
    state = {"z": 12345678901234567890123, "a": Decimal("1.10"), "list": [None, True, "…", {}], "deep": [[[1]]]}
    manager.save("run", state)
    loaded = manager.load("run").state
    assert loaded == state and list(loaded) == list(state) and str(loaded["a"]) == "1.10"
    for value in list[Any]([None, 0, "", [], False]):
        manager.save("run", value)
        assert manager.load("run").state == value


def test_a_step_must_be_above_the_last_and_the_last_again_is_written_once(managers: Managers) -> None:
    manager = managers.make()
    first = manager.save("run", {"n": 5}, step=5)
    again = manager.checkpoint("run", 5, {"n": 5})
    assert (again.replayed, again.version, again.hash) == (True, first.version, first.hash)
    for step, state in ((5, {"n": 6}), (4, {"n": 5})):
        with pytest.raises(ConflictError) as refused:
            manager.checkpoint("run", step, state)
        assert (refused.value.code, refused.value.details["step"]) == ("SH-1001", "5")
    assert [entry.step for entry in manager.get_history("run")] == [5]
    with pytest.raises(ValidationError):
        manager.checkpoint("run", -1, {})


def test_what_is_not_there_is_said_to_be_not_there(managers: Managers) -> None:
    manager = managers.make()
    for ask in calls(manager.get_execution, manager.load, manager.complete, manager.list_snapshots, manager.get_history):
        with pytest.raises(NotFoundError) as missing:
            ask("nobody")
        assert missing.value.code == "SH-1007"
    manager.create("run")
    for load in calls(lambda: manager.load("run"), lambda: manager.load("run", 3), lambda: manager.get_snapshot("run", "s")):
        with pytest.raises(NotFoundError):
            load()


def test_creating_the_same_twice_is_one_run_and_another_of_its_id_is_refused(managers: Managers) -> None:
    manager = managers.make()
    first = manager.create("run", workflow="refund", state={"n": 0})
    again = manager.create("run", workflow="refund", state={"n": 0})
    assert (first.version, first.step, first.status) == (again.version, 0, again.status)
    with pytest.raises(ValidationError) as refused:
        manager.create("run", workflow="other")
    assert refused.value.code == "SH-1002"
    assert manager.create().execution_id != manager.create().execution_id


def test_a_run_ends_once_with_its_result_or_its_error(managers: Managers) -> None:
    manager = managers.make()
    for name in ("good", "bad", "stopped"):
        manager.save(name, 1)
    done = manager.complete("good", {"sum": 3})
    failed = manager.fail("bad", ValueError("no such account"))
    stopped = manager.cancel("stopped", "not needed")
    assert (done.status, done.result, done.is_final, done.error) == ("completed", {"sum": 3}, True, None)
    assert failed.error is not None and (failed.status, failed.error.message, failed.error.type) == ("failed", "no such account", "ValueError")
    assert stopped.status == "cancelled" and stopped.finished_at is not None
    for name, status in (("good", "completed"), ("bad", "failed"), ("stopped", "cancelled")):
        for change in calls(lambda n: manager.save(n, 2), manager.complete, manager.pause, manager.resume, lambda n: manager.fail(n, "again")):
            with pytest.raises(ConflictError) as refused:
                change(name)
            assert refused.value.details["status"] == status
        assert manager.load(name).state == 1
    manager.create("never ran")
    with pytest.raises(ConflictError):
        manager.complete("never ran")


def test_a_paused_run_waits_until_it_is_resumed(managers: Managers) -> None:
    manager = managers.make()
    manager.save("run", 1)
    assert manager.pause("run", "lunch").status == "paused"
    assert manager.claim(10) == []
    with pytest.raises(ConflictError):
        manager.save("run", 2)
    assert manager.resume("run").status == "running"
    assert manager.save("run", 2).step == 1


def test_a_claim_hands_each_run_to_one_worker_with_its_state(managers: Managers) -> None:
    creator, one, two = managers.make("c"), managers.make("one"), managers.make("two")
    for number in range(5):
        creator.create(f"run-{number}", workflow="a" if number < 4 else "b", state=number, labels={"n": str(number)})
    mine = one.claim(3, workflow="a")
    theirs = two.claim(100)
    assert len(mine) == 3 and len(theirs) == 2 and one.claim(10) == []
    assert {claim.execution.execution_id for claim in mine + theirs} == {f"run-{number}" for number in range(5)}
    for claim in mine:
        run = claim.execution
        assert run.lease is not None and (run.status, run.attempt, claim.token, run.lease.worker) == ("running", 1, 1, "one")
        assert str(claim.state) == run.labels["n"]
    creator.create("run-x", labels={"n": "x"})
    assert one.claim(labels={"n": "y"}) == []
    assert [claim.execution.execution_id for claim in one.claim(labels={"n": "x"})] == ["run-x"]


def test_while_a_lease_lasts_only_its_holder_writes(managers: Managers) -> None:
    holder, other = managers.make("holder"), managers.make("other")
    holder.create("run", state=0)
    holder.claim()
    for write in calls(lambda: other.save("run", 1), lambda: other.heartbeat("run"), lambda: other.complete("run"), lambda: other.fail("run", "x")):
        with pytest.raises(StaleTokenError) as refused:
            write()
        assert (refused.value.code, refused.value.token) == ("SH-1001", 1)
    receipt = holder.save("run", 1)
    lease = holder.heartbeat("run")
    assert receipt.lease_until is not None and lease.until >= receipt.lease_until and lease.token == 1
    assert holder.complete("run", "ok").lease is None


def test_after_another_claim_the_old_token_is_refused_whatever_it_writes(managers: Managers) -> None:
    old, new = managers.make("old", recovery_timeout=SHORT_LEASE_S), managers.make("new")
    old.create("run", state=0)
    assert old.claim()[0].token == 1
    taken = wait_for("the lease to run out", new.claim)[0]
    assert (taken.token, taken.execution.attempt, taken.state) == (2, 2, 0)
    writes = calls(
        lambda: old.save("run", 1), lambda: old.checkpoint("run", 7, 1), lambda: old.heartbeat("run"), lambda: old.complete("run"),
        lambda: old.fail("run", "x"), lambda: old.pause("run"), lambda: old.create_snapshot("run", "s"), lambda: old.restore("run", 0),
    )
    for write in writes:
        with pytest.raises(StaleTokenError) as refused:
            write()
        assert (refused.value.token, refused.value.given) == (2, 1)
    assert new.complete("run").status == "completed"
    assert [entry.step for entry in new.get_history("run")] == [0]


def test_an_operator_needs_no_token_and_ends_the_lease(managers: Managers) -> None:
    worker, operator = managers.make("worker"), managers.make("operator")
    for name, act in zip(("paused", "cancelled"), calls(operator.pause, operator.cancel)):
        worker.create(name, state=0)
        worker.claim()
        assert act(name).lease is None
        with pytest.raises(ConflictError):
            worker.save(name, 1)
    operator.resume("paused")
    with pytest.raises(StaleTokenError):
        worker.save("paused", 1)
    assert operator.claim()[0].execution.execution_id == "paused"


def test_a_run_whose_attempts_are_used_up_fails(managers: Managers) -> None:
    manager = managers.make(recovery_timeout=SHORT_LEASE_S, max_attempts=2)
    manager.create("run", state=0)
    for attempt in (1, 2):
        assert wait_for("the lease to run out", manager.claim)[0].execution.attempt == attempt

    def ended() -> bool:
        assert manager.claim() == []
        return manager.get_execution("run").is_final

    wait_for("the run to fail", ended)
    run = manager.get_execution("run")
    assert run.status == "failed" and run.error is not None and run.error.type == "attempts_exhausted"


def test_restoring_brings_a_state_back_and_keeps_what_came_between(managers: Managers) -> None:
    manager = managers.make()
    for number in range(4):
        manager.save("run", {"n": number})
    manager.fail("run", "wrong turn")
    restored = manager.restore("run", 1)
    assert (restored.status, restored.step, restored.attempt, restored.error) == ("pending", 1, 0, None)
    assert manager.load("run").state == {"n": 1}
    with pytest.raises(ConflictError):
        manager.checkpoint("run", 1, {"n": "other"})
    assert manager.save("run", {"n": "new 2"}).step == 2
    assert manager.load("run", 2).state == {"n": "new 2"}
    assert [entry.step for entry in manager.get_history("run")] == [0, 1, 2, 3, 2]
    with pytest.raises(NotFoundError):
        manager.restore("run", 9)


def test_a_snapshot_names_a_state_and_brings_it_back(managers: Managers) -> None:
    manager = managers.make()
    for number in range(3):
        manager.save("run", {"n": number})
    latest = manager.create_snapshot("run", "before / deploy")
    early = manager.create_snapshot("run", "early", step=0)
    assert (latest.step, early.step, early.state_bytes) == (2, 0, len('{"n":0}'))
    with pytest.raises(ConflictError):
        manager.create_snapshot("run", "early")
    assert sorted(snapshot.name for snapshot in manager.list_snapshots("run")) == ["before / deploy", "early"]
    assert manager.get_snapshot("run", "before / deploy").state == {"n": 2}
    assert manager.restore_snapshot("run", "early").status == "pending"
    assert manager.load("run").state == {"n": 0}
    manager.delete_snapshot("run", "early")
    assert [snapshot.name for snapshot in manager.list_snapshots("run")] == ["before / deploy"]
    with pytest.raises(NotFoundError):
        manager.restore_snapshot("run", "early")


def test_thinning_keeps_the_newest_states_and_those_with_a_name(managers: Managers) -> None:
    manager = managers.make(checkpoint_interval=2, checkpoint_retention=3)
    for number in range(20):
        manager.save("run", {"n": number})
        if number == 1:
            manager.create_snapshot("run", "kept")
    manager.thin("run")
    history = manager.get_history("run", with_state=True)
    assert [entry.step for entry in history] == list(range(20))
    assert all(entry.restorable and entry.state == {"n": entry.step} for entry in history[-3:])
    assert manager.get_snapshot("run", "kept").state == {"n": 1}
    gone = [entry for entry in history if not entry.restorable]
    assert gone and all(entry.state is None and entry.sha256 and entry.state_bytes for entry in gone)
    for act in calls(manager.load, manager.restore):
        with pytest.raises(TrimmedError) as trimmed:
            act("run", gone[-1].step)
        assert trimmed.value.code == "SH-1008" and trimmed.value.nearest_step is not None
        assert manager.load("run", trimmed.value.nearest_step).state == {"n": trimmed.value.nearest_step}


def test_history_is_read_in_both_directions_by_range_and_in_pages(managers: Managers) -> None:
    manager = managers.make(checkpoint_retention=0)
    for number in range(105):
        manager.save("run", number)
    steps = list(range(105))
    assert [entry.step for entry in manager.get_history("run")] == steps
    assert [entry.state for entry in manager.get_history("run", with_state=True)] == steps
    assert [entry.step for entry in manager.get_history("run", order="desc", with_state=True)] == steps[::-1]
    assert [entry.step for entry in manager.get_history("run", from_step=10, to_step=12)] == [10, 11, 12]
    assert [entry.step for entry in manager.get_history("run", limit=2, order="desc")] == [104, 103]


def test_a_query_finds_by_status_workflow_labels_and_time(managers: Managers) -> None:
    manager = managers.make()
    before = datetime.now(timezone.utc) - timedelta(minutes=5)
    for number in range(6):
        manager.save(f"run-{number}", number, workflow="even" if number % 2 == 0 else "odd", labels={"n": str(number), "all": "yes"})
    manager.complete("run-0")
    manager.fail("run-1", "x")

    def names(**conditions: object) -> list[str]:
        return [run.execution_id for run in manager.query(**conditions)]  # type: ignore[arg-type]

    assert names(status="completed") == ["run-0"]
    assert sorted(names(status=["completed", "failed"])) == ["run-0", "run-1"]
    assert sorted(names(workflow="even", status="running")) == ["run-2", "run-4"]
    assert names(labels={"n": "3", "all": "yes"}) == ["run-3"] and names(labels={"n": "3", "all": "no"}) == []
    assert names(order_by="started", order="asc") == [f"run-{number}" for number in range(6)]
    assert names(order_by="started", limit=2) == ["run-5", "run-4"]
    assert names()[0] == "run-1" and len(names(started_after=before)) == 6 and names(started_before=before) == []
    assert names(updated_before=before) == [] and len(names(updated_after=before, limit=4)) == 4
    with pytest.raises(ValidationError):
        names(started_after=datetime(2026, 1, 1))


def test_a_transaction_saves_all_or_nothing(managers: Managers) -> None:
    manager = managers.make()
    manager.save("a", 0)
    manager.save("b", 0)
    with manager.transaction() as tx:
        assert tx.save("a", 1) == 1
        tx.save("b", 1, step=7)
    assert {receipt.commit_ts for receipt in tx.receipt.receipts} == {tx.receipt.commit_ts} and tx.commit() == tx.receipt
    with pytest.raises(ConflictError), manager.transaction() as refused:
        refused.save("a", 2)
        refused.save("b", 2, step=3)
    with pytest.raises(KeyError), manager.transaction() as dropped:
        dropped.save("a", 3)
        raise KeyError("mine")
    with manager.transaction() as rolled_back:
        rolled_back.save("a", 4)
        rolled_back.rollback()
    with manager.transaction() as empty:
        pass
    assert empty.receipt.commit_ts == 0
    assert (manager.load("a").state, manager.load("b").state, manager.load("b").step) == (1, 1, 7)
    assert manager.save("a", 2).step == 2
    with pytest.raises(TransactionError):
        rolled_back.save("a", 5)
    with pytest.raises(NotFoundError), manager.transaction() as nobody:
        nobody.save("nobody", 1)


def test_a_transaction_carries_tokens_and_is_refused_with_an_old_one(managers: Managers) -> None:
    worker, other = managers.make("worker"), managers.make("other")
    for name in ("a", "b"):
        worker.create(name, state=0)
    worker.claim(2)
    with worker.transaction() as tx:
        tx.save("a", 1)
        tx.save("b", 1)
    with pytest.raises(ConflictError), other.transaction() as stale:
        stale.save("a", 2)
    assert worker.load("a").state == 1


def test_buffered_checkpoints_are_seen_and_durable_after_a_flush(managers: Managers) -> None:
    manager = managers.make(batch_writes=True, batch_size=1000, flush_interval_ms=60_000)
    manager.create("run")
    receipts = [manager.save("run", number) for number in range(5)]
    assert [(receipt.step, receipt.durable) for receipt in receipts] == [(number, False) for number in range(5)]
    assert manager.flush() <= 5
    assert manager.load("run").state == 4
    assert [entry.step for entry in managers.make().get_history("run")] == [0, 1, 2, 3, 4]
    assert manager.flush() == 0


def test_a_full_batch_flushes_itself_and_so_does_ending_a_run(managers: Managers) -> None:
    manager = managers.make(batch_writes=True, batch_size=3, flush_interval_ms=60_000)
    manager.create("run")
    assert [manager.save("run", number).durable for number in range(4)] == [False, False, True, False]
    assert manager.complete("run").step == 3


def test_a_buffered_checkpoint_that_is_refused_is_told_and_what_waited_behind_it_is_dropped(managers: Managers) -> None:
    writer, thief = managers.make("writer", batch_writes=True, batch_size=1000, flush_interval_ms=60_000), managers.make("thief")

    def name_that_was_claimed_before_it_was_written() -> str | None:
        name = writer.create().execution_id
        for step in range(3):
            writer.save(name, step)
        return name if thief.claim() else None

    # A server writes what is buffered when its own time comes, which may be before the claim.
    name = wait_for("a claim to be first", name_that_was_claimed_before_it_was_written)
    with pytest.raises(BufferedWriteError) as refused:
        writer.flush(name)
    assert refused.value.buffered_step == 0
    assert thief.get_execution(name).step is None and thief.save(name, "mine").step == 0
    with pytest.raises(ConflictError):
        writer.checkpoint(name, 0, "other")


def test_cleanup_removes_what_ended_long_ago_and_nothing_else(managers: Managers) -> None:
    manager = managers.make()
    for number in range(4):
        manager.save(f"done-{number}", number)
        manager.complete(f"done-{number}")
    manager.save("running", 0)
    manager.save("failed", 0)
    manager.fail("failed", "x")
    assert manager.cleanup(1).removed == 0
    later = datetime.now(timezone.utc) + timedelta(minutes=5)
    dry = manager.cleanup(status=["completed"], older_than=later, dry_run=True)
    assert (dry.matched, dry.removed, dry.dry_run) == (4, 0, True)
    done = manager.cleanup(status=["completed"], older_than=later)
    assert (done.removed, done.dry_run, done.more) == (4, False, False)
    assert sorted(run.execution_id for run in manager.query()) == ["failed", "running"]
    with pytest.raises(NotFoundError):
        manager.get_execution("done-0")
    for wrong in calls(lambda: manager.cleanup(1, ["running"]), manager.cleanup):
        with pytest.raises(ValidationError):
            wrong()


def test_metrics_count_the_runs_of_the_namespace(managers: Managers) -> None:
    manager = managers.make()
    for number in range(3):
        manager.save(f"run-{number}", "x" * 10)
    manager.complete("run-0")
    metrics = manager.get_metrics()
    assert (metrics.total, metrics.active, metrics.by_status["running"], metrics.by_status["completed"]) == (3, 2, 2, 1)
    assert metrics.checkpoints >= 3 and metrics.checkpoint_bytes >= 36 and set(metrics.checkpoint_latency_ms) == {"p50", "p90", "p99"}
