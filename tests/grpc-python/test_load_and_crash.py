import threading

import grpc
import pytest
from statehouse_client import Client, plain
from statehouse_server import Server


@pytest.fixture
def own_server():
    server = Server()
    try:
        yield server.start()
    finally:
        server.close()


def run_all(workers):
    """Runs functions at once; raises what any of them raised."""
    failures = []

    def guarded(work):
        try:
            work()
        except BaseException as failure:  # noqa: B902 - handed on below
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads), "a worker hangs"
    if failures:
        raise failures[0]


def test_8_threads_on_one_key_keep_versions_and_commit_ts_in_the_same_order(client, agent):
    commits = 40
    written = {}

    def work(worker):
        for number in range(commits):
            value = {"by": worker, "n": number}
            written[worker, number] = client.put("hot", value, agent)

    run_all([lambda worker=worker: work(worker) for worker in range(8)])

    events = client.replay(agent)
    stamps = [event.commit_ts for event in events]
    assert [event.operations[0].version for event in events] == list(range(1, 8 * commits + 1))
    assert stamps == sorted(set(stamps))
    for event in events:
        value = plain(event.operations[0].value)
        assert written[value["by"], value["n"]] == event.commit_ts
    for worker in range(8):
        own = [written[worker, number] for number in range(commits)]
        assert own == sorted(own)


def test_16_clients_at_once_each_read_what_they_wrote(server, agent):
    def work(worker):
        with Client(server.address) as client:
            name = f"{agent}:{worker}"
            for number in range(25):
                commit_ts = client.put("k", {"n": number}, name)
                state = client.get("k", name)
                assert (plain(state.value), state.version, state.commit_ts) == ({"n": number}, number + 1, commit_ts)

    run_all([lambda worker=worker: work(worker) for worker in range(16)])


def test_versions_and_commit_ts_go_on_after_kill_9(own_server):
    with Client(own_server.address) as client:
        first = client.put("k", {"n": 1})
        txn = client.begin()
        client.write(txn, "k", {"n": 2})
        client.delete(txn, "k")
        second = client.commit(txn)
        open_txn = client.begin()
        client.write(open_txn, "k", {"n": "never"})
    own_server.kill()
    own_server.start()
    with Client(own_server.address) as client:
        gone = client.get("k")
        assert (gone.exists, gone.version, gone.commit_ts) == (False, 3, second)
        with pytest.raises(grpc.RpcError) as raised:
            client.commit(open_txn)
        assert raised.value.code() == grpc.StatusCode.NOT_FOUND
        third = client.put("k", {"n": 4})
        assert first < second < third
        assert client.get("k").version == 4
        assert plain(client.get("k", version=1).value) == {"n": 1}
        assert [event.commit_ts for event in client.replay()] == [first, second, third]


def test_an_acknowledged_commit_survives_kill_9_under_load(own_server):
    acknowledged = {}
    killed = threading.Event()

    def work(worker):
        with Client(own_server.address) as client:
            for number in range(10_000):
                try:
                    commit_ts = client.put("k", {"n": number}, f"agent-{worker}")
                except grpc.RpcError as failure:
                    assert killed.is_set(), failure
                    return
                acknowledged[worker, number] = commit_ts

    def kill():
        with Client(own_server.address) as client:
            while len(acknowledged) < 200:
                client.call("Health")
        killed.set()
        own_server.kill()

    run_all([kill, *(lambda worker=worker: work(worker) for worker in range(4))])
    own_server.start()
    with Client(own_server.address) as client:
        for worker in range(4):
            kept = {plain(e.operations[0].value)["n"]: e.commit_ts for e in client.replay(f"agent-{worker}")}
            for (by, number), commit_ts in acknowledged.items():
                assert by != worker or kept[number] == commit_ts


def test_3000_abandoned_transactions_leave_memory_flat(own_server):
    value = {"fill": "x" * 20_000}
    with Client(own_server.address) as client:
        def abandon(count):
            staged = 0
            for _ in range(count):
                try:
                    client.write(client.begin(timeout_ms=200), "k", value)
                    staged += 1
                except grpc.RpcError as failure:
                    # A busy machine: it had expired before the write came.
                    assert failure.code() == grpc.StatusCode.DEADLINE_EXCEEDED, failure
            assert staged > count * 0.8

        # Warm: code, buffers, threads, and a heap that has seen as much garbage as there will be.
        abandon(3000)
        before = own_server.resident_bytes()
        abandon(3000)
        after = own_server.resident_bytes()
        client.put("k", {"n": 1})
        assert client.get("k").version == 1
    # All of them together staged 60 MB.
    assert after - before < 30 << 20, f"{before} -> {after}"


def test_a_client_that_vanishes_in_a_transaction_leaves_nothing(server, client, agent):
    vanishing = Client(server.address)
    txn = vanishing.begin(timeout_ms=600_000)
    vanishing.write(txn, "k", {"n": 1}, agent)
    vanishing.channel.close()
    assert not client.get("k", agent).exists
    assert client.put("k", {"n": 2}, agent) > 0
    assert client.get("k", agent).version == 1
