"""One execution in memory, and the rules of docs/executions.md on it: for tests without a server."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from . import _json
from ._wire import instant
from .executions import FINAL_STATUSES

STATUS_OF_CODE = {"SH-1001": 409, "SH-1002": 422, "SH-1003": 400, "SH-1004": 413, "SH-1007": 404, "SH-1008": 410}

SNAPSHOTS_MAX = 100


class Refusal(Exception):
    """Nothing was written."""

    def __init__(self, code: str, message: str, **details: object) -> None:
        super().__init__(message)
        self.code = code
        self.details = details


@dataclass(slots=True)
class Entry:
    """A checkpoint. state: its JSON text; None where it was thinned."""

    step: int
    version: int
    commit_ts: int
    time: datetime
    txn_id: str
    hash: str
    sha256: str
    state_bytes: int
    state: bytes | None

    def value(self) -> Any:
        return None if self.state is None else _json.decode(self.state, Decimal)

    def head_json(self) -> dict[str, Any]:
        return {"step": self.step, "version": self.version, "commit_ts": self.commit_ts, "time": instant(self.time), "hash": self.hash}


@dataclass(slots=True)
class Run:
    """token: the newest that was handed out. void: tokens up to this one are worth nothing, whatever was handed out.
    due: from when on it can be claimed; None where it cannot."""

    execution_id: str
    workflow: str
    labels: dict[str, str]
    settings: dict[str, int]
    max_attempts: int
    content: bytes
    now: datetime
    status: str = "pending"
    attempt: int = 0
    token: int = 0
    void: int = 0
    lease: dict[str, Any] | None = None
    due: datetime | None = None
    created_at: datetime = field(init=False)
    updated_at: datetime = field(init=False)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: Any = None
    result: Any = None
    version: int = 0
    commit_ts: int = 0
    hash: str = "00"
    checkpoints: int = 0
    entries: list[Entry] = field(default_factory=list)
    restored: Entry | None = None
    snapshots: dict[str, Entry] = field(default_factory=dict)
    answers: dict[str, tuple[object, dict[str, Any]]] = field(default_factory=dict)
    buffer: list[tuple[int, bytes, int | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.created_at = self.updated_at = self.now
        self.due = self.now

    @property
    def latest(self) -> Entry | None:
        """What was restored stands here, but not in the history: it was a checkpoint before."""
        return self.restored or (self.entries[-1] if self.entries else None)

    @property
    def step(self) -> int | None:
        return None if self.latest is None else self.latest.step

    @property
    def timeout(self) -> timedelta:
        return timedelta(milliseconds=self.settings["recovery_timeout_ms"])

    def commit(self, now: datetime, commit_ts: int) -> None:
        self.now = self.updated_at = max(now, self.updated_at)
        self.version += 1
        self.commit_ts = commit_ts
        self.hash = hashlib.sha256(f"{self.hash}/{self.version}/{commit_ts}".encode()).hexdigest()

    def check_token(self, given: int | None, now: datetime, *, needed: bool) -> None:
        if given is not None and (given != self.token or given <= self.void):
            raise Refusal("SH-1001", f"The token {given} is not the newest, {self.token}.", token=self.token, given=given)
        if given is None and needed and self.lease is not None and self.lease["until"] > now:
            raise Refusal("SH-1001", f"The lease of token {self.token} is held, and no token was given.", token=self.token)

    def check_status(self, *allowed: str) -> None:
        if self.status not in allowed:
            raise Refusal("SH-1001", f"The execution is {self.status}.", status=self.status)

    def check_checkpoint(self, step: int, state: bytes, token: int | None, now: datetime) -> Entry | None:
        """The entry that the same call made before; None where it is to be made."""
        self.check_token(token, now, needed=True)
        latest = self.latest
        if latest is None or step > latest.step:
            self.check_status("pending", "running")
            return None
        if step == latest.step and latest.state == state:
            return latest
        raise Refusal("SH-1001", f"The last step is {latest.step}; step {step} is not above it.", step=latest.step)

    def add(self, step: int, state: bytes, txn_id: str) -> Entry:
        """After :meth:`commit`."""
        self.checkpoints += 1
        digest = hashlib.sha256(state).hexdigest()
        entry = Entry(step, self.version, self.commit_ts, self.now, txn_id, self.hash, digest, len(state), state)
        self.entries.append(entry)
        self.restored = None
        self.thin(slack=self.settings["checkpoint_interval"])
        return entry

    def bring_back(self, old: Entry, txn_id: str) -> None:
        """After :meth:`commit`."""
        self.restored = Entry(old.step, self.version, self.commit_ts, self.now, txn_id, self.hash, old.sha256, old.state_bytes, old.state)

    def go_on(self, now: datetime) -> None:
        """Running, with the lease extended where there is one."""
        self.status = "running"
        self.started_at = self.started_at or now
        self.due = now + self.timeout
        if self.lease is not None:
            self.lease = self.lease | {"until": self.due}

    def claim(self, worker: str, now: datetime, lease: timedelta) -> None:
        self.token += 1
        self.attempt += 1
        self.go_on(now)
        self.due = now + lease
        self.lease = {"worker": worker, "token": self.token, "until": self.due}

    def let_go(self, status: str, now: datetime, *, due: datetime | None = None) -> None:
        """The lease ends, and the worker's token with it."""
        self.status = status
        self.lease = None
        self.void = self.token
        self.due = due
        self.finished_at = now if status in FINAL_STATUSES else None

    def find(self, step: int) -> Entry:
        """The newest of that step."""
        found = next((entry for entry in reversed(self.entries) if entry.step == step), None)
        if found is None:
            raise Refusal("SH-1007", f"There is no checkpoint {step}.", step=step)
        if found.state is None:
            kept = [entry.step for entry in self.entries if entry.state is not None]
            nearest = min(kept, key=lambda at: (abs(at - step), -at))
            raise Refusal("SH-1008", f"The state of step {step} was thinned.", step=step, nearest_step=nearest)
        return found

    def thin(self, slack: int = 0) -> list[Entry]:
        retention = self.settings["checkpoint_retention"]
        kept = [entry for entry in self.entries if entry.state is not None]
        if retention == 0 or len(kept) <= retention + slack:
            return []
        named = {entry.version for entry in self.snapshots.values()}
        gone = [entry for entry in kept[: len(kept) - retention] if entry.version not in named]
        for entry in gone:
            entry.state = None
        return gone

    def json(self, *, whole: bool = True) -> dict[str, Any]:
        latest = self.latest
        body: dict[str, Any] = {
            "execution_id": self.execution_id, "workflow": self.workflow, "status": self.status, "step": self.step,
            "checkpoints": self.checkpoints, "state_bytes": 0 if latest is None else latest.state_bytes, "labels": self.labels,
            "attempt": self.attempt, "max_attempts": self.max_attempts, "created_at": instant(self.created_at),
            "updated_at": instant(self.updated_at), "started_at": _time(self.started_at), "finished_at": _time(self.finished_at),
            "error": self.error, "lease": self.lease_json(), "version": self.version, "commit_ts": self.commit_ts,
        }
        return body | {"settings": self.settings, "result": self.result, "hash": self.hash} if whole else body

    def lease_json(self) -> dict[str, Any] | None:
        return None if self.lease is None else self.lease | {"until": instant(self.lease["until"])}

    def receipt_json(self, entry: Entry, *, replayed: bool = False) -> dict[str, Any]:
        body = {"execution_id": self.execution_id, **entry.head_json(), "txn_id": entry.txn_id, "status": self.status, "durable": True}
        until = None if self.lease is None else instant(self.lease["until"])
        return body | {"lease_until": until} | ({"replayed": True} if replayed else {})


def bounded(body: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Refusal("SH-1003", f"{name} must be {low}..{high}; this is {value!r}.", field=name, limit=f"{low}..{high}", value=str(value))
    return value


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else instant(moment)
