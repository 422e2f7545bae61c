import uuid

import grpc
import pytest
from statehouse_client import error_of, plain


def refused(status, call, *arguments, **named):
    with pytest.raises(grpc.RpcError) as raised:
        call(*arguments, **named)
    assert raised.value.code() == status, raised.value
    return raised.value


def test_two_writes_of_a_key_in_one_transaction_make_versions_1_and_2_and_both_can_be_read(client, agent):
    txn = client.begin()
    client.write(txn, "step:1", {"status": "pending"}, agent)
    client.write(txn, "step:1", {"status": "done"}, agent)
    commit_ts = client.commit(txn)

    first, second, now = (client.get("step:1", agent, version=1), client.get("step:1", agent, version=2), client.get("step:1", agent))
    assert (first.exists, first.version, plain(first.value)) == (True, 1, {"status": "pending"})
    assert (second.exists, second.version, plain(second.value)) == (True, 2, {"status": "done"})
    assert now == second
    assert first.commit_ts == second.commit_ts == commit_ts > 0


def test_nothing_staged_is_seen_before_the_commit(client, agent):
    txn = client.begin()
    client.write(txn, "task", {"n": 1}, agent)
    assert not client.get("task", agent).exists
    assert client.keys(agent) == []
    client.commit(txn)
    assert client.get("task", agent).exists


def test_a_delete_leaves_a_tombstone_with_a_version_and_a_commit_ts(client, agent):
    client.put("task", {"n": 1}, agent)
    txn = client.begin()
    client.delete(txn, "task", agent)
    commit_ts = client.commit(txn)

    gone = client.get("task", agent)
    assert (gone.exists, gone.version, gone.commit_ts, gone.HasField("value")) == (False, 2, commit_ts, False)
    assert client.keys(agent) == [] and client.scan("", agent) == []
    assert plain(client.get("task", agent, version=1).value) == {"n": 1}
    client.put("task", {"n": 3}, agent)
    assert client.get("task", agent).version == 3


def test_a_delete_of_a_key_that_never_was_makes_tombstone_version_1(client, agent):
    txn = client.begin()
    client.delete(txn, "never", agent)
    commit_ts = client.commit(txn)
    gone = client.get("never", agent)
    assert (gone.exists, gone.version, gone.commit_ts) == (False, 1, commit_ts)


def test_a_transaction_over_two_agents_and_two_namespaces_has_one_commit_ts(client, agent):
    places = [(agent, "one"), (agent, "two"), (agent + "-b", "one"), (agent + "-b", "two")]
    txn = client.begin()
    for number, (name, namespace) in enumerate(places):
        client.write(txn, "shared", {"n": number}, name, namespace)
    commit_ts = client.commit(txn)
    for number, (name, namespace) in enumerate(places):
        state = client.get("shared", name, namespace)
        assert (plain(state.value), state.version, state.commit_ts) == ({"n": number}, 1, commit_ts)
        assert [event.commit_ts for event in client.replay(name, namespace)] == [commit_ts]
    assert not client.get("shared", agent).exists


def test_an_aborted_transaction_over_two_agents_leaves_nothing_on_either(client, agent):
    txn = client.begin()
    client.write(txn, "k", {"n": 1}, agent, "one")
    client.write(txn, "k", {"n": 1}, agent + "-b", "two")
    client.call("Abort", txn_id=txn)
    assert not client.get("k", agent, "one").exists and not client.get("k", agent + "-b", "two").exists
    assert client.replay(agent, "one") == []


def test_a_second_commit_returns_the_same_commit_ts_and_writes_nothing(client, agent):
    txn = client.begin()
    client.write(txn, "k", {"n": 1}, agent)
    commit_ts = client.commit(txn)
    other = client.put("k", {"n": 2}, agent)
    assert client.commit(txn) == commit_ts < other
    assert client.get("k", agent).version == 2


def test_the_commit_of_a_transaction_that_staged_nothing_returns_0_each_time(client):
    txn = client.begin()
    assert client.commit(txn) == 0
    assert client.commit(txn) == 0


def test_an_empty_namespace_is_the_default_one(client, agent):
    client.put("k", {"n": 1}, agent, "")
    assert client.get("k", agent, "default").exists
    client.put("k", {"n": 2}, agent, "default")
    assert client.get("k", agent, "").version == 2


@pytest.mark.parametrize("txn", [str(uuid.uuid4()), "", "nonsense", "\u2603"])
def test_an_unknown_transaction_is_NOT_FOUND_for_all_but_abort(client, agent, txn):
    for name, fields in [("Commit", {}), ("Delete", {"agent_id": agent, "key": "k"}),
                         ("Write", {"agent_id": agent, "key": "k", "value": {"n": 1}})]:
        failure = refused(grpc.StatusCode.NOT_FOUND, client.call, name, txn_id=txn, **fields)
        code, _, details = error_of(failure)
        assert (code, details["sh_code"]) == (2, "SH-1005")
    client.call("Abort", txn_id=txn)


def test_an_expired_transaction_is_DEADLINE_EXCEEDED_and_wrote_nothing(client, agent):
    txn = client.begin(timeout_ms=1)
    # Writes until it has expired: each is either staged or refused for that reason.
    with pytest.raises(grpc.RpcError) as raised:
        for _ in range(900):
            client.write(txn, "k", {"n": 1}, agent)
    assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    code, _, details = error_of(refused(grpc.StatusCode.DEADLINE_EXCEEDED, client.commit, txn))
    assert (code, details["sh_code"]) == (3, "SH-1006")
    assert not client.get("k", agent).exists


def test_a_write_after_the_commit_is_NOT_FOUND(client, agent):
    txn = client.begin()
    client.write(txn, "k", {"n": 1}, agent)
    client.commit(txn)
    refused(grpc.StatusCode.NOT_FOUND, client.write, txn, "k", {"n": 2}, agent)
    assert client.get("k", agent).version == 1


@pytest.mark.parametrize("timeout_ms", [0, 600_001, 2**64 - 1])
def test_a_timeout_out_of_range_is_INVALID_ARGUMENT(client, timeout_ms):
    refused(grpc.StatusCode.INVALID_ARGUMENT, client.begin, timeout_ms=timeout_ms)


@pytest.mark.parametrize("fields, status, field", [
    ({"key": ""}, grpc.StatusCode.INVALID_ARGUMENT, "operations[0].key"),
    ({"key": "a\0b"}, grpc.StatusCode.INVALID_ARGUMENT, "operations[0].key"),
    ({"key": "k" * 1025}, grpc.StatusCode.RESOURCE_EXHAUSTED, "operations[0].key"),
    ({"agent_id": ""}, grpc.StatusCode.INVALID_ARGUMENT, "agent"),
    ({"agent_id": "a" * 513}, grpc.StatusCode.RESOURCE_EXHAUSTED, "agent"),
    ({"namespace": "n" * 129}, grpc.StatusCode.RESOURCE_EXHAUSTED, "namespace"),
    ({"value": None}, grpc.StatusCode.INVALID_ARGUMENT, "value"),
    ({"value": {"t": "x" * (1 << 20)}}, grpc.StatusCode.RESOURCE_EXHAUSTED, "operations[0].value"),
    ({"value": {"n": float("nan")}}, grpc.StatusCode.INVALID_ARGUMENT, "value"),
    ({"value": {"n": [float("-inf")]}}, grpc.StatusCode.INVALID_ARGUMENT, "value"),
])
def test_a_bad_write_is_refused_with_its_field_and_the_transaction_goes_on(client, agent, fields, status, field):
    txn = client.begin()
    good = {"agent_id": agent, "key": "k", "value": {"n": 1}}
    failure = refused(status, client.call, "Write", txn_id=txn, **{**good, **fields})
    _, message, details = error_of(failure)
    assert field in details["field"], details
    assert message and details["sh_code"] in ("SH-1003", "SH-1004") and details["request_id"]
    client.call("Write", txn_id=txn, **good)
    client.commit(txn)
    assert [event.operations[0].version for event in client.replay(agent)] == [1]
