"""An agent's history: a range of it page by page, or all of it and then each new commit."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Union

from . import _json, _parse, _wire
from ._api import Api
from ._retry import FAULTS, Flow, delay_before_repeat, exchange, logger
from ._sse import COMMENT, EventParser, ServerEvent
from ._wire import Request
from .errors import ConnectionError, NotFoundError, StatehouseError, ValidationError
from .types import ReplayEvent, RetryPolicy

# Small enough that a page of large commits fits into memory.
PAGE = 100

# A commit_ts, or a time; both grow along an agent.
Bound = Union[int, datetime]


@dataclass(frozen=True, slots=True)
class Span:
    """The versions from..to, both inclusive, up to the first commit beyond ``end``."""

    from_version: int
    to_version: int
    end: Bound | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """rest: what to ask for next; None at the end."""

    events: list[ReplayEvent]
    rest: Span | None


class History:
    """One agent's."""

    def __init__(self, api: Api, agent_id: str, namespace: str | None) -> None:
        self._api = api
        self._agent_id = agent_id
        self._namespace = api.in_namespace(namespace)
        self._path = api.agent_path(agent_id, namespace) + "/commits"

    @staticmethod
    def refuse_end(end: Bound | None) -> None:
        if end is not None:
            raise ValidationError(
                "A replay that follows has no end; leave end out.", code="SH-1003", details={"field": "end"}
            )

    def span(self, start: Bound | None, end: Bound | None) -> Flow[Span | None]:
        """The range as it stands now; None where the agent has no commit."""
        _check(start, "start")
        _check(end, "end")
        try:
            head = yield from self._api.head(self._agent_id, self._namespace)
        except NotFoundError:
            return None
        first = head.first_version
        if start is not None:
            first = yield from self._find_first(start, first, head.version)
        return Span(first, head.version, end)

    def page(self, span: Span) -> Flow[Page]:
        if span.from_version > span.to_version:
            return Page([], None)
        parameters = {"from": span.from_version, "to": span.to_version, "limit": PAGE}
        reply = yield from self._get(self._path + _wire.query(**parameters))
        body = self._api.object_of(reply)
        events = [self.event(item) for item in _parse.items(body)]
        within = [event for event in events if span.end is None or not _is_after(event, span.end)]
        following = body.get("next")
        if following is None or len(within) < len(events):
            return Page(within, None)
        return Page(within, Span(following, span.to_version, span.end))

    def follower(self, start: Bound | None) -> Flow[Follower]:
        """Ready to follow from the first commit at or after ``start``."""
        span = yield from self.span(start, None)
        return Follower(self, start, span.from_version if span is not None else 1)

    def event(self, item: _parse.Json) -> ReplayEvent:
        return _parse.event(item, self._namespace, self._agent_id)

    def event_of(self, text: bytes) -> ReplayEvent:
        item = _json.decode(text, self._api.parse_float)
        if not isinstance(item, dict):
            raise StatehouseError(f"An event should hold a commit; it holds {text[:100]!r}")
        return self.event(item)

    def stream_request(self, from_version: int, last_seen: int) -> Request:
        headers = [("Accept", b"text/event-stream"), ("Cache-Control", b"no-store")]
        if last_seen > 0:
            headers.append(("Last-Event-ID", b"%d" % last_seen))
            return Request("GET", self._path, headers=tuple(headers), repeatable=True)
        return Request("GET", self._path + _wire.query(**{"from": from_version}), headers=tuple(headers), repeatable=True)

    @property
    def policy(self) -> RetryPolicy:
        return self._api.policy

    def _find_first(self, start: Bound, low: int, high: int) -> Flow[int]:
        """Binary search for the first version at or after start; high + 1 where there is none."""
        while low <= high:
            middle = (low + high) // 2
            reply = yield from self._get(f"{self._path}/{middle}")
            if _is_before(self.event(self._api.object_of(reply)), start):
                low = middle + 1
            else:
                high = middle - 1
        return low

    def _get(self, target: str) -> Flow[_wire.Reply]:
        return exchange(Request("GET", target, repeatable=True), self.policy)


class Follower:
    """Sees each commit once, over as many connections as it takes."""

    def __init__(
        self, history: History, start: Bound | None, from_version: int, chance: Callable[[], float] = random.random
    ) -> None:
        self._history = history
        self._start = start
        self._from = from_version
        self._chance = chance
        self._last_seen = 0
        self._failures = 0
        self._signs_of_life = 0
        self._parser = EventParser()

    def connect(self) -> Request:
        """What to send; the reply's chunks go to :meth:`feed`."""
        self._parser = EventParser()
        self._signs_of_life = 0
        return self._history.stream_request(self._from, self._last_seen)

    def feed(self, chunk: bytes) -> Iterator[ReplayEvent]:
        for event in self._parser.feed(chunk):
            # Every connection starts with a comment; only what comes after it shows that the server can go on.
            self._signs_of_life += 1
            if self._signs_of_life > 1:
                self._failures = 0
            commit = self._commit_of(event)
            if commit is None or commit.version <= self._last_seen:
                continue
            self._last_seen = commit.version
            # Commits that were made between the search for the start and the connection.
            if self._start is None or not _is_before(commit, self._start):
                yield commit

    def delay_after(self, error: StatehouseError | None) -> float:
        """Seconds to wait before connecting again. Raises the error where that cannot help.

        error: None where the server ended the connection in order, as it does when it stops.
        """
        error = error or ConnectionError("The server ended the connection.")
        self._failures += 1
        policy = self._history.policy
        delay = delay_before_repeat(policy, self._failures, error, self._chance)
        if delay is None or not isinstance(error, FAULTS) or self._failures >= policy.follow_attempts:
            raise error
        logger.info("following failed (%s); attempt %d follows in %.2f s", error, self._failures + 1, delay)
        return delay

    def _commit_of(self, event: ServerEvent) -> ReplayEvent | None:
        if event is COMMENT or event.data is None:
            return None
        if event.kind == "error":
            raise _wire.problem_error(event.data)
        return self._history.event_of(event.data) if event.kind == "commit" else None


def _check(bound: Bound | None, name: str) -> None:
    if isinstance(bound, datetime):
        _wire.instant(bound)
    elif bound is not None and (isinstance(bound, bool) or not isinstance(bound, int)):
        raise ValidationError(
            f"{name} must be a commit_ts or a datetime; this is {type(bound).__name__}.",
            code="SH-1003",
            details={"field": name},
        )


def _is_before(event: ReplayEvent, bound: Bound) -> bool:
    return event.time < bound if isinstance(bound, datetime) else event.commit_ts < bound


def _is_after(event: ReplayEvent, bound: Bound) -> bool:
    return event.time > bound if isinstance(bound, datetime) else event.commit_ts > bound
