import itertools

import grpc
import pytest
from statehouse_client import Client, plain


@pytest.fixture
def history(client, agent):
    """Five commits of the agent, with a neighbour's between them: their commit_ts."""
    stamps = []
    for number in range(5):
        stamps.append(client.put("k", {"n": number}, agent))
        client.put("k", {"n": "other"}, agent + ":neighbour")
    return stamps


def test_a_replay_shows_each_commit_of_the_agent_asked_for_and_no_other(client, agent, history):
    events = client.replay(agent)
    assert [event.commit_ts for event in events] == history
    assert [plain(event.operations[0].value) for event in events] == [{"n": n} for n in range(5)]
    assert [event.operations[0].version for event in events] == [1, 2, 3, 4, 5]
    assert len({event.txn_id for event in events}) == 5


def test_both_bounds_are_inclusive(client, agent, history):
    def stamps(**bounds):
        return [event.commit_ts for event in client.replay(agent, **bounds)]

    assert stamps(start_ts=history[1], end_ts=history[3]) == history[1:4]
    assert stamps(start_ts=history[1] + 1, end_ts=history[3] - 1) == history[2:3]
    assert stamps(start_ts=history[2], end_ts=history[2]) == history[2:3]
    assert stamps(start_ts=history[3]) == history[3:]
    assert stamps(end_ts=history[1]) == history[:2]
    assert stamps(start_ts=0, end_ts=2**64 - 1) == history
    assert stamps(end_ts=0) == stamps(start_ts=history[4] + 1) == stamps(start_ts=history[3], end_ts=history[1]) == []


def test_operations_stand_in_the_order_in_which_they_were_staged(client, agent):
    txn = client.begin()
    for key, value in [("b", 1), ("a", 2), ("b", 3)]:
        client.write(txn, key, {"n": value}, agent)
        client.write(txn, key, {"n": value}, agent + ":neighbour")
    client.delete(txn, "a", agent)
    commit_ts = client.commit(txn)
    (event,) = client.replay(agent)
    assert (event.txn_id, event.commit_ts) == (txn, commit_ts)
    assert [(o.key, o.version, plain(o.value) if o.HasField("value") else None) for o in event.operations] == [
        ("b", 1, {"n": 1}), ("a", 1, {"n": 2}), ("b", 2, {"n": 3}), ("a", 2, None)]


def test_a_replay_ends_where_the_agent_stood_when_it_was_called(server, client, agent):
    # More than the windows of a connection hold, so the server is still in the middle of it.
    for number in range(8):
        client.put("k", {"n": number, "fill": "x" * 900_000}, agent)
    with Client(server.address, [("grpc.max_receive_message_length", -1)]) as reader:
        events = reader.call("Replay", agent_id=agent)
        first = next(events)
        client.put("late", {"n": "late"}, agent)
        rest = [event.operations[0].version for event in events]
    assert (first.operations[0].version, rest) == (1, [2, 3, 4, 5, 6, 7, 8])


def test_a_cancelled_replay_frees_the_server(server, client, agent):
    for number in range(8):
        client.put("k", {"n": number, "fill": "x" * 900_000}, agent)
    for _ in range(20):
        events = client.call("Replay", agent_id=agent)
        next(events)
        events.cancel()
        with pytest.raises(grpc.RpcError) as raised:
            for _ in events:
                pass
        assert raised.value.code() == grpc.StatusCode.CANCELLED
    assert client.get("k", agent).version == 8
    # The last ones may still be on their way out; each look at the metrics is a round trip.
    for _ in itertools.islice(itertools.count(), 2000):
        if "statehouse_grpc_streams 0\n" in server.metrics():
            return
    pytest.fail("cancelled replays are still open: " + server.metrics())


def test_a_bad_agent_ends_a_replay_with_INVALID_ARGUMENT(client):
    with pytest.raises(grpc.RpcError) as raised:
        client.replay("")
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT
