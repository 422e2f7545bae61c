"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import httpx
import pytest

from fake_server import KEY, RECEIPT, FakeServer, ok, problem
from statehouse import Operation, Statehouse, ValidationError


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("plain-1_~", "plain-1_~"), ("a/b", "a%2Fb"), ("..", "%2E%2E"), (".", "%2E"), ("../x", "..%2Fx"), ("step:1", "step%3A1"),
        ("😀", "%F0%9F%98%80"), ("100%", "100%25"), ("%2F", "%252F"), ("a b+c", "a%20b%2Bc"), ("?#;&=", "%3F%23%3B%26%3D"),
    ],
)
def test_ids_and_keys_are_one_path_segment_each(text: str, encoded: str) -> None:
    server = FakeServer(ok(KEY))
    server.client().get_state(text, text, namespace=text)
    path = f"/v1/namespaces/{encoded}/agents/{encoded}/state/{encoded}"
    assert server.requests[0].url.raw_path.decode() == path


def test_a_path_in_the_url_is_kept() -> None:
    server = FakeServer(ok({"status": "ready"}))
    Statehouse("http://test/base/", http_client=httpx.Client(transport=httpx.MockTransport(server.answer))).health()
    assert server.requests[0].url.path == "/base/readyz"


@pytest.mark.parametrize("url", ["", "127.0.0.1:8080", "ftp://x", "http://", "http://x?y=1"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="must be like"):
        Statehouse(url)


@pytest.mark.parametrize("agent_id", ["", "\ud800"])
def test_an_id_that_would_name_another_route_or_none_is_refused(agent_id: str) -> None:
    with pytest.raises(ValidationError):
        FakeServer().client().get_state(agent_id, "k")


def test_preconditions_and_the_idempotency_key_are_headers_of_a_put() -> None:
    server = FakeServer(ok(RECEIPT), ok(RECEIPT), ok(RECEIPT))
    client = server.client()
    client.put("a", "k", {"x": Decimal("1.50")}, if_version=0, idempotency_key="é-1")
    client.put("a", "k", None, if_exists=False)
    client.delete("a", "k", if_exists=True)
    first, second, third = server.requests
    assert first.content == b'{"x":1.50}' and second.content == b"null" and third.content == b""
    assert first.headers["if-match"] == '"0"' and second.headers["if-none-match"] == "*" and third.headers["if-match"] == "*"
    assert dict(first.headers.raw)[b"Idempotency-Key"] == "é-1".encode()
    assert first.headers["content-type"] == "application/json" and "content-type" not in third.headers


@pytest.mark.parametrize("key", ["", " a", "a ", "a\nb", "a\x00"])
def test_an_idempotency_key_that_HTTP_would_change_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="Idempotency-Key"):
        FakeServer().client().put("a", "k", 1, idempotency_key=key)


def test_two_preconditions_are_refused() -> None:
    with pytest.raises(ValidationError, match="exclude"):
        FakeServer().client().put("a", "k", 1, if_version=1, if_exists=True)


def test_a_commit_holds_its_operations_and_conditions() -> None:
    server = FakeServer(ok(RECEIPT, 201, **{"Idempotent-Replayed": "true"}))
    operations = [Operation.put("p", None, if_version=0), Operation.delete("d", if_version=3)]
    receipt = server.client().commit("a", operations, if_agent_version=4, idempotency_key=" i ", metadata={"m": 10**30})
    assert server.requests[0].content == (
        b'{"operations":[{"op":"put","key":"p","value":null,"if_version":0},{"op":"delete","key":"d","if_version":3}],'
        b'"if_agent_version":4,"idempotency_key":" i ","metadata":{"m":1000000000000000000000000000000}}'
    )
    assert receipt.replayed and (receipt.namespace, receipt.agent_id) == ("default", "a")


def test_a_time_is_sent_in_UTC_and_a_naive_one_refused() -> None:
    server = FakeServer(ok(KEY))
    moment = datetime(2026, 1, 31, 11, 5, 0, 123, tzinfo=timezone(timedelta(hours=2)))
    server.client().get_state_at("a", "k", moment)
    assert server.requests[0].url.query == b"at=2026-01-31T09%3A05%3A00.000123Z"
    with pytest.raises(ValidationError, match="time zone"):
        server.client().get_state_at("a", "k", datetime(2026, 1, 31))


def test_a_scan_reads_all_pages_of_one_version() -> None:
    second = ok({"agent_version": 9, "items": [KEY | {"key": "b"}]})
    server = FakeServer(ok({"agent_version": 9, "items": [KEY], "next": "k/1"}), second)
    assert [state.key for state in server.client().scan_prefix("a", "p&")] == ["k", "b"]
    assert [request.url.query for request in server.requests] == [
        b"prefix=p%26&limit=1000", b"prefix=p%26&after=k%2F1&limit=1000&at_version=9",
    ]


def test_a_key_that_is_not_there_is_no_error_and_an_agent_that_is_not_there_is_one() -> None:
    absent = problem("SH-1007", 404, key="k", exists=False, version=2, agent_version=5)
    state = FakeServer(absent).client().get_state("a", "k")
    assert (state.exists, state.value, state.version, state.agent_version, state.time) == (False, None, 2, 5, None)


def test_numbers_are_read_as_the_caller_wants() -> None:
    body = b'{"key":"k","exists":true,"value":[1200.50,12345678901234567890],"version":1,"commit_ts":9223372036854775807,"agent_version":1,"time":"2026-01-31T09:05:00.000123Z"}'
    state = FakeServer(httpx.Response(200, content=body)).client(parse_float=Decimal).get_state("a", "k")
    assert str(state.value[0]) == "1200.50" and state.value[1] == 12345678901234567890
    assert state.commit_ts == 2**63 - 1
    assert state.time == datetime(2026, 1, 31, 9, 5, 0, 123, tzinfo=timezone.utc)
