"""Replays: the range that is asked for, each commit once, over pages and over connections that break."""

from __future__ import annotations

from datetime import datetime, timezone

import httpx
import pytest

from fake_server import FakeServer, commit, commit_event, events, head, ok, problem
from statehouse import ConnectionError, NotFoundError, RetryPolicy, StatehouseError, ValidationError

BEAT = ": heartbeat\n\n"
BROKEN = httpx.ReadError("reset")


def versions(replay: object) -> list[int]:
    return [event.version for event in replay]  # type: ignore[attr-defined]


def test_a_replay_reads_pages_up_to_the_head_of_its_start() -> None:
    server = FakeServer(head(3), ok({"items": [commit(1), commit(2)], "next": 3}), ok({"items": [commit(3)]}))
    assert versions(server.client().replay("a")) == [1, 2, 3]
    assert [request.url.query for request in server.requests[1:]] == [b"from=1&to=3&limit=100", b"from=3&to=3&limit=100"]


def test_a_replay_of_an_agent_without_commits_is_empty() -> None:
    assert versions(FakeServer(problem("SH-1007", 404)).client().replay("a")) == []


@pytest.mark.parametrize(("start", "found"), [(10, 1), (11, 2), (20, 2), (30, 3), (31, 4)])
def test_the_start_is_found_by_binary_search(start: int, found: int) -> None:
    ts = {1: 10, 2: 20, 3: 30}

    def one(request: httpx.Request) -> httpx.Response:
        version = int(request.url.path.rsplit("/", 1)[1])
        return ok(commit(version, ts[version]))

    def page(request: httpx.Request) -> httpx.Response:
        first = int(request.url.params["from"])
        return ok({"items": [commit(version, ts[version]) for version in range(first, 4)]})

    answer = lambda request: page(request) if request.url.path.endswith("/commits") else one(request)  # noqa: E731
    server = FakeServer(head(3), *[answer] * 4)
    assert versions(server.client().replay("a", start)) == list(range(found, 4))


def test_the_end_is_inclusive_and_ends_the_reading() -> None:
    server = FakeServer(head(9), ok({"items": [commit(1, 10), commit(2, 20), commit(3, 30)], "next": 4}))
    assert versions(server.client().replay("a", end=20)) == [1, 2]
    assert server.left == 0


def test_bounds_may_be_times() -> None:
    moment = datetime(2026, 1, 31, 9, 5, 0, 123, tzinfo=timezone.utc)
    later = commit(2) | {"time": "2026-01-31T09:05:00.000124Z"}
    server = FakeServer(head(2), ok({"items": [commit(1), later]}))
    assert versions(server.client().replay("a", end=moment)) == [1]


@pytest.mark.parametrize("bound", [datetime(2026, 1, 1), True, "7"])
def test_a_bound_that_is_none_is_refused(bound: object) -> None:
    with pytest.raises(ValidationError):
        list(FakeServer().client().replay("a", bound))  # type: ignore[arg-type]


def test_following_with_an_end_is_refused() -> None:
    with pytest.raises(ValidationError, match="no end"):
        FakeServer().client().replay("a", end=3, follow=True)


def test_a_follower_sees_each_commit_once_over_broken_connections() -> None:
    half = commit_event(4)[:-20]
    server = FakeServer(
        head(2),
        events(BEAT, commit_event(1), commit_event(2)),
        BROKEN,
        problem("SH-2001", 503),
        events(BEAT, commit_event(2), commit_event(3), half),
        events(BEAT, commit_event(4)),
        problem("SH-1008", 410),
    )
    seen = []
    with pytest.raises(NotFoundError):
        for event in server.client(retries=RetryPolicy(delay_s=0)).replay("a", follow=True):
            seen.append(event.version)
    assert seen == [1, 2, 3, 4]
    streams = server.requests[1:]
    assert streams[0].url.query == b"from=1" and "last-event-id" not in streams[0].headers
    assert [request.headers.get("last-event-id") for request in streams[1:]] == ["2", "2", "2", "3", "4"]
    assert all(request.headers["accept"] == "text/event-stream" for request in streams)


def test_a_follower_of_an_agent_without_commits_waits_for_the_first() -> None:
    server = FakeServer(problem("SH-1007", 404), events(BEAT, commit_event(1)))
    assert next(server.client().replay("a", follow=True)).version == 1


def test_a_follower_passes_over_what_came_before_its_start() -> None:
    server = FakeServer(problem("SH-1007", 404), events(BEAT, commit_event(1, 5), commit_event(2, 9)))
    assert next(server.client().replay("a", start=9, follow=True)).version == 2


def test_a_follower_gives_up_after_its_bound_without_progress() -> None:
    server = FakeServer(head(1), events(BEAT), events(BEAT), events(BEAT))
    with pytest.raises(ConnectionError, match="ended the connection"):
        list(server.client().replay("a", follow=True))
    assert server.left == 0


def test_progress_resets_a_followers_bound() -> None:
    rounds = [answer for n in range(1, 6) for answer in (events(BEAT), events(BEAT, commit_event(n)))]
    server = FakeServer(head(1), *rounds, events(BEAT), events(BEAT))
    seen = []
    with pytest.raises(ConnectionError):
        for event in server.client().replay("a", follow=True):
            seen.append(event.version)
    assert seen == [1, 2, 3, 4, 5] and server.left == 0


def test_an_error_event_is_raised_unless_repeating_helps() -> None:
    error = 'event: error\ndata: {"code":"%s","status":%d,"detail":"d"}\n\n'
    server = FakeServer(head(1), events(BEAT, error % ("SH-2001", 503)), events(BEAT, error % ("SH-9001", 500)))
    with pytest.raises(StatehouseError) as raised:
        list(server.client().replay("a", follow=True))
    assert raised.value.code == "SH-9001" and server.left == 0


def test_a_page_in_place_of_a_stream_is_an_error() -> None:
    with pytest.raises(StatehouseError, match="HTTP 200"):
        list(FakeServer(head(1), ok({"items": []})).client().replay("a", follow=True))
