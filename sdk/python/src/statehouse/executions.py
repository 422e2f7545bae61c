"""What the operations on executions take and give: immutable, plain Python values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Status = Literal["pending", "running", "paused", "completed", "failed", "cancelled"]

FINAL_STATUSES: frozenset[str] = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works on an execution. token: counts the claims; a write that carries an older one is refused."""

    worker: str
    token: int
    until: datetime


@dataclass(frozen=True, slots=True)
class ExecutionFailure:
    """Why an execution failed. details: any JSON."""

    message: str
    type: str | None = None
    details: Any = None

    @classmethod
    def of(cls, error: ExecutionFailure | BaseException | str) -> ExecutionFailure:
        if isinstance(error, ExecutionFailure):
            return error
        if isinstance(error, str):
            return cls(error)
        return cls(str(error) or type(error).__name__, type(error).__name__)


@dataclass(frozen=True, slots=True)
class ExecutionSettings:
    """checkpoint_interval: at most every so many checkpoints is kept whole, the others as differences.
    checkpoint_retention: how many can be loaded at least; 0 = all. recovery_timeout_s: how long a lease lasts."""

    checkpoint_interval: int
    checkpoint_retention: int
    recovery_timeout_s: float


@dataclass(frozen=True, slots=True)
class Execution:
    """A run of a workflow, as it stands.

    step: of the last checkpoint; None before the first.
    checkpoints: how many were ever made. state_bytes: of the latest state's JSON text.
    attempt: how often it was claimed.
    version: counts its commits. settings, result and hash are None, and commit_ts may be 0, in the answers of a query.
    """

    execution_id: str
    workflow: str
    status: Status
    step: int | None
    checkpoints: int
    state_bytes: int
    labels: Mapping[str, str]
    attempt: int
    max_attempts: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: ExecutionFailure | None
    lease: Lease | None
    version: int
    commit_ts: int
    result: Any = None
    settings: ExecutionSettings | None = None
    hash: str | None = None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL_STATUSES


@dataclass(frozen=True, slots=True)
class CheckpointReceipt:
    """What a saved checkpoint returns.

    durable: False where it only waits in the server's memory, which a crash loses; then version, commit_ts, time,
        txn_id and hash are not known yet: 0, None, "".
    replayed: the same checkpoint was there already; nothing was written now.
    """

    execution_id: str
    step: int
    version: int = 0
    commit_ts: int = 0
    time: datetime | None = None
    txn_id: str = ""
    hash: str = ""
    status: Status | None = None
    durable: bool = True
    lease_until: datetime | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state that was saved."""

    execution_id: str
    step: int
    state: Any
    version: int
    commit_ts: int
    time: datetime
    hash: str


@dataclass(frozen=True, slots=True)
class CheckpointEntry:
    """A checkpoint in an execution's history.

    sha256: of the state's JSON text, hexadecimal.
    restorable: False where the state was thinned.
    state: None unless it was asked for and is restorable.
    """

    step: int
    version: int
    commit_ts: int
    time: datetime
    txn_id: str
    hash: str
    state_bytes: int
    sha256: str
    restorable: bool
    state: Any = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A checkpoint with a name, which is never thinned. state: None in a list of snapshots."""

    name: str
    step: int
    version: int
    time: datetime
    state_bytes: int
    state: Any = None


@dataclass(frozen=True, slots=True)
class Claim:
    """An execution that is this worker's until its lease runs out, with its latest state (None before the first)."""

    execution: Execution
    state: Any

    @property
    def token(self) -> int:
        assert self.execution.lease is not None, "A claimed execution has a lease."
        return self.execution.lease.token


@dataclass(frozen=True, slots=True)
class TransactionReceipt:
    """What a transaction of checkpoints returns: one commit_ts for all; 0 where nothing was staged."""

    commit_ts: int
    receipts: tuple[CheckpointReceipt, ...] = ()


@dataclass(frozen=True, slots=True)
class CleanupResult:
    """matched: finished before the given time. bytes: freed, where the server says so.
    more: whether some were left out; only of a dry run, which asks once."""

    matched: int
    removed: int
    dry_run: bool
    bytes: int | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Metrics:
    """total, active (neither final nor paused) and by_status: of the namespace. The others: since the server started, all namespaces.

    checkpoint_latency_ms: ``p50``, ``p90`` and ``p99``, in milliseconds; ``None`` before the
        server has made a checkpoint.
    """

    total: int
    active: int
    by_status: Mapping[str, int]
    checkpoints: int
    checkpoint_bytes: int
    buffered: int
    claims: int
    recoveries: int
    checkpoint_latency_ms: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What became of the executions that :meth:`recover_all` claimed.

    completed, failed: ended so by the handler, or for it. left: the handler raised, and another attempt is due when
    the lease has run out; or the handler ended the run in another way (paused or cancelled it). lost: the lease was
    lost while the handler ran.
    """

    claimed: int = 0
    completed: int = 0
    failed: int = 0
    left: int = 0
    lost: int = 0


__all__ = [
    "FINAL_STATUSES", "Checkpoint", "CheckpointEntry", "CheckpointReceipt", "Claim", "CleanupResult", "Execution",
    "ExecutionFailure", "ExecutionSettings", "Lease", "Metrics", "RecoveryReport", "Snapshot", "Status",
    "TransactionReceipt",
]
