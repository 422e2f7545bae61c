"""Against real server processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from queue import Queue
from typing import Any

import anyio
import httpx
import pytest

from live_server import LiveServer
from statehouse import (
    AsyncStatehouse,
    ConflictError,
    NotFoundError,
    Operation,
    ReplayEvent,
    RetryPolicy,
    Statehouse,
    TransactionError,
    ValidationError,
)

pytestmark = pytest.mark.live

BOUND_S = 60.0
PATIENT = RetryPolicy(attempts=200, delay_s=0.05, delay_max_s=0.2, follow_attempts=200)
HOSTILE = ["..", ".", "a/b", "../../x", "😀", "%2F", "a b", "?x=1", "#", "ü", "a:b", "\\", "'\"<>", "\u2028", "~", "x" * 500]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_id_and_key_is_only_itself(client: Statehouse, text: str) -> None:
    client.put(text, text, text, namespace=text[:30])
    assert client.get_state(text, text, namespace=text[:30]).value == text
    assert client.list_keys(text, namespace=text[:30]) == [text]
    assert client.list_keys(text, text, namespace=text[:30]) == [text]
    assert [agent.agent_id for agent in client.agents(namespace=text[:30])] == [text]
    with client.begin_transaction(namespace=text[:30]) as tx:
        assert tx.get_state(text, text).value == text
        tx.delete(text, text)
    assert not client.get_state(text, text, namespace=text[:30]).exists


@pytest.mark.parametrize("value", [None, False, 10**400, -(10**5000), 1e-7, "\u0000😀", {"b": [], "a": {"": {}}}], ids=lambda value: type(value).__name__)
def test_a_value_comes_back_as_it_went_in(client: Statehouse, agent_id: str, value: Any) -> None:
    client.put(agent_id, "k", value)
    assert client.get_state(agent_id, "k").value == value
    assert next(client.replay(agent_id)).operations[0].value == value


def test_decimals_keep_each_digit(server: LiveServer, agent_id: str) -> None:
    with Statehouse(server.url, parse_float=Decimal) as client:
        client.put(agent_id, "k", Decimal("1200.50000000000000000000000001"))
        assert str(client.get_state(agent_id, "k").value) == "1200.50000000000000000000000001"


def test_every_version_of_a_key_stays_readable(client: Statehouse, agent_id: str) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    client.put(agent_id, "k", "first")
    client.commit(agent_id, [Operation.put("k", "second"), Operation.put("k", "third")])
    client.delete(agent_id, "k")
    states = [client.get_state_at_version(agent_id, "k", version) for version in range(1, 6)]
    assert [(state.exists, state.value) for state in states] == [
        (True, "first"), (True, "second"), (True, "third"), (False, None), (False, None),
    ]
    assert client.get_state(agent_id, "k").version == 4
    assert client.get_state(agent_id, "k", at_agent_version=2).value == "third"
    first = states[0].time
    assert first is not None
    assert client.get_state_at(agent_id, "k", first).value == "first"
    assert not client.get_state_at(agent_id, "k", before).exists
    assert client.get_state(agent_id, "k", consistency="strong").version == 4


def test_preconditions_hold_or_conflict(client: Statehouse, agent_id: str) -> None:
    client.put(agent_id, "k", 1, if_version=0)
    for condition in ({"if_version": 0}, {"if_version": 2}, {"if_exists": False}):
        with pytest.raises(ConflictError) as conflict:
            client.put(agent_id, "k", 2, **condition)  # type: ignore[arg-type]
        assert conflict.value.code == "SH-1001" and conflict.value.details
    client.delete(agent_id, "k", if_version=1)
    with pytest.raises(ConflictError):
        client.delete(agent_id, "k", if_exists=True)
    assert client.put(agent_id, "k", 3, if_version=2).key_version == 3
    with pytest.raises(ConflictError):
        client.commit(agent_id, [Operation.delete("k")], if_agent_version=1)


def test_an_idempotency_key_writes_once_and_refuses_other_content(client: Statehouse, agent_id: str) -> None:
    first = client.put(agent_id, "k", 1, idempotency_key="é 1")
    again = client.put(agent_id, "k", 1, idempotency_key="é 1")
    assert not first.replayed and again.replayed and again.version == first.version == 1
    assert client.commit(agent_id, [Operation.put("k", 1)], idempotency_key="é 1").replayed
    with pytest.raises(ValidationError) as refused:
        client.put(agent_id, "k", 2, idempotency_key="é 1")
    assert refused.value.code == "SH-1002"


def test_a_transaction_over_agents_and_namespaces_is_one_commit(client: Statehouse, agent_id: str) -> None:
    with client.begin_transaction() as tx:
        tx.write(agent_id, "k", 1)
        tx.write(agent_id, "k", 2)
        tx.write(agent_id, "k", 3, namespace="other")
        assert tx.get_state(agent_id, "k").value == 2
        assert not client.get_state(agent_id, "k").exists
    assert client.get_state(agent_id, "k").version == 2
    assert client.get_state(agent_id, "k", namespace="other").commit_ts == tx.commit()
    assert {receipt.commit_ts for receipt in tx.receipts} == {tx.commit()} and len(tx.receipts) == 2


def test_an_aborted_and_an_expired_transaction_leave_nothing(client: Statehouse, agent_id: str) -> None:
    with pytest.raises(ZeroDivisionError), client.begin_transaction() as tx:
        tx.write(agent_id, "k", 1)
        raise ZeroDivisionError
    with pytest.raises(TransactionError):
        with client.begin_transaction(timeout_ms=1) as tx:
            while True:
                tx.write(agent_id, "k", 1)
    assert list(client.replay(agent_id)) == []


def test_a_transaction_conflicts_where_what_it_read_has_changed(client: Statehouse, agent_id: str) -> None:
    client.put(agent_id, "k", 1)
    with pytest.raises(ConflictError):
        with client.begin_transaction() as tx:
            value = tx.get_state(agent_id, "k").value
            client.put(agent_id, "k", 10)
            tx.write(agent_id, "k", value + 1)
    assert client.get_state(agent_id, "k").value == 10


def test_a_scan_is_complete_in_byte_order_over_many_pages(client: Statehouse, agent_id: str) -> None:
    keys = [f"k{n}" for n in range(1500)] + ["é", "😀", "\ue000"]
    client.commit(agent_id, [Operation.put(key, key) for key in keys[:900]])
    client.commit(agent_id, [Operation.put(key, key) for key in keys[900:]])
    expected = sorted(keys, key=str.encode)
    assert client.list_keys(agent_id) == expected
    assert [state.value for state in client.scan_prefix(agent_id, "k1")] == [key for key in expected if key.startswith("k1")]


def test_a_replay_over_many_pages_meets_its_bounds(client: Statehouse, agent_id: str) -> None:
    receipts = [client.put(agent_id, "k", n) for n in range(250)]
    events = list(client.replay(agent_id))
    assert [event.version for event in events] == list(range(1, 251))
    assert [event.hash for event in events] == [receipt.hash for receipt in receipts]
    ts = [event.commit_ts for event in events]
    assert [event.commit_ts for event in client.replay(agent_id, ts[120], ts[130])] == ts[120:131]
    assert [event.version for event in client.replay(agent_id, events[249].time)][-1] == 250
    assert list(client.replay(agent_id, ts[-1] + 1)) == []
    assert len(list(client.replay_pretty(agent_id))) == 250


def test_an_agent_is_a_mapping(client: Statehouse, agent_id: str) -> None:
    agent = client.agent(agent_id)
    agent["b"] = {"n": 1}
    agent["a"] = None
    assert agent["b"] == {"n": 1} and "a" in agent and "c" not in agent and agent.get("c", 7) == 7
    assert list(agent) == ["a", "b"] and agent.keys("b") == ["b"] and dict(agent.items()) == {"a": None, "b": {"n": 1}}
    del agent["a"]
    with pytest.raises(KeyError):
        agent["a"]
    with pytest.raises(KeyError):
        del agent["a"]
    assert not agent.create("b", 0) and agent.create("a", 1)
    assert not agent.compare_and_set("b", 0, 1) and agent.compare_and_set("b", 1, 1)
    assert not agent.compare_and_delete("b", 1) and agent.compare_and_delete("b", 2)


def test_threads_share_a_client_and_lose_no_update(client: Statehouse, agent_id: str) -> None:
    agent = client.agent(agent_id)

    def add_ten(_: int) -> None:
        for _ in range(10):
            agent.modify("sum", lambda value: value + 1, 0, attempts=1000)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add_ten, range(8)))
    assert agent["sum"] == 80 and agent.state("sum").version == 80


def test_modify_gives_up_after_its_bound(client: Statehouse, agent_id: str) -> None:
    agent = client.agent(agent_id)

    def overtaken(value: int) -> int:
        agent["k"] = value + 1
        return value

    with pytest.raises(ConflictError):
        agent.modify("k", overtaken, 0, attempts=3)
    assert agent["k"] == 3


def test_a_follower_sees_each_commit_once_while_the_server_is_stopped_and_killed(own_server: LiveServer) -> None:
    seen: Queue[ReplayEvent | Exception] = Queue()
    with Statehouse(own_server.url, retries=PATIENT) as client:
        client.put("a", "k", 0)
        follower = threading.Thread(target=_follow_until, args=(client, 30, seen), daemon=True)
        follower.start()
        for n in range(1, 30):
            if n % 10 == 5:
                own_server.stop() if n == 5 else own_server.kill()
                own_server.start()
            client.put("a", "k", n, idempotency_key=f"put-{n}")
        follower.join(BOUND_S)
        assert not follower.is_alive(), f"The follower has seen {seen.qsize()} of 30 commits within {BOUND_S} s."
    events = [seen.get_nowait() for _ in range(seen.qsize())]
    assert [event.version if isinstance(event, ReplayEvent) else event for event in events] == list(range(1, 31))


def _follow_until(client: Statehouse, last: int, seen: Queue[ReplayEvent | Exception]) -> None:
    try:
        for event in client.replay("a", follow=True):
            seen.put(event)
            if event.version == last:
                return
    except Exception as error:  # noqa: BLE001 - handed to the test, which fails by it.
        seen.put(error)


def test_writes_with_idempotency_keys_happen_once_while_the_server_is_killed(own_server: LiveServer) -> None:
    stop = threading.Event()

    def kill_and_start() -> None:
        for _ in range(3):
            if stop.wait(0.3):
                return
            own_server.kill()
            own_server.start()

    with Statehouse(own_server.url, retries=PATIENT) as client:
        killer = threading.Thread(target=kill_and_start)
        killer.start()
        try:
            written = 0
            while killer.is_alive() or written < 50:
                written += 1
                client.put("a", "n", written, idempotency_key=f"n-{written}")
        finally:
            stop.set()
            killer.join(BOUND_S)
        values = [event.operations[0].value for event in client.replay("a")]
    assert values == list(range(1, written + 1))


def test_a_transaction_that_the_server_forgot_was_not_committed(own_server: LiveServer) -> None:
    with Statehouse(own_server.url, retries=PATIENT) as client:
        with pytest.raises(TransactionError) as raised:
            with client.begin_transaction() as tx:
                tx.write("a", "k", 1)
                own_server.kill()
                own_server.start()
        assert raised.value.code == "SH-1005"
        assert list(client.replay("a")) == []


def test_a_commit_whose_answer_was_lost_with_the_server_is_found(own_server: LiveServer) -> None:
    """The reply is thrown away and the server killed, so that the repeat meets one that never heard of it."""

    class LostReply(httpx.HTTPTransport):
        lost = False

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            if request.url.path.endswith("/commit") and not self.lost:
                self.lost = True
                response.read()
                response.close()
                own_server.kill()
                own_server.start()
                raise httpx.ReadError("the reply was lost")
            return response

    with httpx.Client(transport=LostReply()) as http:
        client = Statehouse(own_server.url, retries=PATIENT, http_client=http)
        with client.begin_transaction() as tx:
            tx.write("a", "k", 1)
        [event] = client.replay("a")
        assert (event.txn_id, event.commit_ts) == (tx.txn_id, tx.commit())


def test_an_agent_without_commits_has_no_head(client: Statehouse, agent_id: str) -> None:
    with pytest.raises(NotFoundError) as missing:
        client.head(agent_id)
    assert missing.value.code == "SH-1007"
    client.put(agent_id, "k", 1)
    assert client.head(agent_id).key_count == 1


def test_health_and_version(client: Statehouse) -> None:
    assert client.health() == "ready"
    assert all(client.version())


@pytest.mark.parametrize("backend", ["asyncio"])
def test_the_asynchronous_client_does_the_same(server: LiveServer, agent_id: str, backend: str) -> None:
    async def talk() -> None:
        async with AsyncStatehouse(server.url) as client:
            async with client.begin_transaction() as tx:
                await tx.write(agent_id, "k", 1)
            agent = client.agent(agent_id)
            async with anyio.create_task_group() as tasks:
                for _ in range(10):
                    tasks.start_soon(_add_one, client, agent_id)
            assert await agent.get("k") == 11 and await agent.contains("k") and await agent.keys() == ["k"]
            events = client.replay(agent_id, follow=True)
            assert [(await events.__anext__()).version for _ in range(11)] == list(range(1, 12))
            await agent.put("k", "more")
            with anyio.fail_after(BOUND_S):
                assert (await events.__anext__()).operations[0].value == "more"
            await events.aclose()  # type: ignore[attr-defined]
            assert await agent.delete("k") and not await agent.delete("k")
            assert await agent.run_step(1, _echo) == await agent.run_step(1, _echo)
            assert (await agent.steps()).next_number == 2

    anyio.run(talk, backend=backend)


async def _add_one(client: AsyncStatehouse, agent_id: str) -> None:
    await client.agent(agent_id).modify("k", lambda value: value + 1, 0, attempts=1000)


async def _echo(action_key: str) -> str:
    return action_key
