from __future__ import annotations

import random

import pytest

from statehouse import StatehouseError
from statehouse._sse import COMMENT, EVENT_BYTES_MAX, EventParser, ServerEvent

STREAM = (
    b": heartbeat\n\n"
    b"id: 1\nevent: commit\ndata: {\"a\":\ndata:  1}\n\n"
    b"id: 2\r\nevent: commit\r\ndata:x\r\n\r\n"
    b"data: no id\r\r\n"
    b"event: empty\n\n"
    b"unknown: field\nretry: 3\ndata\n\n"
    b"data: never finished\n"
)
EVENTS = [
    COMMENT,
    ServerEvent("commit", b"{\"a\":\n 1}", "1"),
    ServerEvent("commit", b"x", "2"),
    ServerEvent("message", b"no id", "2"),
    ServerEvent("message", b"", "2"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_events_are_the_same_however_the_bytes_are_cut(size: int) -> None:
    parser = EventParser()
    chunks = [STREAM[i : i + size] for i in range(0, len(STREAM), size)]
    assert [event for chunk in chunks for event in parser.feed(chunk)] == EVENTS


@pytest.mark.parametrize("seed", range(50))
def test_events_are_the_same_in_random_pieces(seed: int) -> None:
    chance = random.Random(seed)
    parser, rest = EventParser(), STREAM
    events: list[ServerEvent] = []
    while rest:
        size = chance.randint(1, 20)
        events.extend(parser.feed(rest[:size]))
        rest = rest[size:]
    assert events == EVENTS, f"seed {seed}"


def test_a_value_may_hold_unicode_line_separators() -> None:
    text = "a\u2028b\u0085c\x0bd".encode()
    assert [event.data for event in EventParser().feed(b"data: " + text + b"\n\n")] == [text]


def test_an_event_without_end_is_refused_before_memory_is() -> None:
    parser = EventParser()
    chunk = b"x" * (8 * 1024 * 1024)
    with pytest.raises(StatehouseError, match="larger than"):
        for _ in range(EVENT_BYTES_MAX // len(chunk) + 1):
            assert list(parser.feed(chunk)) == []
