"""Server-sent events (WHATWG HTML section 9.2) from bytes, in whatever pieces they come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .errors import StatehouseError

# The largest commit is 8 MiB, and JSON escapes may make its text up to six times as long.
EVENT_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """data: the joined data lines; None for a comment, which only shows that the connection is alive."""

    kind: str
    data: bytes | None
    id: str = ""


COMMENT = ServerEvent("comment", None)


class EventParser:
    """One connection's bytes; make a new one for the next connection, half an event must not live on."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held = 0
        self._data: list[bytes] = []
        self._kind = ""
        self._id = ""

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that are complete with this chunk."""
        self._parts.append(chunk)
        self._held += len(chunk)
        if self._held > EVENT_BYTES_MAX:
            raise StatehouseError(f"An event is larger than {EVENT_BYTES_MAX} bytes.")
        # Joined only when a line ends: a long line in many chunks is copied once.
        if b"\n" not in chunk and b"\r" not in chunk:
            return
        text = b"".join(self._parts)
        # A carriage return at the very end may be half of a CRLF.
        end = max(text.rfind(b"\n"), text.rfind(b"\r", 0, len(text) - 1)) + 1
        self._parts = [text[end:]]
        for line in text[:end].splitlines():
            event = self._take(line)
            if event is not None:
                yield event
        self._held = len(self._parts[0]) + sum(map(len, self._data))

    def _take(self, line: bytes) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not name:
            return COMMENT
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._kind = value.decode(errors="replace")
        elif name == b"id":
            self._id = value.decode(errors="replace")
        return None

    def _dispatch(self) -> ServerEvent | None:
        event = ServerEvent(self._kind or "message", b"\n".join(self._data), self._id) if self._data else None
        self._data, self._kind = [], ""
        return event
