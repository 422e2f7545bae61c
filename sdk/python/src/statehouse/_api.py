"""Every operation of the HTTP API as a flow: what to send and what the replies mean, for both clients alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from . import _json, _parse, _wire
from ._retry import Flow, exchange
from ._wire import Reply, Request
from .errors import ConflictError, ValidationError
from .types import AgentHead, AgentRef, Operation, Receipt, RetryPolicy, StateResult

PAGE_MAX = 1000

Consistency = Literal["default", "strong"]


@dataclass(frozen=True, slots=True)
class Api:
    """What both clients share. parse_float: see the README's part on numbers."""

    namespace: str = "default"
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    parse_float: _json.ParseFloat | None = None

    def health(self) -> Flow[str]:
        body = yield from self._get("/readyz")
        return _parse.text(body, "status")

    def version(self) -> Flow[tuple[str, str]]:
        body = yield from self._get("/v1/version")
        return _parse.text(body, "version"), _parse.text(body, "git_sha")

    def get_state(
        self,
        agent_id: str,
        key: str,
        namespace: str | None,
        *,
        key_version: int | None = None,
        at: datetime | None = None,
        at_version: int | None = None,
        consistency: Consistency | None = None,
    ) -> Flow[StateResult]:
        target = self.key_path(agent_id, key, namespace) + _wire.query(
            key_version=key_version,
            at=None if at is None else _wire.instant(at),
            at_version=at_version,
            consistency=consistency,
        )
        return (yield from self.read_key(target))

    def read_key(self, target: str) -> Flow[StateResult]:
        reply = yield from exchange(Request("GET", target, repeatable=True), self.policy)
        return _parse.state(_wire.absent_key(reply) or self.object_of(reply))

    def scan(
        self, agent_id: str, prefix: str, namespace: str | None, *, keys_only: bool = False
    ) -> Flow[list[StateResult]]:
        """All pages of one consistent version."""
        path = self.agent_path(agent_id, namespace) + "/state"
        found: list[StateResult] = []
        after: str | None = None
        at_version: int | None = None
        while True:
            parameters = _wire.query(
                prefix=prefix or None,
                after=after,
                limit=PAGE_MAX,
                keys_only="true" if keys_only else None,
                at_version=at_version,
            )
            body = yield from self._get(path + parameters)
            found.extend(_parse.state(item) for item in _parse.items(body))
            after, at_version = body.get("next"), body.get("agent_version")
            if after is None:
                return found

    def list_keys(self, agent_id: str, prefix: str, namespace: str | None) -> Flow[list[str]]:
        found = yield from self.scan(agent_id, prefix, namespace, keys_only=True)
        return [state.key for state in found]

    def agents(self, prefix: str, namespace: str | None) -> Flow[list[AgentRef]]:
        path = _wire.path("v1", "namespaces", self.in_namespace(namespace), "agents")
        found: list[AgentRef] = []
        after: str | None = None
        while True:
            body = yield from self._get(path + _wire.query(prefix=prefix or None, after=after, limit=PAGE_MAX))
            found.extend(_parse.agent_ref(item) for item in _parse.items(body))
            after = body.get("next")
            if after is None:
                return found

    def head(self, agent_id: str, namespace: str | None) -> Flow[AgentHead]:
        body = yield from self._get(self.agent_path(agent_id, namespace))
        return _parse.head(body)

    def write_key(
        self,
        method: Literal["PUT", "DELETE"],
        agent_id: str,
        key: str,
        body: bytes | None,
        namespace: str | None,
        *,
        if_version: int | None,
        if_exists: bool | None,
        idempotency_key: str | None,
    ) -> Flow[Receipt]:
        headers = _precondition(if_version, if_exists)
        if idempotency_key is not None:
            headers.append(_wire.header_text("Idempotency-Key", idempotency_key))
        request = Request(
            method,
            self.key_path(agent_id, key, namespace),
            body,
            tuple(headers),
            repeatable=idempotency_key is not None,
            writes=True,
        )
        reply = yield from exchange(request, self.policy)
        return self._receipt(reply, agent_id, namespace)

    def commit(
        self,
        agent_id: str,
        operations: Iterable[Operation],
        namespace: str | None,
        *,
        if_agent_version: int | None,
        idempotency_key: str | None,
        metadata: Mapping[str, Any] | None,
    ) -> Flow[Receipt]:
        body: dict[str, Any] = {"operations": [operation_json(operation) for operation in operations]}
        if if_agent_version is not None:
            body["if_agent_version"] = if_agent_version
        if idempotency_key is not None:
            body["idempotency_key"] = idempotency_key
        if metadata is not None:
            body["metadata"] = metadata
        request = Request(
            "POST",
            self.agent_path(agent_id, namespace) + "/commits",
            _json.encode(body, "commit"),
            repeatable=idempotency_key is not None,
            writes=True,
        )
        reply = yield from exchange(request, self.policy)
        return self._receipt(reply, agent_id, namespace)

    def modify(
        self, agent_id: str, key: str, change: Callable[[Any], Any], default: Any, attempts: int, namespace: str | None
    ) -> Flow[Any]:
        """Read, change, write over the version that was read; again where another writer came between."""
        for attempt in range(1, attempts + 1):
            state = yield from self.get_state(agent_id, key, namespace)
            value = change(state.value if state.exists else default)
            try:
                yield from self.write_key(
                    "PUT", agent_id, key, _json.encode(value), namespace,
                    if_version=state.version, if_exists=None, idempotency_key=None,
                )
                return value
            except ConflictError:
                if attempt == attempts:
                    raise
        raise ValueError(f"attempts must be at least 1; this is {attempts}.")

    def in_namespace(self, namespace: str | None) -> str:
        return self.namespace if namespace is None else namespace

    def agent_path(self, agent_id: str, namespace: str | None) -> str:
        return _wire.path("v1", "namespaces", self.in_namespace(namespace), "agents", _id("agent", agent_id))

    def key_path(self, agent_id: str, key: str, namespace: str | None) -> str:
        return self.agent_path(agent_id, namespace) + _wire.path("state", _id("key", key))

    def object_of(self, reply: Reply) -> dict[str, Any]:
        return _wire.object_of(reply, self.parse_float)

    def _get(self, target: str) -> Flow[dict[str, Any]]:
        reply = yield from exchange(Request("GET", target, repeatable=True), self.policy)
        return self.object_of(reply)

    def _receipt(self, reply: Reply, agent_id: str, namespace: str | None) -> Receipt:
        replayed = reply.headers.get("idempotent-replayed") == "true"
        return _parse.receipt(self.object_of(reply), self.in_namespace(namespace), agent_id, replayed=replayed)


def operation_json(operation: Operation) -> dict[str, Any]:
    body: dict[str, Any] = {"op": operation.op, "key": operation.key}
    if not operation.is_delete:
        body["value"] = operation.value
    if operation.if_version is not None:
        body["if_version"] = operation.if_version
    return body


def _precondition(if_version: int | None, if_exists: bool | None) -> list[tuple[str, bytes]]:
    if if_version is not None and if_exists is not None:
        raise ValidationError(
            "if_version and if_exists exclude each other.", code="SH-1003", details={"field": "if_exists"}
        )
    if if_version is not None:
        return [("If-Match", b'"%d"' % if_version)]
    if if_exists is not None:
        return [("If-Match" if if_exists else "If-None-Match", b"*")]
    return []


def _id(field_name: str, text: str) -> str:
    # An empty segment would change which route is meant.
    if not text:
        raise ValidationError(f"{field_name} must not be empty.", code="SH-1003", details={"field": field_name})
    return text
