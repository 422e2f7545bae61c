"""The routes of docs/executions.md on executions in memory."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from . import _json
from ._memory_runs import SNAPSHOTS_MAX, Refusal, Run, bounded
from ._wire import Request, instant, time_of
from .executions import FINAL_STATUSES

Answer = tuple[int, "dict[str, Any] | None"]

ACTIVE = ("pending", "running")
CLEANUP_MAX = 1000


class Ask:
    """One request, taken apart."""

    def __init__(self, request: Request, now: datetime) -> None:
        parts = urlsplit(request.target)
        segments = [unquote(segment) for segment in parts.path.split("/")[1:]]
        self.method = request.method
        self.namespace = segments[2]
        self.rest = segments[4:]
        self.is_metrics = parts.path.endswith("/executions/metrics")
        self.pairs = parse_qsl(parts.query, keep_blank_values=True)
        self.query = dict(self.pairs)
        self.text = request.body or b""
        headers = {name.lower(): value.decode() for name, value in request.headers}
        token = self.query.get("token") or headers.get("statehouse-token")
        self.token = None if token is None else int(token)
        self.key = headers.get("idempotency-key")
        self.now = now

    @property
    def body(self) -> dict[str, Any]:
        body = _json.decode(self.text, Decimal) if self.text else {}
        if not isinstance(body, dict):
            raise Refusal("SH-1003", "The body must be a JSON object.", field="body")
        return body

    def number(self, name: str, default: int | None = None) -> int | None:
        return int(self.query[name]) if name in self.query else default

    def page_limit(self) -> int:
        return bounded({"limit": self.number("limit", 100)}, "limit", 100, 1, 1000)


class MemoryRoutes:
    """Not safe for threads by itself."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._runs: dict[tuple[str, str], Run] = {}
        self._commits: dict[tuple[str, str], tuple[bytes, dict[str, Any]]] = {}
        self._commit_ts = 0
        self._counts = {"checkpoints": 0, "checkpoint_bytes": 0, "claims": 0, "recoveries": 0}

    def answer(self, request: Request) -> Answer:
        ask = Ask(request, self._clock())
        match (ask.method, ask.rest):
            case ("POST", []):
                return self._create(ask)
            case ("GET", []):
                return self._query(ask)
            case ("GET", ["metrics"]) if ask.is_metrics:
                return self._metrics(ask)
            case ("POST", ["claim"]):
                return self._claim(ask)
            case ("POST", ["commit"]):
                return self._commit(ask)
            case ("POST", ["cleanup"]):
                return self._cleanup(ask)
        run = self._runs.get((ask.namespace, ask.rest[0]))
        if run is None:
            raise Refusal("SH-1007", f"There is no execution {ask.rest[0]}.", execution_id=ask.rest[0])
        return self._once(ask, run) if ask.method != "GET" else self._read(ask, run)

    def _once(self, ask: Ask, run: Run) -> Answer:
        """A write with a key that was seen answers as the first did."""
        content = (ask.method, tuple(ask.rest), tuple(ask.pairs), ask.text)
        if ask.key is not None and ask.key in run.answers:
            seen, body = run.answers[ask.key]
            if seen != content:
                raise Refusal("SH-1002", "The idempotency key was used with other content.", field="Idempotency-Key")
            return 200, body | {"replayed": True}
        status, answer = self._write(ask, run)
        if ask.key is not None and answer is not None:
            run.answers[ask.key] = (content, answer)
        return status, answer

    def _read(self, ask: Ask, run: Run) -> Answer:
        match ask.rest[1:]:
            case []:
                return 200, run.json()
            case ["checkpoints"]:
                return self._history(ask, run)
            case ["checkpoints", which]:
                if which == "latest" and run.latest is None:
                    raise Refusal("SH-1007", "There is no checkpoint yet.", execution_id=run.execution_id)
                entry = run.latest if which == "latest" else run.find(int(which))
                assert entry is not None, "Refused above."
                return 200, {"execution_id": run.execution_id, **entry.head_json(), "state": entry.value()}
            case ["snapshots"]:
                return 200, {"items": [_snapshot(name, run) for name in sorted(run.snapshots)]}
            case ["snapshots", name]:
                return 200, _snapshot(name, run) | {"state": run.snapshots[name].value()}
        raise _unknown(ask)

    def _write(self, ask: Ask, run: Run) -> Answer:
        match ask.method, ask.rest[1:]:
            case "PUT", ["checkpoints", step]:
                return self._checkpoint(ask, run, int(step))
            case "POST", ["flush"]:
                return self._flush(run, ask)
            case "POST", ["heartbeat"]:
                return self._heartbeat(ask, run)
            case "POST", ["snapshots", name]:
                return self._snapshot(ask, run, name)
            case "DELETE", ["snapshots", name]:
                _snapshot(name, run)
                self._commit_to(run, ask.now)
                del run.snapshots[name]
                return 204, None
            case "POST", ["restore"]:
                return self._restore(ask, run)
            case "POST", ["thin"]:
                gone = run.thin()
                return 200, {"thinned": len(gone), "bytes": sum(entry.state_bytes for entry in gone)}
            case "POST", [("complete" | "fail" | "cancel" | "pause" | "resume") as verb]:
                return self._change(ask, run, verb)
        raise _unknown(ask)

    def _create(self, ask: Ask) -> Answer:
        body = ask.body
        name = body.get("execution_id") or str(uuid.uuid4())
        known = self._runs.get((ask.namespace, name))
        if known is not None:
            if known.content != ask.text:
                raise Refusal("SH-1002", f"There is another execution {name}.", field="execution_id")
            return 200, known.json()
        given = body.get("settings", {})
        settings = {
            "checkpoint_interval": bounded(given, "checkpoint_interval", 10, 1, 10_000),
            "checkpoint_retention": bounded(given, "checkpoint_retention", 100, 0, 1_000_000),
            "recovery_timeout_ms": bounded(given, "recovery_timeout_ms", 300_000, 100, 86_400_000),
        }
        attempts = bounded(body, "max_attempts", 3, 1, 1000)
        run = Run(name, _text(body, "workflow"), dict(body.get("labels", {})), settings, attempts, ask.text, ask.now)
        self._runs[(ask.namespace, name)] = run
        txn_id = self._commit_to(run, ask.now)
        if "state" in body:
            self._count(run.add(0, _json.encode(body["state"]), txn_id).state_bytes)
        if "claim" in body:
            self._hand_out(run, _text(body["claim"], "worker"), ask.now, run.timeout)
        return 201, run.json()

    def _checkpoint(self, ask: Ask, run: Run, step: int) -> Answer:
        _json.decode(ask.text)
        if ask.query.get("buffered") == "true":
            if run.buffer and run.buffer[-1][0] >= step:
                raise Refusal("SH-1001", f"Step {run.buffer[-1][0]} waits; step {step} is not above it.", step=run.buffer[-1][0])
            if not run.buffer:
                run.check_checkpoint(step, ask.text, ask.token, ask.now)
            run.buffer.append((step, ask.text, ask.token))
            return 202, {"execution_id": run.execution_id, "step": step, "durable": False, "buffered": len(run.buffer)}
        same = run.check_checkpoint(step, ask.text, ask.token, ask.now)
        if same is not None:
            return 200, run.receipt_json(same, replayed=True)
        return 201, self._save(run, step, ask.text, ask.now)

    def _flush(self, run: Run, ask: Ask) -> Answer:
        flushed = 0
        waiting, run.buffer = run.buffer, []
        for step, text, token in waiting:
            try:
                if run.check_checkpoint(step, text, token, ask.now) is None:
                    self._save(run, step, text, ask.now)
            except Refusal as refusal:
                raise Refusal("SH-1001", f"The buffered step {step} was refused: {refusal}", **(refusal.details | {"buffered_step": step})) from None
            flushed += 1
        return 200, {"flushed": flushed, "step": run.step, "durable": True}

    def _save(self, run: Run, step: int, text: bytes, now: datetime, txn: tuple[str, int] | None = None) -> dict[str, Any]:
        txn_id = self._commit_to(run, now, txn)
        run.go_on(run.now)
        entry = run.add(step, text, txn_id)
        self._count(entry.state_bytes)
        return run.receipt_json(entry)

    def _heartbeat(self, ask: Ask, run: Run) -> Answer:
        run.check_token(ask.token, ask.now, needed=True)
        run.check_status("running")
        if run.lease is None:
            raise Refusal("SH-1001", "Nobody holds a lease.", status=run.status)
        self._commit_to(run, ask.now)
        run.go_on(run.now)
        return 200, {"lease": run.lease_json()}

    def _snapshot(self, ask: Ask, run: Run, name: str) -> Answer:
        run.check_token(ask.token, ask.now, needed=False)
        if name in run.snapshots:
            raise Refusal("SH-1001", f"There is a snapshot {name}.", name=name)
        if len(run.snapshots) >= SNAPSHOTS_MAX:
            raise Refusal("SH-1003", f"An execution has at most {SNAPSHOTS_MAX} snapshots.", limit=SNAPSHOTS_MAX)
        step = ask.number("step", run.step)
        if step is None:
            raise Refusal("SH-1007", "There is no checkpoint yet.", execution_id=run.execution_id)
        entry = run.find(step)
        self._commit_to(run, ask.now)
        run.snapshots[name] = entry
        return 201, _snapshot(name, run)

    def _restore(self, ask: Ask, run: Run) -> Answer:
        run.check_token(ask.token, ask.now, needed=False)
        body = ask.body
        if "snapshot" in body:
            _snapshot(body["snapshot"], run)
            old = run.snapshots[body["snapshot"]]
        else:
            old = run.find(body["step"])
        assert old.state is not None, "Neither a snapshot nor what find returns was thinned."
        txn_id = self._commit_to(run, ask.now)
        run.let_go("pending", ask.now, due=ask.now)
        run.attempt, run.error, run.result = 0, None, None
        run.bring_back(old, txn_id)
        return 200, run.json()

    def _change(self, ask: Ask, run: Run, verb: str) -> Answer:
        body = ask.body
        run.check_token(ask.token, ask.now, needed=verb in ("complete", "fail"))
        run.check_status(*{"complete": ("running",), "fail": ("pending", "running", "paused"), "pause": ACTIVE, "resume": ("pending", "paused")}.get(
            verb, ("pending", "running", "paused")
        ))
        self._commit_to(run, ask.now)
        status = {"complete": "completed", "fail": "failed", "cancel": "cancelled", "pause": "paused", "resume": "running"}[verb]
        run.let_go(status, run.now, due=run.now if verb == "resume" else None)
        if verb == "complete":
            run.result = body.get("result")
        elif verb == "fail":
            run.error = body["error"]
        elif verb == "resume":
            run.started_at = run.started_at or run.now
        return 200, run.json()

    def _claim(self, ask: Ask) -> Answer:
        body = ask.body
        worker, limit = _text(body, "worker"), bounded(body, "limit", 1, 1, 100)
        labels: dict[str, str] = body.get("labels", {})
        due = [
            run for (namespace, _), run in self._runs.items()
            if namespace == ask.namespace and run.due is not None and run.due <= ask.now
            and body.get("workflow") in (None, run.workflow) and labels.items() <= run.labels.items()
        ]
        items: list[dict[str, Any]] = []
        for run in sorted(due, key=lambda run: run.due or ask.now):
            if len(items) == limit:
                break
            if run.attempt >= run.max_attempts:
                self._commit_to(run, ask.now)
                run.let_go("failed", run.now)
                run.error = {"message": f"All {run.max_attempts} attempts are used up.", "type": "attempts_exhausted"}
                continue
            lease = timedelta(milliseconds=bounded(body, "lease_ms", run.settings["recovery_timeout_ms"], 100, 86_400_000))
            self._commit_to(run, ask.now)
            self._hand_out(run, worker, run.now, lease)
            items.append(run.json() | {"state": None if run.latest is None else run.latest.value()})
        return 200, {"items": items}

    def _query(self, ask: Ask) -> Answer:
        statuses = {value for name, value in ask.pairs if name == "status"}
        labels = {tuple(value.split("=", 1)) for name, value in ask.pairs if name == "label"}
        field = "created_at" if ask.query.get("order_by") == "started" else "updated_at"

        def wanted(run: Run) -> bool:
            return (
                (not statuses or run.status in statuses)
                and ask.query.get("workflow") in (None, run.workflow)
                and labels <= set(run.labels.items())
                and _is_between(run.created_at, ask.query.get("started_from"), ask.query.get("started_to"))
                and _is_between(run.updated_at, ask.query.get("updated_from"), ask.query.get("updated_to"))
            )

        found = [run for (namespace, _), run in self._runs.items() if namespace == ask.namespace and wanted(run)]
        found.sort(key=lambda run: (getattr(run, field), run.execution_id), reverse=ask.query.get("order") != "asc")
        start, limit = ask.number("after", 0) or 0, ask.page_limit()
        page = {"items": [run.json(whole=False) for run in found[start : start + limit]]}
        return 200, page | ({"next": str(start + limit)} if len(found) > start + limit else {})

    def _history(self, ask: Ask, run: Run) -> Answer:
        low, high = ask.number("from_step", 0) or 0, ask.number("to_step")
        entries = [entry for entry in run.entries if entry.step >= low and (high is None or entry.step <= high)]
        if ask.query.get("order") == "desc":
            entries.reverse()
        start, limit = ask.number("after", 0) or 0, ask.page_limit()
        items = []
        for entry in entries[start : start + limit]:
            item = entry.head_json() | {"txn_id": entry.txn_id, "state_bytes": entry.state_bytes, "sha256": entry.sha256}
            item["restorable"] = entry.state is not None
            items.append(item | ({"state": entry.value()} if ask.query.get("state") == "true" and entry.state is not None else {}))
        return 200, {"items": items} | ({"next": str(start + limit)} if len(entries) > start + limit else {})

    def _commit(self, ask: Ask) -> Answer:
        body = ask.body
        key = (ask.namespace, body.get("idempotency_key") or uuid.uuid4().hex)
        if key in self._commits:
            seen, answer = self._commits[key]
            if seen != ask.text:
                raise Refusal("SH-1002", "The idempotency key was used with other content.", field="idempotency_key")
            return 200, answer
        staged: list[tuple[Run, int, bytes]] = []
        for item in body["checkpoints"]:
            run = self._runs.get((ask.namespace, item["execution_id"]))
            if run is None:
                raise Refusal("SH-1007", f"There is no execution {item['execution_id']}.", execution_id=item["execution_id"])
            text = _json.encode(item["state"])
            if run.check_checkpoint(item["step"], text, item.get("token"), ask.now) is not None:
                raise Refusal("SH-1001", f"Step {item['step']} is there already.", step=item["step"])
            staged.append((run, item["step"], text))
        txn = (str(uuid.uuid4()), self._next_commit_ts())
        receipts = [self._save(run, step, text, ask.now, txn) for run, step, text in staged]
        answer = {"commit_ts": txn[1], "txn_id": txn[0], "checkpoints": receipts}
        self._commits[key] = (ask.text, answer)
        return 201, answer

    def _cleanup(self, ask: Ask) -> Answer:
        body = ask.body
        wrong = [status for status in body["status"] if status not in FINAL_STATUSES]
        if wrong or not body["status"]:
            raise Refusal("SH-1003", f"Only executions that ended can be removed; this is {wrong}.", field="status")
        before = time_of(body["older_than"]) if "older_than" in body else ask.now - timedelta(days=float(body["older_than_days"]))
        limit = bounded(body, "limit", CLEANUP_MAX, 1, CLEANUP_MAX)
        found = [
            (at, run) for at, run in self._runs.items()
            if at[0] == ask.namespace and run.status in body["status"] and run.finished_at is not None and run.finished_at < before
        ]
        taken = found[:limit]
        is_dry = body.get("dry_run") is True
        for at, _ in [] if is_dry else taken:
            del self._runs[at]
        sizes = sum(entry.state_bytes for _, run in taken for entry in run.entries if entry.state is not None)
        counts = {"matched": len(taken), "removed": 0 if is_dry else len(taken), "bytes": sizes}
        return 200, counts | {"dry_run": is_dry, "more": len(found) > limit}

    def _metrics(self, ask: Ask) -> Answer:
        runs = [run for (namespace, _), run in self._runs.items() if namespace == ask.namespace]
        by_status: dict[str, int] = {}
        for run in runs:
            by_status[run.status] = by_status.get(run.status, 0) + 1
        buffered = sum(len(run.buffer) for run in self._runs.values())
        body: dict[str, Any] = {"total": len(runs), "active": sum(by_status.get(status, 0) for status in ACTIVE), "by_status": by_status}
        return 200, body | self._counts | {"buffered": buffered, "checkpoint_latency_ms": {"p50": None, "p90": None, "p99": None}}

    def _hand_out(self, run: Run, worker: str, now: datetime, lease: timedelta) -> None:
        self._counts["claims"] += 1
        self._counts["recoveries"] += run.status == "running"
        run.claim(worker, now, lease)

    def _commit_to(self, run: Run, now: datetime, txn: tuple[str, int] | None = None) -> str:
        txn_id, commit_ts = txn or (str(uuid.uuid4()), self._next_commit_ts())
        run.commit(now, commit_ts)
        return txn_id

    def _next_commit_ts(self) -> int:
        self._commit_ts += 1
        return self._commit_ts

    def _count(self, size: int) -> None:
        self._counts["checkpoints"] += 1
        self._counts["checkpoint_bytes"] += size


def _snapshot(name: str, run: Run) -> dict[str, Any]:
    entry = run.snapshots.get(name)
    if entry is None:
        raise Refusal("SH-1007", f"There is no snapshot {name}.", name=name)
    head = {"name": name, "step": entry.step, "version": entry.version, "time": instant(entry.time)}
    return head | {"state_bytes": entry.state_bytes}


def _is_between(moment: datetime, start: str | None, end: str | None) -> bool:
    return (start is None or moment >= time_of(start)) and (end is None or moment < time_of(end))


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= 256:
        raise Refusal("SH-1003", f"{name} must be text of 1..256 bytes.", field=name)
    return value


def _unknown(ask: Ask) -> Refusal:
    return Refusal("SH-1007", f"There is no route {ask.method} {'/'.join(ask.rest)}.")
