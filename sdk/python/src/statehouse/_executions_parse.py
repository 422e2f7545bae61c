"""From the server's JSON objects to the types of :mod:`statehouse.executions`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from ._parse import member
from ._wire import time_of
from .executions import (
    Checkpoint,
    CheckpointEntry,
    CheckpointReceipt,
    Claim,
    CleanupResult,
    Execution,
    ExecutionFailure,
    ExecutionSettings,
    Lease,
    Metrics,
    Snapshot,
    Status,
)

Json = Mapping[str, Any]


def execution(body: Json) -> Execution:
    error, held, settings = body.get("error"), body.get("lease"), body.get("settings")
    return Execution(
        execution_id=member(body, "execution_id", str),
        workflow=member(body, "workflow", str),
        status=cast(Status, member(body, "status", str)),
        step=body.get("step"),
        checkpoints=member(body, "checkpoints", int),
        state_bytes=member(body, "state_bytes", int),
        labels=member(body, "labels", dict),
        attempt=member(body, "attempt", int),
        max_attempts=member(body, "max_attempts", int),
        created_at=time_of(member(body, "created_at", str)),
        updated_at=time_of(member(body, "updated_at", str)),
        started_at=_time(body, "started_at"),
        finished_at=_time(body, "finished_at"),
        error=None if error is None else ExecutionFailure(member(error, "message", str), error.get("type"), error.get("details")),
        lease=None if held is None else lease(held),
        version=member(body, "version", int),
        commit_ts=body.get("commit_ts", 0),
        result=body.get("result"),
        settings=None if settings is None else _settings(settings),
        hash=body.get("hash"),
    )


def lease(body: Json) -> Lease:
    return Lease(member(body, "worker", str), member(body, "token", int), time_of(member(body, "until", str)))


def claim(body: Json) -> Claim:
    return Claim(execution(body), body.get("state"))


def receipt(body: Json, *, replayed: bool = False) -> CheckpointReceipt:
    execution_id, step = member(body, "execution_id", str), member(body, "step", int)
    if body.get("durable") is False:
        return CheckpointReceipt(execution_id, step, durable=False)
    return CheckpointReceipt(
        execution_id=execution_id,
        step=step,
        version=member(body, "version", int),
        commit_ts=member(body, "commit_ts", int),
        time=time_of(member(body, "time", str)),
        txn_id=member(body, "txn_id", str),
        hash=member(body, "hash", str),
        status=body.get("status"),
        lease_until=_time(body, "lease_until"),
        replayed=replayed or body.get("replayed") is True,
    )


def checkpoint(body: Json) -> Checkpoint:
    return Checkpoint(
        execution_id=member(body, "execution_id", str),
        step=member(body, "step", int),
        state=body.get("state"),
        version=member(body, "version", int),
        commit_ts=member(body, "commit_ts", int),
        time=time_of(member(body, "time", str)),
        hash=member(body, "hash", str),
    )


def entry(body: Json) -> CheckpointEntry:
    return CheckpointEntry(
        step=member(body, "step", int),
        version=member(body, "version", int),
        commit_ts=member(body, "commit_ts", int),
        time=time_of(member(body, "time", str)),
        txn_id=member(body, "txn_id", str),
        hash=member(body, "hash", str),
        state_bytes=member(body, "state_bytes", int),
        sha256=member(body, "sha256", str),
        restorable=member(body, "restorable", bool),
        state=body.get("state"),
    )


def snapshot(body: Json) -> Snapshot:
    return Snapshot(
        name=member(body, "name", str),
        step=member(body, "step", int),
        version=member(body, "version", int),
        time=time_of(member(body, "time", str)),
        state_bytes=member(body, "state_bytes", int),
        state=body.get("state"),
    )


def cleanup(body: Json) -> CleanupResult:
    return CleanupResult(
        matched=member(body, "matched", int),
        removed=member(body, "removed", int),
        dry_run=member(body, "dry_run", bool),
        bytes=body.get("bytes"),
        more=body.get("more") is True,
    )


def metrics(body: Json) -> Metrics:
    return Metrics(
        total=member(body, "total", int),
        active=member(body, "active", int),
        by_status=member(body, "by_status", dict),
        checkpoints=member(body, "checkpoints", int),
        checkpoint_bytes=member(body, "checkpoint_bytes", int),
        buffered=member(body, "buffered", int),
        claims=member(body, "claims", int),
        recoveries=member(body, "recoveries", int),
        checkpoint_latency_ms=member(body, "checkpoint_latency_ms", dict),
    )


def _settings(body: Json) -> ExecutionSettings:
    return ExecutionSettings(
        checkpoint_interval=member(body, "checkpoint_interval", int),
        checkpoint_retention=member(body, "checkpoint_retention", int),
        recovery_timeout_s=member(body, "recovery_timeout_ms", int) / 1000,
    )


def _time(body: Json, name: str) -> datetime | None:
    text = body.get(name)
    return None if text is None else time_of(text)
