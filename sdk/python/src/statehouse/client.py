"""The blocking client."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any

import httpx

from . import _json
from ._api import Api, Consistency
from ._http import Settings, SyncTransport
from ._replay import Bound, History
from ._transactions import Phase, TransactionCore
from .agent import Agent
from .errors import StatehouseError
from .formatting import format_event
from .types import AgentHead, AgentRef, Operation, Receipt, ReplayEvent, RetryPolicy, StateResult

DEFAULT_URL = "http://127.0.0.1:8080"

logger = logging.getLogger("statehouse")


class Statehouse:
    """A client of one server. May be used from several threads at once; close it, or use it in a ``with``.

    url: of the server, for instance ``http://127.0.0.1:8080``.
    namespace: where a call looks that names none.
    timeout_s: bound of each network operation (connect, each read, each write), not of a whole call.
    retries: how reads, and writes with an idempotency key, are repeated; nothing else ever is.
    parse_float: makes a number with a point or an exponent from its text; ``decimal.Decimal`` reads without loss.
    max_connections: a follower holds one for itself.
    http_client: an httpx.Client of your own, for proxies, certificates or tests; it stays yours to close.

    Every method raises StatehouseError or one of its subclasses.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        namespace: str = "default",
        timeout_s: float = 10.0,
        retries: RetryPolicy | None = None,
        parse_float: _json.ParseFloat | None = None,
        max_connections: int = 100,
        http_client: httpx.Client | None = None,
    ) -> None:
        self._api = Api(namespace, retries or RetryPolicy(), parse_float)
        self._transport = SyncTransport(Settings(url, timeout_s, max_connections), http_client)

    def health(self) -> str:
        """``ready`` after a journal round trip; raises UnavailableError where the journal does not answer."""
        return self._transport.run(self._api.health())

    def version(self) -> tuple[str, str]:
        """The server's version and the commit that it was built from."""
        return self._transport.run(self._api.version())

    def agent(self, agent_id: str, namespace: str | None = None) -> Agent:
        """The agent as a mapping from keys to values."""
        return Agent(self, agent_id, self._api.in_namespace(namespace))

    def agents(self, prefix: str = "", *, namespace: str | None = None) -> list[AgentRef]:
        """Agents that have a commit, in byte order of their ids."""
        return self._transport.run(self._api.agents(prefix, namespace))

    def head(self, agent_id: str, *, namespace: str | None = None) -> AgentHead:
        """Where the agent stands; raises NotFoundError where it has no commit."""
        return self._transport.run(self._api.head(agent_id, namespace))

    def begin_transaction(self, timeout_ms: int | None = None, namespace: str | None = None) -> Transaction:
        """Begins a transaction over any agents. timeout_ms: 1..600,000; None = the server's default, 30,000."""
        core = self._transport.run(TransactionCore.begin(self._api, timeout_ms, namespace))
        return Transaction(core, self._transport)

    def get_state(
        self,
        agent_id: str,
        key: str,
        *,
        namespace: str | None = None,
        at_agent_version: int | None = None,
        consistency: Consistency | None = None,
    ) -> StateResult:
        """The key now, or as of an agent version; ``exists`` is False where it is not there.

        consistency: ``strong`` asks the journal first; see docs/consistency.md.
        """
        return self._transport.run(
            self._api.get_state(agent_id, key, namespace, at_version=at_agent_version, consistency=consistency)
        )

    def get_state_at_version(
        self, agent_id: str, key: str, version: int, *, namespace: str | None = None
    ) -> StateResult:
        """One version of a key: 1 is the first operation on it."""
        return self._transport.run(self._api.get_state(agent_id, key, namespace, key_version=version))

    def get_state_at(self, agent_id: str, key: str, time: datetime, *, namespace: str | None = None) -> StateResult:
        """The key as it was at a moment of the past; the time needs a time zone."""
        return self._transport.run(self._api.get_state(agent_id, key, namespace, at=time))

    def list_keys(self, agent_id: str, prefix: str = "", *, namespace: str | None = None) -> list[str]:
        """Live keys in byte order, all of one version of the agent."""
        return self._transport.run(self._api.list_keys(agent_id, prefix, namespace))

    def scan_prefix(self, agent_id: str, prefix: str, *, namespace: str | None = None) -> list[StateResult]:
        """Live keys and their values in byte order, all of one version of the agent."""
        return self._transport.run(self._api.scan(agent_id, prefix, namespace))

    def put(
        self,
        agent_id: str,
        key: str,
        value: Any,
        *,
        namespace: str | None = None,
        if_version: int | None = None,
        if_exists: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Writes one key; returns when that is durable.

        if_version: only over this key version (0 = was never written). if_exists: only where the key is there (True)
        or is not (False). Where the precondition does not hold: ConflictError.
        """
        body = _json.encode(value)
        return self._transport.run(
            self._api.write_key(
                "PUT", agent_id, key, body, namespace,
                if_version=if_version, if_exists=if_exists, idempotency_key=idempotency_key,
            )
        )

    def delete(
        self,
        agent_id: str,
        key: str,
        *,
        namespace: str | None = None,
        if_version: int | None = None,
        if_exists: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Deletes one key. That is a version too: a tombstone, also where the key never was."""
        return self._transport.run(
            self._api.write_key(
                "DELETE", agent_id, key, None, namespace,
                if_version=if_version, if_exists=if_exists, idempotency_key=idempotency_key,
            )
        )

    def commit(
        self,
        agent_id: str,
        operations: Iterable[Operation],
        *,
        namespace: str | None = None,
        if_agent_version: int | None = None,
        idempotency_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Receipt:
        """Commits 1..1,000 operations on one agent in one request: all of them or none."""
        return self._transport.run(
            self._api.commit(
                agent_id, operations, namespace,
                if_agent_version=if_agent_version, idempotency_key=idempotency_key, metadata=metadata,
            )
        )

    def replay(
        self,
        agent_id: str,
        start: Bound | None = None,
        end: Bound | None = None,
        follow: bool = False,
        *,
        namespace: str | None = None,
    ) -> Iterator[ReplayEvent]:
        """The agent's commits in order, each once.

        start, end: inclusive; a commit_ts, or a time with a time zone. Ends at the state of the moment it was called,
        or, with ``follow``, goes on with each new commit, over as many connections as it takes. Nothing for an agent
        that has no commit.
        """
        history = History(self._api, agent_id, namespace)
        if follow:
            History.refuse_end(end)
            return self._follow(history, start)
        return self._pages(history, start, end)

    def replay_events(
        self,
        agent_id: str,
        start: Bound | None = None,
        end: Bound | None = None,
        follow: bool = False,
        *,
        namespace: str | None = None,
    ) -> Iterator[ReplayEvent]:
        """Another name of :meth:`replay`, to stand beside :meth:`replay_pretty`."""
        return self.replay(agent_id, start, end, follow, namespace=namespace)

    def replay_pretty(
        self,
        agent_id: str,
        start: Bound | None = None,
        end: Bound | None = None,
        verbose: bool = False,
        follow: bool = False,
        *,
        width: int | None = None,
        namespace: str | None = None,
    ) -> Iterator[str]:
        """The same for people: a line per operation. verbose: whole values and the txn id. width: cut longer lines."""
        for event in self.replay(agent_id, start, end, follow, namespace=namespace):
            yield from format_event(event, verbose=verbose, width=width)

    def close(self) -> None:
        """Closes all connections. What comes after it raises StatehouseError."""
        self._transport.close()

    def __enter__(self) -> Statehouse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pages(self, history: History, start: Bound | None, end: Bound | None) -> Iterator[ReplayEvent]:
        span = self._transport.run(history.span(start, end))
        while span is not None:
            page = self._transport.run(history.page(span))
            yield from page.events
            span = page.rest

    def _follow(self, history: History, start: Bound | None) -> Iterator[ReplayEvent]:
        follower = self._transport.run(history.follower(start))
        while True:
            failure: StatehouseError | None = None
            try:
                with self._transport.stream(follower.connect()) as chunks:
                    for chunk in chunks:
                        yield from follower.feed(chunk)
            except StatehouseError as error:
                failure = error
            self._transport.sleep(follower.delay_after(failure))


class Transaction:
    """Operations staged on the server, committed together or not at all.

    Leaving the ``with`` block commits, an exception aborts. After a ``commit()`` or ``abort()`` inside the block,
    leaving it does nothing. Each operation is staged by a request of its own, and refused there if it is wrong.
    """

    def __init__(self, core: TransactionCore, transport: SyncTransport) -> None:
        self._core = core
        self._transport = transport

    @property
    def txn_id(self) -> str:
        return self._core.txn_id

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """One per agent, after the commit."""
        return self._core.receipts

    def write(
        self, agent_id: str, key: str, value: Any, *, namespace: str | None = None, if_version: int | None = None
    ) -> None:
        self.stage(agent_id, [Operation.put(key, value, if_version=if_version)], namespace=namespace)

    def delete(
        self, agent_id: str, key: str, *, namespace: str | None = None, if_version: int | None = None
    ) -> None:
        self.stage(agent_id, [Operation.delete(key, if_version=if_version)], namespace=namespace)

    def stage(self, agent_id: str, operations: Iterable[Operation], *, namespace: str | None = None) -> None:
        """Several operations in one request."""
        self._transport.run(self._core.stage(agent_id, operations, namespace))

    def get_state(self, agent_id: str, key: str, *, namespace: str | None = None) -> StateResult:
        """Reads what this transaction staged last, else the agent's state; the commit is refused where it changes."""
        return self._transport.run(self._core.get_state(agent_id, key, namespace))

    def commit(self) -> int:
        """Commits and returns the commit_ts, 0 where nothing was staged; again, it returns the same.

        Raises ConflictError where something that was read has changed, TransactionError where it expired. An error
        with ``outcome_unknown`` leaves the transaction open to another ``commit()``, which finds out.
        """
        return self._transport.run(self._core.commit())

    def abort(self) -> None:
        """Drops it. Twice is fine; after a commit it is an error."""
        self._transport.run(self._core.abort())

    def __enter__(self) -> Transaction:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            if self._core.must_commit_on_exit:
                self.commit()
        elif self._core.phase is Phase.OPEN:
            try:
                self.abort()
            except StatehouseError as failure:
                # The block's own exception matters; the server drops the transaction when it expires.
                logger.warning("aborting the transaction %s failed: %s", self.txn_id, failure)
