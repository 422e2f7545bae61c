"""What state managers send, what they repeat, and what the answers become."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from fake_server import AT_ONCE, RECEIPT, TIME, FakeServer, ok, problem
from statehouse import (
    BufferedWriteError,
    ConflictError,
    ConnectionError,
    StaleTokenError,
    StatehouseError,
    SyncStateManager,
    TrimmedError,
    ValidationError,
)

EXECUTION: dict[str, Any] = {
    "execution_id": "run", "workflow": "w", "status": "running", "step": 3, "checkpoints": 4, "state_bytes": 1, "labels": {},
    "attempt": 1, "max_attempts": 3, "created_at": TIME, "updated_at": TIME, "started_at": TIME, "finished_at": None, "error": None,
    "result": None, "lease": {"worker": "w1", "token": 2, "until": TIME}, "version": 5, "commit_ts": 9, "hash": "00",
    "settings": {"checkpoint_interval": 10, "checkpoint_retention": 100, "recovery_timeout_ms": 300_000},
}
SAVED = RECEIPT | {"execution_id": "run", "step": 4, "status": "running", "durable": True, "lease_until": TIME}
BUFFERED = {"execution_id": "run", "step": 4, "durable": False, "buffered": 1}
BROKEN = httpx.ReadError("reset")


def manager(server: FakeServer, **options: Any) -> SyncStateManager:
    http = httpx.Client(transport=httpx.MockTransport(server.answer))
    return SyncStateManager("http://test", "ns", http_client=http, retries=AT_ONCE, worker="w1", **options)


def bodies(server: FakeServer) -> list[Any]:
    return [json.loads(request.content) if request.content else None for request in server.requests]


def test_a_checkpoint_whose_answer_is_lost_is_repeated_with_the_same_key_and_the_next_one_has_another() -> None:
    server = FakeServer(BROKEN, problem("SH-2002", 503), ok(SAVED, 201), ok(SAVED | {"step": 5}, 201))
    state = manager(server)
    assert state.checkpoint("run", 4, {"n": 1}).step == 4
    state.checkpoint("run", 5, {"n": 1})
    keys = [request.headers["idempotency-key"] for request in server.requests]
    assert keys[0] == keys[1] == keys[2] != keys[3] and len(keys[0]) >= 32
    assert {request.content for request in server.requests} == {b'{"n":1}'}
    assert {(request.method, request.url.raw_path) for request in server.requests[:3]} == {("PUT", b"/v1/namespaces/ns/executions/run/checkpoints/4")}


@pytest.mark.parametrize(
    "act",
    [
        lambda m: m.complete("run", 1), lambda m: m.fail("run", "x"), lambda m: m.cancel("run"), lambda m: m.pause("run"),
        lambda m: m.resume("run"), lambda m: m.restore("run", 1), lambda m: m.restore_snapshot("run", "s"),
    ],
)
def test_a_change_of_status_is_repeated_with_its_key(act: Any) -> None:
    server = FakeServer(BROKEN, ok(EXECUTION))
    act(manager(server))
    first, second = server.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] and first.content == second.content


def test_a_created_run_has_its_id_before_it_is_sent_so_a_repeat_creates_none() -> None:
    server = FakeServer(BROKEN, ok(EXECUTION, 201))
    manager(server, checkpoint_interval=7, checkpoint_retention=8, recovery_timeout=1.5, max_attempts=9).create(workflow="w", labels={"a": "b"})
    first, second = bodies(server)
    assert first == second and len(first.pop("execution_id")) == 36
    settings = {"checkpoint_interval": 7, "checkpoint_retention": 8, "recovery_timeout_ms": 1500}
    assert first == {"workflow": "w", "labels": {"a": "b"}, "settings": settings, "max_attempts": 9}


def test_a_state_that_is_no_json_creates_nothing() -> None:
    server = FakeServer()
    with pytest.raises(ValidationError):
        manager(server).save("run", {1: 2})


def test_saving_asks_for_the_last_step_once() -> None:
    server = FakeServer(ok(EXECUTION), ok(SAVED, 201), ok(SAVED | {"step": 5}, 201))
    state = manager(server)
    assert [state.save("run", number).step for number in range(2)] == [4, 5]
    assert [request.url.path.rsplit("/", 1)[1] for request in server.requests] == ["run", "4", "5"]


def test_saving_creates_what_is_not_there_also_where_another_does_so_at_the_same_moment() -> None:
    missing = problem("SH-1007", 404, details={"execution_id": "run"})
    server = FakeServer(missing, problem("SH-1002", 422), ok(SAVED | {"step": 0}, 201))
    assert manager(server).save("run", 1).step == 0
    assert [request.method for request in server.requests] == ["GET", "POST", "PUT"]


def test_the_token_of_a_claim_is_sent_with_each_later_write_until_the_run_ends() -> None:
    claimed = ok({"items": [EXECUTION | {"state": {"n": 1}}]})
    snapshot = {"name": "s", "step": 4, "version": 5, "time": TIME, "state_bytes": 1}
    server = FakeServer(claimed, ok(SAVED, 201), ok({"lease": EXECUTION["lease"]}), ok(snapshot, 201), ok(EXECUTION), ok(SAVED, 201))
    state = manager(server)
    claim = state.claim(5, workflow="w", labels={"a": "b"}, lease=2)[0]
    assert (claim.token, claim.state, claim.execution.execution_id) == (2, {"n": 1}, "run")
    state.checkpoint("run", 4, 1)
    state.heartbeat("run")
    state.create_snapshot("run", "s")
    state.complete("run")
    state.checkpoint("run", 4, 1)
    assert bodies(server)[0] == {"worker": "w1", "limit": 5, "workflow": "w", "labels": {"a": "b"}, "lease_ms": 2000}
    assert [request.headers.get("statehouse-token") for request in server.requests] == [None, "2", "2", "2", "2", None]


def test_a_stale_token_is_its_own_error_and_goes_on_being_sent() -> None:
    stale = problem("SH-1001", 409, details={"token": 3, "given": 2})
    server = FakeServer(ok({"items": [EXECUTION]}), stale, stale)
    state = manager(server)
    state.claim()
    for _ in range(2):
        with pytest.raises(StaleTokenError) as raised:
            state.checkpoint("run", 4, 1)
        assert isinstance(raised.value, ConflictError) and (raised.value.token, raised.value.given) == (3, 2)
    assert [request.headers["statehouse-token"] for request in server.requests[1:]] == ["2", "2"]


def test_a_thinned_state_names_the_nearest_one() -> None:
    server = FakeServer(problem("SH-1008", 410, details={"step": 3, "nearest_step": 8}))
    with pytest.raises(TrimmedError) as raised:
        manager(server).load("run", 3)
    assert raised.value.nearest_step == 8


def test_buffered_checkpoints_that_a_restarted_server_does_not_have_are_not_called_durable() -> None:
    server = FakeServer(ok(BUFFERED, 202), ok({"flushed": 0, "step": 3, "durable": True}), ok({"flushed": 0, "step": 3, "durable": True}))
    state = manager(server, batch_writes=True, flush_interval_ms=60_000)
    receipt = state.checkpoint("run", 4, 1)
    assert (receipt.durable, receipt.version, receipt.time) == (False, 0, None)
    with pytest.raises(BufferedWriteError, match="lost") as raised:
        state.flush("run")
    assert raised.value.buffered_step == 4
    state.flush("run")
    assert server.requests[0].url.query == b"buffered=true"


@pytest.mark.parametrize("act", [lambda m: m.create_snapshot("run", "s"), lambda m: m.delete_snapshot("run", "s")])
def test_what_is_not_the_same_when_done_twice_is_sent_once(act: Any) -> None:
    server = FakeServer(BROKEN)
    with pytest.raises(ConnectionError) as raised:
        act(manager(server))
    assert raised.value.outcome_unknown and "idempotency-key" not in server.requests[0].headers


def test_a_buffered_checkpoint_carries_no_key_and_is_sent_once() -> None:
    server = FakeServer(BROKEN)
    with pytest.raises(ConnectionError):
        manager(server, batch_writes=True).checkpoint("run", 4, 1)
    assert "idempotency-key" not in server.requests[0].headers


def test_an_old_buffer_is_flushed_with_the_next_checkpoint() -> None:
    server = FakeServer(ok(BUFFERED, 202), ok({"flushed": 1, "step": 4, "durable": True}))
    assert manager(server, batch_writes=True, batch_size=1).checkpoint("run", 4, 1).durable
    assert server.requests[1].url.path == "/v1/namespaces/ns/executions/run/flush"


def test_a_refused_flush_does_not_keep_the_others_from_being_flushed() -> None:
    refused = problem("SH-1001", 409, details={"buffered_step": 4})
    server = FakeServer(ok(BUFFERED, 202), ok(BUFFERED | {"execution_id": "b"}, 202), refused, ok({"flushed": 1, "step": 4, "durable": True}))
    state = manager(server, batch_writes=True, flush_interval_ms=60_000)
    state.checkpoint("run", 4, 1)
    state.checkpoint("b", 4, 1)
    with pytest.raises(BufferedWriteError):
        state.flush()
    assert state.flush() == 0 and server.left == 0


def test_a_transactions_commit_is_repeated_with_its_key_and_can_be_repeated_by_the_caller() -> None:
    receipt = {"commit_ts": 9, "txn_id": "t", "checkpoints": [SAVED]}
    server = FakeServer(*[BROKEN] * 4, BROKEN, ok(receipt, 201))
    tx = manager(server).transaction()
    tx.save("run", 1, step=4)
    with pytest.raises(ConnectionError):
        tx.commit()
    assert tx.commit().commit_ts == 9
    assert len({request.content for request in server.requests}) == 1 and bodies(server)[0]["idempotency_key"]
    assert bodies(server)[0]["checkpoints"] == [{"execution_id": "run", "step": 4, "state": 1}]


def test_a_query_says_each_condition_and_follows_its_pages() -> None:
    server = FakeServer(ok({"items": [EXECUTION], "next": "c/1"}), ok({"items": [EXECUTION]}))
    found = manager(server).query(status=["running", "failed"], workflow="a&b", labels={"x": "1", "y": "2"}, order="asc")
    assert len(list(found)) == 2
    assert server.requests[0].url.query == b"status=running&status=failed&workflow=a%26b&label=x%3D1&label=y%3D2&order_by=updated&order=asc&limit=1000"
    assert server.requests[1].url.query.endswith(b"&after=c%2F1")


def test_cleanup_asks_again_while_there_is_more_always_before_the_same_moment() -> None:
    part = {"matched": 1000, "removed": 1000, "bytes": 5, "dry_run": False, "more": True}
    server = FakeServer(ok(part), ok(part | {"matched": 3, "removed": 3, "more": False}))
    done = manager(server).cleanup(30, ["failed"])
    assert (done.matched, done.removed, done.bytes, done.more) == (1003, 1003, 10, False)
    assert bodies(server)[0] == bodies(server)[1] and bodies(server)[0]["status"] == ["failed"]


def test_without_compression_answers_are_asked_for_as_they_are() -> None:
    server = FakeServer(ok(EXECUTION), ok(EXECUTION))
    manager(server, enable_compression=False).get_execution("run")
    manager(server).get_execution("run")
    assert [request.headers["accept-encoding"] for request in server.requests] == ["identity", "gzip, deflate"]


@pytest.mark.parametrize("body", [{}, EXECUTION | {"version": "1"}, EXECUTION | {"error": {"type": "x"}}])
def test_an_answer_without_what_it_should_hold_is_an_error(body: dict[str, Any]) -> None:
    with pytest.raises(StatehouseError, match="should hold"):
        manager(FakeServer(ok(body))).get_execution("run")


def test_what_only_this_side_knows_is_checked_here() -> None:
    for options in ({"batch_size": 0}, {"flush_interval_ms": 0}, {"backend": "disk"}, {"url": "nowhere"}):
        with pytest.raises(ValidationError):
            SyncStateManager(**options)  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        SyncStateManager(backend="memory").get_execution("")


def test_a_closed_manager_says_so() -> None:
    state = SyncStateManager(backend="memory")
    state.close()
    with pytest.raises(StatehouseError, match="closed"):
        state.get_execution("run")
