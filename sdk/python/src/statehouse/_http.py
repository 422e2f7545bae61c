"""The two transports: they run flows over httpx, one blocking, one with asyncio (or trio, through anyio)."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

import anyio
import httpx

from . import _wire
from ._retry import Flow, Pause
from ._version import __version__
from ._wire import Reply, Request
from .errors import ConnectionError, StatehouseError, TimeoutError, ValidationError

T = TypeVar("T")

# Three heartbeats of the server: longer silence means that the connection is dead.
FOLLOW_SILENCE_S = 45.0


@dataclass(frozen=True, slots=True)
class Settings:
    """url without a path of its own; timeout_s bounds each single network operation.

    compressed: whether answers may come compressed.
    """

    url: str
    timeout_s: float
    max_connections: int
    compressed: bool = True

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValidationError(
                f"The URL must be like http://127.0.0.1:8080; this is {self.url!r}.", code="SH-1003", details={"field": "url"}
            )

    def client_options(self) -> dict[str, object]:
        return {
            "timeout": httpx.Timeout(self.timeout_s),
            "limits": httpx.Limits(max_connections=self.max_connections, max_keepalive_connections=self.max_connections),
            "headers": {"User-Agent": f"statehouse-python/{__version__}"},
            # A proxy cannot reach this machine's own loopback.
            "trust_env": urlsplit(self.url).hostname not in ("127.0.0.1", "localhost", "::1"),
        }

    def arguments(self, request: Request) -> dict[str, object]:
        headers: list[tuple[bytes, bytes]] = [(name.encode(), value) for name, value in request.headers]
        if not self.compressed:
            headers.append((b"Accept-Encoding", b"identity"))
        if request.body is not None:
            headers.append((b"Content-Type", b"application/json"))
        return {
            "method": request.method,
            "url": self.url.rstrip("/") + request.target,
            "content": request.body,
            "headers": headers,
        }

    def follow_timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self.timeout_s, read=max(FOLLOW_SILENCE_S, self.timeout_s))


class SyncTransport:
    def __init__(self, settings: Settings, http: httpx.Client | None) -> None:
        self._settings = settings
        self._http = http or httpx.Client(**settings.client_options())  # type: ignore[arg-type]
        self._is_ours = http is None

    def run(self, flow: Flow[T]) -> T:
        advance: Callable[[], Request | Pause] = flow.__next__
        while True:
            try:
                step = advance()
            except StopIteration as done:
                result: T = done.value
                return result
            advance = self._perform(step, flow)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    @contextmanager
    def stream(self, request: Request) -> Iterator[Iterator[bytes]]:
        with translated(request, self._http.is_closed):
            options = self._settings.arguments(request)
            with self._http.stream(**options, timeout=self._settings.follow_timeout()) as response:  # type: ignore[arg-type]
                if not _is_event_stream(response):
                    response.read()
                    raise _wire.error_of(_reply(response))
                yield response.iter_bytes()

    def close(self) -> None:
        if self._is_ours:
            self._http.close()

    def _perform(self, step: Request | Pause, flow: Flow[T]) -> Callable[[], Request | Pause]:
        if isinstance(step, Pause):
            self.sleep(step.seconds)
            return partial(flow.send, None)
        try:
            with translated(step, self._http.is_closed):
                response = self._http.request(**self._settings.arguments(step))  # type: ignore[arg-type]
                _send_at_once(response)
                reply = _reply(response)
        except StatehouseError as error:
            return partial(flow.throw, error)
        return partial(flow.send, reply)


class AsyncTransport:
    def __init__(self, settings: Settings, http: httpx.AsyncClient | None) -> None:
        self._settings = settings
        self._http = http or httpx.AsyncClient(**settings.client_options())  # type: ignore[arg-type]
        self._is_ours = http is None

    async def run(self, flow: Flow[T]) -> T:
        advance: Callable[[], Request | Pause] = flow.__next__
        while True:
            try:
                step = advance()
            except StopIteration as done:
                result: T = done.value
                return result
            advance = await self._perform(step, flow)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[AsyncIterator[bytes]]:
        with translated(request, self._http.is_closed):
            options = self._settings.arguments(request)
            async with self._http.stream(**options, timeout=self._settings.follow_timeout()) as response:  # type: ignore[arg-type]
                if not _is_event_stream(response):
                    await response.aread()
                    raise _wire.error_of(_reply(response))
                yield response.aiter_bytes()

    async def close(self) -> None:
        if self._is_ours:
            await self._http.aclose()

    async def _perform(self, step: Request | Pause, flow: Flow[T]) -> Callable[[], Request | Pause]:
        if isinstance(step, Pause):
            await self.sleep(step.seconds)
            return partial(flow.send, None)
        try:
            with translated(step, self._http.is_closed):
                reply = _reply(await self._http.request(**self._settings.arguments(step)))  # type: ignore[arg-type]
        except StatehouseError as error:
            return partial(flow.throw, error)
        return partial(flow.send, reply)


@contextmanager
def translated(request: Request, is_closed: bool) -> Iterator[None]:
    """httpx's exceptions as ours, with whether the request may have reached the server."""
    if is_closed:
        raise StatehouseError("The client is closed.")
    where = f"{request.method} {request.target[:200]}"
    try:
        yield
    except (httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise TimeoutError(f"{where}: no connection within the timeout.") from error
    except httpx.TimeoutException as error:
        raise TimeoutError(f"{where}: no answer within the timeout.", outcome_unknown=request.writes) from error
    except httpx.ConnectError as error:
        raise ConnectionError(f"{where}: the server cannot be reached: {error}") from error
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise ValidationError(f"{where}: this cannot be sent: {error}", code="SH-1003") from error
    except httpx.HTTPError as error:
        what = str(error) or type(error).__name__
        raise ConnectionError(f"{where}: the connection broke: {what}", outcome_unknown=request.writes) from error


def _send_at_once(response: httpx.Response) -> None:
    """Switches off Nagle's algorithm on the connection that answered, for the requests that will use it next.

    httpcore before 1.0 leaves it on in blocking clients: a body, written after its headers, would wait some 40 ms
    for their acknowledgement.
    """
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None
    if isinstance(connection, socket.socket) and connection.fileno() >= 0:
        with suppress(OSError):  # Closed by now, or no TCP at all: then there is nothing to switch off.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _reply(response: httpx.Response) -> Reply:
    return Reply(response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.content)


def _is_event_stream(response: httpx.Response) -> bool:
    media_type = response.headers.get("content-type", "")
    return response.status_code == 200 and media_type.split(";")[0].strip() == "text/event-stream"
