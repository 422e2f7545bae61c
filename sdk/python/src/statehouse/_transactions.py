"""An interactive transaction without input or output: its requests, and what it may do when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from . import _json, _parse, _wire
from ._api import Api, operation_json
from ._retry import FAULTS, Flow, exchange
from ._wire import Request
from .errors import StatehouseError, TransactionError
from .types import Operation, Receipt, StateResult

HISTORY_PAGE = 100


class Phase(Enum):
    """open: takes operations. in_doubt: a commit was sent and never answered. The others are final."""

    OPEN = "open"
    IN_DOUBT = "in doubt"
    COMMITTED = "committed"
    ABORTED = "aborted"
    FAILED = "failed"


class TransactionCore:
    """What ``Transaction`` and ``AsyncTransaction`` share."""

    def __init__(self, api: Api, namespace: str, txn_id: str, began: datetime) -> None:
        self.api = api
        self.namespace = namespace
        self.txn_id = txn_id
        self.began = began
        self.phase = Phase.OPEN
        self.commit_ts = 0
        self.receipts: tuple[Receipt, ...] = ()
        self._touched: tuple[str, str] | None = None

    @property
    def must_commit_on_exit(self) -> bool:
        """Also in doubt: leaving the block quietly must not hide that nobody knows what became of the commit."""
        return self.phase in (Phase.OPEN, Phase.IN_DOUBT)

    @classmethod
    def begin(cls, api: Api, timeout_ms: int | None, namespace: str | None) -> Flow[TransactionCore]:
        body = {} if timeout_ms is None else {"timeout_ms": timeout_ms}
        request = Request("POST", "/v1/transactions", _json.encode(body, "body"))
        reply = yield from exchange(request, api.policy)
        begun = api.object_of(reply)
        began = _wire.time_of(_parse.text(begun, "expires_at")) - timedelta(milliseconds=begun["timeout_ms"])
        return cls(api, api.in_namespace(namespace), _parse.text(begun, "txn_id"), began)

    def stage(self, agent_id: str, operations: Iterable[Operation], namespace: str | None) -> Flow[None]:
        self._must_be_open()
        at = self.namespace if namespace is None else namespace
        staged = [{"namespace": at, "agent": agent_id, **operation_json(operation)} for operation in operations]
        body = _json.encode({"operations": staged}, "transaction")
        # Not repeatable: staged twice, an operation happens twice.
        yield from exchange(Request("POST", self._path("operations"), body), self.api.policy)
        self._touched = self._touched or (at, agent_id)

    def get_state(self, agent_id: str, key: str, namespace: str | None) -> Flow[StateResult]:
        self._must_be_open()
        at = self.namespace if namespace is None else namespace
        target = self._path("namespaces", at, "agents", agent_id, "state", key)
        return (yield from self.api.read_key(target))

    def commit(self) -> Flow[int]:
        if self.phase is Phase.COMMITTED:
            return self.commit_ts
        if self.phase is not Phase.IN_DOUBT:
            self._must_be_open()
        was_in_doubt = self.phase is Phase.IN_DOUBT
        self.phase = Phase.IN_DOUBT
        # The transaction's id works as an idempotency key: committing again returns the same receipts.
        request = Request("POST", self._path("commit"), b"{}", repeatable=True, writes=True)
        try:
            reply = yield from exchange(request, self.api.policy)
        except TransactionError as error:
            if not (was_in_doubt or error.outcome_unknown):
                self.phase = Phase.FAILED
                raise
            yield from self._look_for_commit(error)
        except StatehouseError as error:
            if not (was_in_doubt or error.outcome_unknown):
                self.phase = Phase.OPEN if isinstance(error, FAULTS) else Phase.FAILED
            raise
        else:
            self._committed(self.api.object_of(reply))
        return self.commit_ts

    def abort(self) -> Flow[None]:
        if self.phase in (Phase.COMMITTED, Phase.IN_DOUBT):
            raise TransactionError(f"The transaction {self.txn_id} is {self.phase.value}: it cannot be aborted.")
        if self.phase is Phase.OPEN:
            self.phase = Phase.ABORTED
            yield from exchange(Request("DELETE", self._path(), repeatable=True), self.api.policy)

    def _look_for_commit(self, ended: TransactionError) -> Flow[None]:
        """A server that restarted forgets transactions, and the journal does not: if it was committed, it is there."""
        if self._touched is not None:
            namespace, agent_id = self._touched
            found = yield from self._find_in_history(agent_id, namespace)
            if found is not None:
                self.phase = Phase.COMMITTED
                self.commit_ts = found.commit_ts
                self.receipts = (found,)
                return
        raise TransactionError(
            f"The connection broke during the commit, and now the server does not know the transaction {self.txn_id}. "
            "Its commit is not in the journal (yet): read before you decide again.",
            code=ended.code,
            details=ended.details,
            status=ended.status,
            request_id=ended.request_id,
            outcome_unknown=True,
        )

    def _find_in_history(self, agent_id: str, namespace: str) -> Flow[Receipt | None]:
        path = self.api.agent_path(agent_id, namespace) + "/commits"
        to: int | None = None
        while to is None or to > 0:
            target = path + _wire.query(order="desc", limit=HISTORY_PAGE, to=to)
            reply = yield from exchange(Request("GET", target, repeatable=True), self.api.policy)
            page = self.api.object_of(reply)
            for item in _parse.items(page):
                if item["txn_id"] == self.txn_id:
                    return _parse.receipt(item, namespace, agent_id)
                if _wire.time_of(item["time"]) < self.began:
                    return None
            to = page.get("next", 0)
        return None

    def _committed(self, body: dict[str, Any]) -> None:
        self.phase = Phase.COMMITTED
        self.commit_ts = body["commit_ts"]
        self.receipts = tuple(_parse.receipt(item, "", "") for item in body["receipts"])

    def _must_be_open(self) -> None:
        if self.phase is not Phase.OPEN:
            raise TransactionError(f"The transaction {self.txn_id} has ended: it is {self.phase.value}.")

    def _path(self, *more: str) -> str:
        return _wire.path("v1", "transactions", self.txn_id, *more)

