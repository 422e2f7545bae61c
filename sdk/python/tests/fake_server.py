"""Answers from a script in place of a server, and keeps what was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from statehouse import AsyncStatehouse, RetryPolicy, Statehouse

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]

# Repeats without waiting.
AT_ONCE = RetryPolicy(attempts=4, delay_s=0.0, follow_attempts=3)

TIME = "2026-01-31T09:05:00.000123Z"
RECEIPT: dict[str, Any] = {"version": 1, "commit_ts": 7, "time": TIME, "txn_id": "txn-1", "hash": "00"}
KEY: dict[str, Any] = {"key": "k", "exists": True, "value": 1, "version": 1, "commit_ts": 7, "agent_version": 1, "time": TIME}
BEGUN = {"txn_id": "txn-1", "timeout_ms": 30000, "expires_at": "2026-01-31T09:05:30.000000Z"}
COMMITTED = {"commit_ts": 7, "txn_id": "txn-1", "receipts": [{"namespace": "default", "agent": "a", **RECEIPT}]}


class FakeServer:
    """answers: one for each request, in order. One request more is a failure of the test."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    @property
    def left(self) -> int:
        return len(self._answers)

    def client(self, **options: Any) -> Statehouse:
        options.setdefault("retries", AT_ONCE)
        return Statehouse("http://test", http_client=httpx.Client(transport=httpx.MockTransport(self.answer)), **options)

    def async_client(self, **options: Any) -> AsyncStatehouse:
        options.setdefault("retries", AT_ONCE)
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return AsyncStatehouse("http://test", http_client=http, **options)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        assert self._answers, f"No more requests were expected; this is {request.method} {request.url}"
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)


def ok(body: object, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers)


def problem(code: str, status: int, *, retry_after: int | None = None, **members: object) -> httpx.Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    body = {"type": f"/errors/{code}", "title": "t", "status": status, "detail": "what happened", "code": code}
    text = json.dumps(body | {"request_id": "r-1"} | members)
    return httpx.Response(status, content=text, headers={"Content-Type": "application/problem+json", **headers})


def events(*lines: str) -> httpx.Response:
    return httpx.Response(200, content="".join(lines), headers={"Content-Type": "text/event-stream"})


def commit_event(version: int, commit_ts: int | None = None) -> str:
    return f"id: {version}\nevent: commit\ndata: {json.dumps(commit(version, commit_ts))}\n\n"


def commit(version: int, commit_ts: int | None = None, txn_id: str = "txn-0") -> dict[str, Any]:
    operation = {"op": "put", "key": "k", "value": version, "version": version}
    ts = version if commit_ts is None else commit_ts
    return RECEIPT | {"version": version, "commit_ts": ts, "txn_id": txn_id, "operations": [operation]}


def head(version: int) -> httpx.Response:
    body = {"namespace": "default", "agent": "a", "first_version": 1, "key_count": 1, "bytes": 1}
    return ok(RECEIPT | body | {"version": version})
