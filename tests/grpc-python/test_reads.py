import grpc
import pytest
from statehouse_client import plain


def test_what_never_was_is_no_error(client, agent):
    assert client.get("k", agent).SerializeToString() == b""
    assert client.get("k", agent, version=1).SerializeToString() == b""
    client.put("k", {}, agent)
    for version in (0, 2, 2**63, 2**64 - 1):
        assert client.get("k", agent, version=version).SerializeToString() == b""
    assert client.keys(agent + "-none") == [] and client.scan("", agent + "-none") == [] and client.replay(agent + "-none") == []


@pytest.mark.parametrize("value", [
    {},
    {"n": 1, "z": 0, "neg": -3, "half": 0.5, "tiny": 5e-324, "huge": 1.7976931348623157e308, "third": 1 / 3},
    {"exact": 2**53, "above": 2.0**63, "1e18": 1e18, "1e300": 1e300},
    {"a": None, "b": True, "c": False, "d": [], "e": {}, "f": [[{}, []], None, "x"]},
    {"": "empty name", "quote\"back\\slash": "\"\\/\b\f\n\r\t\u0001\u007f", "snowman \u2603": "\U0001f600 \u2028"},
    {"long": "x" * 200_000, "list": list(range(3000))},
    {str(i): {"deep": [i]} for i in range(300)},
])
def test_a_value_reads_back_as_it_was_written(client, agent, value):
    client.put("k", value, agent)
    assert plain(client.get("k", agent).value) == value
    assert plain(client.get("k", agent, version=1).value) == value
    assert [plain(entry.value) for entry in client.scan("", agent)] == [value]
    assert [plain(event.operations[0].value) for event in client.replay(agent)] == [value]


def test_numbers_stand_in_the_journal_as_short_as_can_be(client, agent, server):
    client.put("k", {"n": 9007199254740992, "half": 2.5, "one": 1.0, "big": 1e25, "third": 0.1}, agent)
    text = server.get_json(agent, "k")
    for part in ('"n":9007199254740992', '"half":2.5', '"one":1', '"big":1E+25', '"third":0.1'):
        assert part + "," in text or part + "}" in text, text


@pytest.mark.parametrize("text, value", [
    ("42", {"value": 42}), ('"text"', {"value": "text"}), ("null", {"value": None}), ("true", {"value": True}),
    ("[1, {\"a\": \"\\u2603\\n\"}]", {"value": [1, {"a": "\u2603\n"}]}),
    ('{ "a" : { "b\\u0041" : [ ] } }', {"a": {"bA": []}}),
    ("12345678901234567890", {"value": 12345678901234567890.0}),
])
def test_a_value_that_http_wrote_is_an_object_here(client, agent, server, text, value):
    server.put_json(agent, "k", text)
    assert plain(client.get("k", agent).value) == value
    assert plain(client.replay(agent)[0].operations[0].value) == value


def test_keys_and_scans_are_in_byte_order_and_live_only(client, agent):
    keys = ["step:2", "step:10", "Step", "\u00e4", "z", "\U0001f600", "\uffff", "note/1"]
    txn = client.begin()
    for key in [*keys, "gone"]:
        client.write(txn, key, {"k": key}, agent)
    client.delete(txn, "gone", agent)
    commit_ts = client.commit(txn)
    in_order = sorted(keys, key=lambda key: key.encode())
    assert client.keys(agent) == in_order
    entries = client.scan("", agent)
    assert [entry.key for entry in entries] == in_order
    assert all((entry.version, entry.commit_ts, plain(entry.value)) == (1, commit_ts, {"k": entry.key}) for entry in entries)
    assert [entry.key for entry in client.scan("step:", agent)] == ["step:10", "step:2"]
    assert client.scan("nothing", agent) == []


def test_a_scan_is_not_paged(client, agent):
    for start in range(0, 2500, 500):
        txn = client.begin()
        for number in range(start, start + 500):
            client.write(txn, f"session:s:step:{number:04d}", {"n": number}, agent)
        client.commit(txn)
    keys = [f"session:s:step:{number:04d}" for number in range(2500)]
    assert client.keys(agent) == keys
    assert [entry.key for entry in client.scan("session:s:", agent)] == keys


def test_ids_with_colons_and_slashes_do_not_collide(client, agent):
    places = [(agent + ":a", "b:c"), (agent + ":a:b", "c"), (agent + "/a", "b/c"), (agent + "/a/b", "c"), (agent, "a:b:c"), (agent + "%3Aa", "b:c")]
    namespaces = ["x", "x:y", "x/y"]
    for number, (name, key) in enumerate(places):
        for namespace in namespaces:
            client.put(key, {"n": number, "ns": namespace}, name, namespace)
    for number, (name, key) in enumerate(places):
        for namespace in namespaces:
            state = client.get(key, name, namespace)
            assert (plain(state.value), state.version) == ({"n": number, "ns": namespace}, 1)
            assert client.keys(name, namespace) == [key]
            assert [plain(event.operations[0].value)["n"] for event in client.replay(name, namespace)] == [number]


def test_health_and_version_answer(client):
    assert client.call("Health").status == "ok"
    assert client.call("Version").version.count(".") == 2
    assert client.check_health() == client.check_health("statehouse.v1.StatehouseService") == 1
    with pytest.raises(grpc.RpcError) as raised:
        client.check_health("nobody.Knows")
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND
