"""Which requests are repeated, how often, how patiently, and what is said in the end."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fake_server import KEY, RECEIPT, FakeServer, ok, problem
from statehouse import (
    ConflictError,
    ConnectionError,
    NotFoundError,
    Operation,
    OutcomeUnknownError,
    RetryPolicy,
    Statehouse,
    StatehouseError,
    TimeoutError,
    TransactionError,
    UnavailableError,
    ValidationError,
)
from statehouse._retry import delay_before_repeat

BROKEN = httpx.ReadError("reset")
UNREACHABLE = httpx.ConnectError("refused")


def put(client: Statehouse) -> object:
    return client.put("a", "k", 1)


def put_with_key(client: Statehouse) -> object:
    return client.put("a", "k", 1, idempotency_key="once")


def delete_with_key(client: Statehouse) -> object:
    return client.delete("a", "k", idempotency_key="once")


def commit(client: Statehouse) -> object:
    return client.commit("a", [Operation.put("k", 1)])


def commit_with_key(client: Statehouse) -> object:
    return client.commit("a", [Operation.put("k", 1)], idempotency_key="once")


def read(client: Statehouse) -> object:
    return client.get_state("a", "k")


FAULTS: dict[str, Callable[[], httpx.Response | Exception]] = {
    "refused connection": lambda: httpx.ConnectError("refused"),
    "broken connection": lambda: httpx.RemoteProtocolError("disconnected"),
    "slow connect": lambda: httpx.ConnectTimeout("slow"),
    "slow answer": lambda: httpx.ReadTimeout("slow"),
    "SH-2001": lambda: problem("SH-2001", 503, retry_after=0),
    "SH-2002": lambda: problem("SH-2002", 503),
    "SH-2003": lambda: problem("SH-2003", 429, retry_after=0),
    "a proxy's 502": lambda: httpx.Response(502, content=b"<html>"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("act", [read, put_with_key, delete_with_key, commit_with_key])
def test_a_read_or_a_write_with_an_idempotency_key_outlives_three_faults(act: Callable[[Statehouse], object], fault: str) -> None:
    answer = ok(KEY if act is read else RECEIPT)
    server = FakeServer(*(FAULTS[fault]() for _ in range(3)), answer)
    act(server.client())
    assert len(server.requests) == 4
    assert len({(r.method, str(r.url), r.content, r.headers.get("idempotency-key")) for r in server.requests}) == 1


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("act", [put, commit, lambda c: c.delete("a", "k"), lambda c: c.begin_transaction()])
def test_a_write_without_an_idempotency_key_is_sent_once(act: Callable[[Statehouse], object], fault: str) -> None:
    server = FakeServer(FAULTS[fault]())
    with pytest.raises(StatehouseError):
        act(server.client())
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("SH-1001", 409, ConflictError), ("SH-1002", 422, ValidationError), ("SH-1003", 400, ValidationError),
        ("SH-1004", 413, ValidationError), ("SH-1005", 404, TransactionError), ("SH-1006", 410, TransactionError),
        ("SH-1007", 404, NotFoundError), ("SH-1008", 410, NotFoundError), ("SH-9001", 500, StatehouseError),
        ("SH-7777", 418, StatehouseError),
    ],
)
def test_a_refusal_is_raised_at_once_with_code_and_details(code: str, status: int, kind: type[StatehouseError]) -> None:
    server = FakeServer(problem(code, status, details={"field": "key", "limit": "3"}))
    with pytest.raises(kind) as raised:
        read(server.client())
    error = raised.value
    assert type(error) is kind
    assert (error.code, error.status, error.request_id) == (code, status, "r-1")
    assert error.details == {"field": "key", "limit": "3"}
    assert str(error) == f"{code}: what happened"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "kind", "unknown"),
    [
        ("refused connection", ConnectionError, False),
        ("broken connection", ConnectionError, True),
        ("slow connect", TimeoutError, False),
        ("slow answer", TimeoutError, True),
        ("SH-2001", UnavailableError, False),
        ("SH-2002", OutcomeUnknownError, True),
        ("SH-2003", UnavailableError, False),
        ("a proxy's 502", UnavailableError, True),
    ],
)
def test_the_error_of_a_write_says_whether_it_may_have_happened(fault: str, kind: type[StatehouseError], unknown: bool) -> None:
    with pytest.raises(kind) as raised:
        put(FakeServer(FAULTS[fault]()).client())
    assert raised.value.outcome_unknown is unknown


def test_a_doubt_outlives_the_attempts_after_it() -> None:
    server = FakeServer(BROKEN, UNREACHABLE, UNREACHABLE, UNREACHABLE)
    with pytest.raises(ConnectionError, match="cannot be reached") as raised:
        put_with_key(server.client())
    assert raised.value.outcome_unknown


def test_a_refusal_of_a_repeat_leaves_no_doubt() -> None:
    # The first attempt was not written: the server would have known its key, and answered with its receipt.
    with pytest.raises(ConflictError) as raised:
        put_with_key(FakeServer(BROKEN, problem("SH-1001", 409)).client())
    assert not raised.value.outcome_unknown


def test_a_read_has_no_outcome_to_doubt() -> None:
    with pytest.raises(ConnectionError) as raised:
        read(FakeServer(BROKEN, BROKEN, BROKEN, BROKEN).client())
    assert not raised.value.outcome_unknown


def test_attempts_are_bounded() -> None:
    server = FakeServer(UNREACHABLE, UNREACHABLE)
    with pytest.raises(ConnectionError):
        read(server.client(retries=RetryPolicy(attempts=2, delay_s=0)))
    assert server.left == 0


def test_a_server_that_asks_to_wait_too_long_is_not_waited_for() -> None:
    server = FakeServer(problem("SH-2001", 503, retry_after=3600))
    with pytest.raises(UnavailableError) as raised:
        read(server.client())
    assert raised.value.retry_after_s == 3600


@pytest.mark.parametrize(
    ("attempt", "chance", "asked", "delay"),
    [
        (1, 0.0, None, 0.1), (1, 1.0, None, 0.05), (2, 0.0, None, 0.2), (3, 0.5, None, 0.3), (9, 0.0, None, 5.0),
        (5000, 0.0, None, 5.0), (1, 0.0, 3.0, 3.0), (9, 0.0, 3.0, 5.0),
    ],
)
def test_delays_double_up_to_a_bound_less_a_random_part(attempt: int, chance: float, asked: float | None, delay: float) -> None:
    error = UnavailableError("busy", retry_after_s=asked)
    assert delay_before_repeat(RetryPolicy(), attempt, error, lambda: chance) == pytest.approx(delay)


def test_an_error_survives_pickling() -> None:
    error = ConflictError("no", code="SH-1001", details={"key": "k"}, status=409, outcome_unknown=True)
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is ConflictError and vars(back) == vars(error) and str(back) == str(error)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff", b"3"])
def test_an_answer_that_is_not_the_servers_is_an_error(body: bytes) -> None:
    with pytest.raises(StatehouseError, match="not a JSON object"):
        read(FakeServer(httpx.Response(200, content=body)).client())


@pytest.mark.parametrize("body", [{}, {"key": 1}, KEY | {"version": "1"}, KEY | {"exists": None}])
def test_an_answer_without_what_it_should_hold_is_an_error(body: dict[str, Any]) -> None:
    with pytest.raises(StatehouseError, match="should hold"):
        read(FakeServer(ok(body)).client())


def test_a_redirect_is_not_followed() -> None:
    server = FakeServer(httpx.Response(307, headers={"Location": "http://elsewhere/"}))
    with pytest.raises(StatehouseError, match="HTTP 307"):
        put(server.client())


def test_a_closed_client_says_so() -> None:
    client = Statehouse("http://127.0.0.1:1")
    client.close()
    with pytest.raises(StatehouseError, match="closed"):
        client.health()
