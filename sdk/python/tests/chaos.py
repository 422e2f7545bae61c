"""Workers that are killed at random finish many runs; then the journal is checked against what they were told.

    PYTHONPATH=src python3 tests/chaos.py --runs 500 --steps 20 --workers 8

from sdk/python, after ``dotnet build src/Gateway -c Release``. Prints its seed; ``--seed`` repeats the same kills.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from live_server import REPOSITORY, LiveServer
from sample_process import environment
from statehouse import Execution, SyncStateManager

SAMPLE = REPOSITORY / "samples/workflow-worker/worker.py"
NAMESPACE = "chaos"
WORKFLOW = "count-up"

SAVED = re.compile(r"^(?P<run>\S+): saved step (?P<step>\d+) as (?P<id>[0-9a-f]{32})$")
COMPLETED = re.compile(r"^(?P<run>\S+): completed with token (?P<token>\d+)$")


@dataclass(frozen=True)
class Plan:
    """kill_s: between two kills of a worker, on average. server_kills: of the server itself, evenly spread.
    bound_s: that all runs must be finished in."""

    runs: int
    steps: int
    workers: int
    seed: int
    lease_s: float = 1.0
    think_ms: int = 20
    kill_s: float = 0.3
    server_kills: int = 1
    bound_s: float = 120.0


@dataclass
class Outcome:
    kills: int = 0
    server_kills: int = 0
    takeovers: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)


class Supervisor:
    """Keeps so many workers running, kills them in between, and keeps what each of them was told."""

    def __init__(self, plan: Plan, server: LiveServer, folder: Path) -> None:
        self._plan = plan
        self._server = server
        self._folder = folder
        self._random = random.Random(plan.seed)
        self._workers: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []
        self._started = 0

    def run(self, outcome: Outcome) -> None:
        began = time.monotonic()
        try:
            with SyncStateManager(
                self._server.url, NAMESPACE, recovery_timeout=self._plan.lease_s, max_attempts=1000, checkpoint_retention=0
            ) as manager:
                for number in range(self._plan.runs):
                    manager.create(f"run-{number}", workflow=WORKFLOW, state={"results": []})
                self._workers = [self._start() for _ in range(self._plan.workers)]
                self._disturb(manager, outcome, began)
                outcome.seconds = time.monotonic() - began
        finally:
            for process, log in self._workers:
                process.kill()
                process.wait()
                log.close()

    def told(self) -> list[str]:
        """Every whole line of every worker: what the server had acknowledged before it was said."""
        lines: list[str] = []
        for log in sorted(self._folder.glob("worker-*.txt")):
            lines += log.read_text("utf-8", errors="replace").split("\n")[:-1]
        return lines

    def _disturb(self, manager: SyncStateManager, outcome: Outcome, began: float) -> None:
        finished = 0
        while finished < self._plan.runs:
            time.sleep(self._random.uniform(0.5, 1.5) * self._plan.kill_s)
            self._kill_one(outcome)
            counts = manager.get_metrics().by_status
            finished = sum(counts.get(status, 0) for status in ("completed", "failed", "cancelled"))
            due = self._plan.runs * (outcome.server_kills + 1) / (self._plan.server_kills + 1)
            if outcome.server_kills < self._plan.server_kills and finished >= due:
                self._server.kill()
                self._server.start()
                outcome.server_kills += 1
            assert time.monotonic() - began < self._plan.bound_s, f"{finished} of {self._plan.runs} runs finished in {self._plan.bound_s} s"

    def _kill_one(self, outcome: Outcome) -> None:
        index = self._random.randrange(len(self._workers))
        process, log = self._workers[index]
        assert process.poll() is None, f"A worker ended by itself with {process.returncode}: {log.name}"
        process.kill()
        process.wait()
        log.close()
        outcome.kills += 1
        self._workers[index] = self._start()

    def _start(self) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
        self._started += 1
        name = f"worker-{self._started}"
        log = (self._folder / f"{name}.txt").open("ab")
        command = [
            sys.executable, str(SAMPLE), "--server", self._server.url, "--namespace", NAMESPACE, "--name", name,
            "--steps", str(self._plan.steps), "--think-ms", str(self._plan.think_ms), "--concurrency", "2",
        ]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment()), log


class Checker:
    """What must hold in the end. problems: a line each."""

    def __init__(self, plan: Plan, manager: SyncStateManager, told: list[str]) -> None:
        self._plan = plan
        self._manager = manager
        self._saved = [match for line in told if (match := SAVED.match(line))]
        self._completed = Counter(match["run"] for line in told if (match := COMPLETED.match(line)))
        self.problems: list[str] = []
        self.takeovers = 0

    def check(self) -> list[str]:
        runs = {run.execution_id: run for run in self._manager.query()}
        expected = {f"run-{number}" for number in range(self._plan.runs)}
        self._expect(set(runs) == expected, f"runs are lost or new: {sorted(set(runs) ^ expected)}")
        ids: dict[str, list[str]] = {name: self._check_run(run) for name, run in runs.items()}
        for name, times in self._completed.items():
            self._expect(times == 1, f"{name} was finished {times} times")
        for match in self._saved:
            kept = ids.get(match["run"], [])
            step = int(match["step"])
            is_kept = step <= len(kept) and kept[step - 1] == match["id"]
            self._expect(is_kept, f"{match['run']}: step {step} was acknowledged as {match['id']}, and another result is kept")
        return self.problems

    def _check_run(self, listed: Execution) -> list[str]:
        """Returns the ids of its results."""
        name, steps = listed.execution_id, self._plan.steps
        run = self._manager.get_execution(name)
        self.takeovers += run.attempt - 1
        self._expect((run.status, run.result) == ("completed", {"steps": steps}), f"{name} is {run.status}, {run.result}, {run.error}")
        self._expect(listed.status == run.status and listed.step == run.step, f"{name} is listed as {listed.status} at {listed.step}")
        history = self._manager.get_history(name, with_state=True)
        self._expect([entry.step for entry in history] == list(range(steps + 1)), f"{name} has the steps {[entry.step for entry in history]}")
        results: list[str] = []
        for entry in history:
            kept = [result["id"] for result in entry.state["results"]]
            numbers = [result["step"] for result in entry.state["results"]]
            self._expect(kept[:-1] == results if entry.step else kept == [], f"{name}: step {entry.step} does not stand on the one before")
            self._expect(numbers == list(range(1, entry.step + 1)), f"{name}: step {entry.step} holds the results {numbers}")
            results = kept
        self._expect(len(set(results)) == len(results), f"{name} holds a result twice")
        return results

    def _expect(self, holds: bool, problem: str) -> None:
        if not holds:
            self.problems.append(problem)


def run(plan: Plan) -> Outcome:
    """A server of its own, the workers, the kills, the checks; after a last kill of the server, so that what counts is on disk."""
    outcome = Outcome()
    server = LiveServer()
    try:
        server.start()
        with tempfile.TemporaryDirectory(prefix="statehouse-chaos-") as folder:
            supervisor = Supervisor(plan, server, Path(folder))
            supervisor.run(outcome)
            told = supervisor.told()
        server.kill()
        server.start()
        with SyncStateManager(server.url, NAMESPACE) as manager:
            checker = Checker(plan, manager, told)
            outcome.problems = checker.check()
            outcome.takeovers = checker.takeovers
    finally:
        server.dispose()
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description="Kills workers at random until all runs are finished, and checks them.")
    parser.add_argument("--runs", type=int, default=500, help="default %(default)s")
    parser.add_argument("--steps", type=int, default=20, help="default %(default)s")
    parser.add_argument("--workers", type=int, default=8, help="default %(default)s")
    parser.add_argument("--server-kills", type=int, default=3, help="default %(default)s")
    parser.add_argument("--seed", type=int, default=random.randrange(2**31), help="default a new one")
    parser.add_argument("--bound-s", type=float, default=1800.0, help="default %(default)s")
    given = parser.parse_args()
    plan = Plan(given.runs, given.steps, given.workers, given.seed, server_kills=given.server_kills, bound_s=given.bound_s)
    print(f"seed {plan.seed}: {plan.runs} runs of {plan.steps} steps, {plan.workers} workers", flush=True)
    outcome = run(plan)
    print(
        f"{outcome.seconds:.1f} s, {outcome.kills} workers killed, the server {outcome.server_kills + 1} times, "
        f"{outcome.takeovers} times a run was taken over, {len(outcome.problems)} problems"
    )
    print("\n".join(outcome.problems[:50]))
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
