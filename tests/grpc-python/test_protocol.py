import time

import grpc
import pytest
from statehouse_client import Client, error_of


def test_a_message_beyond_8_MiB_is_RESOURCE_EXHAUSTED_and_the_channel_goes_on(client, agent):
    with pytest.raises(grpc.RpcError) as raised:
        client.call("Write", txn_id="t", agent_id=agent, key="k", value={"fill": "x" * (9 << 20)})
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error_of(raised.value)[2]["sh_code"] == "SH-1004"
    assert client.call("Health").status == "ok"


def test_an_unknown_method_is_UNIMPLEMENTED(client):
    for path in ("/statehouse.v1.StatehouseService/Nothing", "/nobody.Knows/It"):
        with pytest.raises(grpc.RpcError) as raised:
            client.channel.unary_unary(path)(b"", timeout=30)
        assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_bytes_that_are_no_message_are_INVALID_ARGUMENT(client):
    commit = client.channel.unary_unary("/statehouse.v1.StatehouseService/Commit")
    with pytest.raises(grpc.RpcError) as raised:
        commit(b"\x0a\xff\xff", timeout=30)
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_compressing_client_is_told_what_the_server_takes(server):
    with Client(server.address) as client:
        call = client.channel.unary_unary("/statehouse.v1.StatehouseService/Version")
        with pytest.raises(grpc.RpcError) as raised:
            # Long enough that the client does compress it.
            call(b"\x92\x06\xe8\x07" + b"x" * 1000, compression=grpc.Compression.Gzip, timeout=30)
        assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_unknown_fields_are_passed_over(client):
    assert client.channel.unary_unary("/statehouse.v1.StatehouseService/Version")(b"\x92\x06\x01x", timeout=30)


def test_a_deadline_ends_a_replay_that_nobody_reads(client, agent):
    for number in range(8):
        client.put("k", {"n": number, "fill": "x" * 900_000}, agent)
    began = time.monotonic()
    events = client.call("Replay", agent_id=agent, timeout=0.5)
    next(events)
    with pytest.raises(grpc.RpcError) as raised:
        while True:
            # Reads nothing until the deadline has passed for sure, then sees how it ended.
            if events.is_active():
                continue
            next(events)
    assert raised.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - began < 20


def test_metadata_is_taken_and_a_request_id_comes_back_in_errors(client):
    with pytest.raises(grpc.RpcError) as raised:
        client.call("Commit", txn_id="none", metadata=[("x-request-id", "trace-7"), ("authorization", "Bearer x"), ("blob-bin", b"\0\xff")])
    assert error_of(raised.value)[2]["request_id"] == "trace-7"
    assert "none" in raised.value.details()


def test_a_message_with_characters_beyond_ascii_arrives_whole(client):
    with pytest.raises(grpc.RpcError) as raised:
        client.call("Commit", txn_id="schl\u00fcssel 100% \u2603")
    assert "schl\u00fcssel 100% \u2603" in raised.value.details()
