"""A stock grpcio client of statehouse.v1, built from the published facts alone: no generated code, none of our .proto files."""

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2

STRING, UINT64, BOOL, MESSAGE, ENUM = 9, 4, 8, 11, 14
STRUCT = ".google.protobuf.Struct"

AGENT = [("namespace", STRING), ("agent_id", STRING)]
STATE = [("value?", STRUCT), ("version", UINT64), ("commit_ts", UINT64), ("exists", BOOL)]

# Fields in the order of their numbers; ? = optional, * = repeated.
MESSAGES = {
    "HealthRequest": [],
    "HealthResponse": [("status", STRING)],
    "VersionRequest": [],
    "VersionResponse": [("version", STRING), ("git_sha", STRING)],
    "BeginTransactionRequest": [("timeout_ms?", UINT64)],
    "BeginTransactionResponse": [("txn_id", STRING)],
    "WriteRequest": [("txn_id", STRING), *AGENT, ("key", STRING), ("value", STRUCT)],
    "WriteResponse": [],
    "DeleteRequest": [("txn_id", STRING), *AGENT, ("key", STRING)],
    "DeleteResponse": [],
    "CommitRequest": [("txn_id", STRING)],
    "CommitResponse": [("commit_ts", UINT64)],
    "AbortRequest": [("txn_id", STRING)],
    "AbortResponse": [],
    "GetStateRequest": [*AGENT, ("key", STRING)],
    "GetStateAtVersionRequest": [*AGENT, ("key", STRING), ("version", UINT64)],
    "GetStateResponse": STATE,
    "ListKeysRequest": AGENT,
    "ListKeysResponse": [("keys*", STRING)],
    "ScanPrefixRequest": [*AGENT, ("prefix", STRING)],
    "ScanPrefixResponse": [("entries*", ".statehouse.v1.StateEntry")],
    "StateEntry": [("key", STRING), ("value", STRUCT), ("version", UINT64), ("commit_ts", UINT64)],
    "ReplayRequest": [*AGENT, ("start_ts?", UINT64), ("end_ts?", UINT64)],
    "ReplayEvent": [("txn_id", STRING), ("commit_ts", UINT64), ("operations*", ".statehouse.v1.Operation")],
    "Operation": [("key", STRING), ("value?", STRUCT), ("version", UINT64)],
    # details is map<string, string>: on the wire a repeated message of two strings.
    "Detail": [("key", STRING), ("value", STRING)],
    "StatehouseError": [("code", UINT64), ("message", STRING), ("details*", ".statehouse.v1.Detail")],
    "HealthCheckRequest": [("service", STRING)],
    "HealthCheckResponse": [("status", UINT64)],
}

METHODS = {
    "Health": "HealthResponse",
    "Version": "VersionResponse",
    "BeginTransaction": "BeginTransactionResponse",
    "Write": "WriteResponse",
    "Delete": "DeleteResponse",
    "Commit": "CommitResponse",
    "Abort": "AbortResponse",
    "GetState": "GetStateResponse",
    "GetStateAtVersion": "GetStateResponse",
    "ListKeys": "ListKeysResponse",
    "ScanPrefix": "ScanPrefixResponse",
    "Replay": "ReplayEvent",
}


def _build():
    file = descriptor_pb2.FileDescriptorProto(
        name="facts.proto", package="statehouse.v1", syntax="proto3", dependency=["google/protobuf/struct.proto"]
    )
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field_name, kind) in enumerate(fields, 1):
            field = message.field.add(name=field_name.rstrip("?*"), number=number)
            field.label = field.LABEL_REPEATED if field_name.endswith("*") else field.LABEL_OPTIONAL
            if isinstance(kind, str):
                field.type, field.type_name = MESSAGE, kind
            else:
                field.type = kind
            if field_name.endswith("?"):
                field.proto3_optional = True
                field.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name="_" + field.name)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(struct_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    make = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    return {name: make(pool.FindMessageTypeByName("statehouse.v1." + name)) for name in MESSAGES}


M = _build()


class Client:
    """One channel; methods take and return messages. `value` arguments are plain dicts."""

    def __init__(self, address, options=()):
        # A pool of its own: channels of one process share a connection otherwise.
        self.channel = grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1), *options])
        self._calls = {name: self._stub(name, reply) for name, reply in METHODS.items()}
        self._check = self.channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=M["HealthCheckResponse"].FromString,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def _stub(self, name, reply):
        make = self.channel.unary_stream if name == "Replay" else self.channel.unary_unary
        return make(
            "/statehouse.v1.StatehouseService/" + name,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=M[reply].FromString,
        )

    def call(self, name, timeout=30, metadata=None, **fields):
        value = fields.pop("value", None)
        request = M[name + "Request"](**fields)
        if value is not None:
            request.value.update(value) if value else request.value.SetInParent()
        return self._calls[name](request, timeout=timeout, metadata=metadata)

    def check_health(self, service=""):
        return self._check(M["HealthCheckRequest"](service=service), timeout=30).status

    def begin(self, **fields):
        return self.call("BeginTransaction", **fields).txn_id

    def write(self, txn, key, value, agent="ada", namespace=""):
        self.call("Write", txn_id=txn, namespace=namespace, agent_id=agent, key=key, value=value)

    def delete(self, txn, key, agent="ada", namespace=""):
        self.call("Delete", txn_id=txn, namespace=namespace, agent_id=agent, key=key)

    def commit(self, txn):
        return self.call("Commit", txn_id=txn).commit_ts

    def put(self, key, value, agent="ada", namespace=""):
        txn = self.begin()
        self.write(txn, key, value, agent, namespace)
        return self.commit(txn)

    def get(self, key, agent="ada", namespace="", version=None):
        if version is None:
            return self.call("GetState", namespace=namespace, agent_id=agent, key=key)
        return self.call("GetStateAtVersion", namespace=namespace, agent_id=agent, key=key, version=version)

    def keys(self, agent="ada", namespace=""):
        return list(self.call("ListKeys", namespace=namespace, agent_id=agent).keys)

    def scan(self, prefix="", agent="ada", namespace=""):
        return list(self.call("ScanPrefix", namespace=namespace, agent_id=agent, prefix=prefix).entries)

    def replay(self, agent="ada", namespace="", **bounds):
        return list(self.call("Replay", namespace=namespace, agent_id=agent, **bounds))


def plain(struct):
    """A Struct as a dict of plain values."""
    return {name: _plain(value) for name, value in struct.fields.items()}


def _plain(value):
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return plain(value.struct_value)
    if kind == "list_value":
        return [_plain(item) for item in value.list_value.values]
    return None if kind == "null_value" else getattr(value, kind)


def error_of(failure):
    """The StatehouseError of a failed call: (code, message, details)."""
    trailers = dict(failure.trailing_metadata())
    error = M["StatehouseError"].FromString(trailers["statehouse-error-bin"])
    return error.code, error.message, {detail.key: detail.value for detail in error.details}
