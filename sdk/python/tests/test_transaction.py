"""What leaving a transaction's block does, and how a commit's outcome is found out."""

from __future__ import annotations

import logging
from collections.abc import Callable

import httpx
import pytest

from fake_server import BEGUN, COMMITTED, KEY, FakeServer, commit, ok, problem
from statehouse import ConflictError, ConnectionError, NO_RETRIES, Operation, TransactionError, UnavailableError

BROKEN = httpx.ReadError("reset")


def begun() -> httpx.Response:
    return ok(BEGUN, 201)


def staged() -> httpx.Response:
    return ok({"txn_id": "txn-1", "staged": 1})


def committed() -> httpx.Response:
    return ok(COMMITTED)


def paths(server: FakeServer) -> list[str]:
    return [f"{request.method} {request.url.path.removeprefix('/v1/transactions')}" for request in server.requests]


def test_leaving_the_block_commits() -> None:
    server = FakeServer(begun(), staged(), staged(), committed())
    with server.client().begin_transaction(timeout_ms=5) as tx:
        tx.write("a", "k", 1, if_version=0)
        tx.delete("b", "k", namespace="n")
    assert paths(server) == ["POST ", "POST /txn-1/operations", "POST /txn-1/operations", "POST /txn-1/commit"]
    assert server.requests[0].content == b'{"timeout_ms":5}'
    assert server.requests[1].content == (
        b'{"operations":[{"namespace":"default","agent":"a","op":"put","key":"k","value":1,"if_version":0}]}'
    )
    assert server.requests[2].content == b'{"operations":[{"namespace":"n","agent":"b","op":"delete","key":"k"}]}'
    assert tx.receipts[0].commit_ts == 7 and tx.receipts[0].agent_id == "a"


def test_an_exception_aborts_and_comes_through() -> None:
    server = FakeServer(begun(), httpx.Response(204))
    with pytest.raises(ZeroDivisionError):
        with server.client().begin_transaction():
            raise ZeroDivisionError
    assert paths(server)[-1] == "DELETE /txn-1"


def test_an_exception_comes_through_where_the_abort_fails_too(caplog: pytest.LogCaptureFixture) -> None:
    server = FakeServer(begun(), BROKEN)
    with caplog.at_level(logging.WARNING, "statehouse"), pytest.raises(ZeroDivisionError):
        with server.client(retries=NO_RETRIES).begin_transaction():
            raise ZeroDivisionError
    assert "aborting the transaction txn-1 failed" in caplog.text


def test_a_commit_inside_makes_leaving_a_no_op() -> None:
    server = FakeServer(begun(), committed())
    with server.client().begin_transaction() as tx:
        assert tx.commit() == 7
    assert tx.commit() == 7
    assert len(server.requests) == 2


def test_an_exception_after_a_commit_inside_does_not_abort() -> None:
    server = FakeServer(begun(), committed())
    with pytest.raises(ZeroDivisionError):
        with server.client().begin_transaction() as tx:
            tx.commit()
            raise ZeroDivisionError
    assert server.left == 0


def test_an_abort_inside_makes_leaving_a_no_op() -> None:
    server = FakeServer(begun(), httpx.Response(204))
    with server.client().begin_transaction() as tx:
        tx.abort()
        tx.abort()
    assert server.left == 0


@pytest.mark.parametrize("end", ["commit", "abort"])
def test_an_ended_transaction_refuses_everything_else(end: str) -> None:
    server = FakeServer(begun(), committed() if end == "commit" else httpx.Response(204))
    tx = server.client().begin_transaction()
    getattr(tx, end)()
    uses: list[Callable[[], object]] = [
        lambda: tx.write("a", "k", 1), lambda: tx.delete("a", "k"), lambda: tx.get_state("a", "k"), lambda: tx.stage("a", []),
        tx.abort if end == "commit" else tx.commit,
    ]
    for use in uses:
        with pytest.raises(TransactionError):
            use()
    assert server.left == 0


def test_a_conflict_ends_the_transaction() -> None:
    server = FakeServer(begun(), problem("SH-1001", 409))
    with pytest.raises(ConflictError):
        with server.client().begin_transaction() as tx:
            pass
    with pytest.raises(TransactionError, match="failed"):
        tx.commit()
    assert server.left == 0


def test_staging_is_never_repeated() -> None:
    server = FakeServer(begun(), BROKEN, httpx.Response(204))
    with pytest.raises(ConnectionError):
        with server.client().begin_transaction() as tx:
            tx.stage("a", [Operation.put("k", 1)])
    assert paths(server) == ["POST ", "POST /txn-1/operations", "DELETE /txn-1"]


def test_a_commit_is_repeated_by_its_transaction_id() -> None:
    server = FakeServer(begun(), BROKEN, problem("SH-2002", 503), committed())
    with server.client().begin_transaction() as tx:
        pass
    assert tx.commit() == 7


def test_a_commit_that_failed_without_a_doubt_can_be_tried_again() -> None:
    server = FakeServer(begun(), problem("SH-2001", 503), committed())
    tx = server.client(retries=NO_RETRIES).begin_transaction()
    with pytest.raises(UnavailableError):
        tx.commit()
    assert tx.commit() == 7


def test_a_doubtful_commit_that_the_block_kept_quiet_is_asked_about_again_on_leaving() -> None:
    server = FakeServer(begun(), BROKEN, committed())
    with server.client(retries=NO_RETRIES).begin_transaction() as tx:
        with pytest.raises(ConnectionError):
            tx.commit()
        with pytest.raises(TransactionError, match="in doubt"):
            tx.abort()
    assert server.left == 0


def test_a_commit_that_reached_a_server_that_then_restarted_is_found_in_the_journal() -> None:
    page = {"items": [commit(9), commit(8, txn_id="txn-1", commit_ts=70)], "next": 7}
    server = FakeServer(begun(), staged(), BROKEN, problem("SH-1005", 404), ok(page))
    with server.client().begin_transaction() as tx:
        tx.write("a", "k", 1)
    assert tx.commit() == 70
    assert server.requests[-1].url.query == b"order=desc&limit=100"


def test_the_search_for_a_commit_ends_where_the_transaction_began() -> None:
    old = commit(5) | {"time": "2026-01-31T09:04:59.999999Z"}
    pages = [ok({"items": [commit(9)], "next": 8}), ok({"items": [commit(8), old], "next": 4})]
    server = FakeServer(begun(), staged(), BROKEN, problem("SH-1005", 404), *pages)
    with pytest.raises(TransactionError, match="not in the journal") as raised:
        with server.client().begin_transaction() as tx:
            tx.write("a", "k", 1)
    assert raised.value.outcome_unknown and raised.value.code == "SH-1005"
    assert server.left == 0


def test_an_unknown_transaction_is_an_error_without_a_doubt() -> None:
    server = FakeServer(begun(), problem("SH-1005", 404))
    with pytest.raises(TransactionError) as raised:
        with server.client().begin_transaction():
            pass
    assert not raised.value.outcome_unknown


def test_reads_in_a_transaction_see_the_transactions_route() -> None:
    server = FakeServer(begun(), ok(KEY), httpx.Response(204))
    tx = server.client().begin_transaction(namespace="n/s")
    assert tx.get_state("..", "k").value == 1
    assert server.requests[1].url.raw_path == b"/v1/transactions/txn-1/namespaces/n%2Fs/agents/%2E%2E/state/k"
    tx.abort()
