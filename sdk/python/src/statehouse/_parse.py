"""From the server's JSON objects to this package's types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ._wire import time_of
from .errors import StatehouseError
from .types import AgentHead, AgentRef, Operation, Receipt, ReplayEvent, StateResult

Json = Mapping[str, Any]
T = TypeVar("T")


def state(body: Json) -> StateResult:
    """A KeyState; also the problem of a key that does not exist."""
    time = body.get("time")
    return StateResult(
        key=member(body, "key", str),
        value=body.get("value"),
        version=member(body, "version", int),
        commit_ts=body.get("commit_ts", 0),
        exists=member(body, "exists", bool),
        time=None if time is None else time_of(time),
        agent_version=member(body, "agent_version", int),
    )


def receipt(body: Json, namespace: str, agent_id: str, *, replayed: bool = False) -> Receipt:
    return Receipt(
        namespace=body.get("namespace", namespace),
        agent_id=body.get("agent", agent_id),
        version=member(body, "version", int),
        commit_ts=member(body, "commit_ts", int),
        time=time_of(member(body, "time", str)),
        txn_id=member(body, "txn_id", str),
        hash=member(body, "hash", str),
        idempotency_key=body.get("idempotency_key"),
        metadata=body.get("metadata"),
        key_version=body.get("key_version"),
        replayed=replayed,
    )


def event(body: Json, namespace: str, agent_id: str) -> ReplayEvent:
    return ReplayEvent(
        namespace=namespace,
        agent_id=agent_id,
        version=member(body, "version", int),
        commit_ts=member(body, "commit_ts", int),
        time=time_of(member(body, "time", str)),
        txn_id=member(body, "txn_id", str),
        hash=member(body, "hash", str),
        operations=tuple(_operation(operation) for operation in member(body, "operations", list)),
        idempotency_key=body.get("idempotency_key"),
        metadata=body.get("metadata"),
    )


def head(body: Json) -> AgentHead:
    return AgentHead(
        namespace=member(body, "namespace", str),
        agent_id=member(body, "agent", str),
        version=member(body, "version", int),
        commit_ts=member(body, "commit_ts", int),
        time=time_of(member(body, "time", str)),
        hash=member(body, "hash", str),
        first_version=member(body, "first_version", int),
        key_count=member(body, "key_count", int),
        bytes=member(body, "bytes", int),
    )


def agent_ref(body: Json) -> AgentRef:
    return AgentRef(member(body, "namespace", str), member(body, "agent", str), member(body, "version", int))


def items(body: Json) -> list[Any]:
    return member(body, "items", list)


def text(body: Json, name: str) -> str:
    return member(body, name, str)


def _operation(body: Json) -> Operation:
    op = member(body, "op", str)
    if op not in ("put", "delete"):
        raise StatehouseError(f"The server told of an operation {op!r}, which this version of the client does not know.")
    return Operation("delete" if op == "delete" else "put", member(body, "key", str), body.get("value"), member(body, "version", int))


def member(body: Json, name: str, kind: type[T]) -> T:
    value = body.get(name)
    if not isinstance(value, kind):
        raise StatehouseError(f"The server's answer should hold {name} as {kind.__name__}; it holds {value!r:.100}.")
    return value
