"""A worker that takes the steps of workflow runs, and can be killed at any moment: another one goes on where it was.

    python3 worker.py [--server URL] [--namespace NAME] [--name WORKER] [--create RUN]… [--steps N] [--lease-s S]
                      [--concurrency N] [--think-ms N] [--hold STEP:POINT] [--until-idle]

Exit codes: 0 nothing was left to do (with --until-idle); 1 it gave up, start it again; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import logging
import sys
import uuid
from typing import Any

import anyio
import anyio.to_thread

from statehouse import RecoveredExecution, RetryPolicy, StaleTokenError, StatehouseError, StateManager

WORKFLOW = "count-up"

# Where a run can be held, to be killed there. Between "worked" and "saved" lies the checkpoint.
POINTS = ("before", "worked", "saved")

# While there is nothing to do, this is how long a run waits that a dead worker has left behind its lease.
POLL_S = 0.2

# A server that is away is waited for, some 60 s.
PATIENCE = RetryPolicy(attempts=160, delay_max_s=0.5)


class Worker:
    """A run's state is ``{"results": […]}``, one result per step."""

    def __init__(self, manager: StateManager, steps: int, think_s: float, hold: str | None) -> None:
        self._manager = manager
        self._steps = steps
        self._think_s = think_s
        self._hold = hold

    async def handle(self, run: RecoveredExecution) -> None:
        try:
            await self._take_steps(run)
        except StaleTokenError:
            # Another worker has it: nothing that we would write counts any more.
            say(f"{run.id}: lost, token {run.token}")
            raise

    async def _take_steps(self, run: RecoveredExecution) -> None:
        results: list[Any] = run.state["results"] if run.state else []
        say(f"{run.id}: claimed with token {run.token}, {len(results)} of {self._steps} steps are done")
        for step in range(len(results) + 1, self._steps + 1):
            await self._pass(step, "before")
            results = [*results, await self._work(step)]
            await self._pass(step, "worked")
            await run.checkpoint(step, {"results": results})
            say(f"{run.id}: saved step {step} as {results[-1]['id']}")
            await self._pass(step, "saved")
        await run.complete({"steps": len(results)})
        say(f"{run.id}: completed with token {run.token}")

    async def _work(self, step: int) -> dict[str, Any]:
        """Stands for what a step does. Its id shows whose result was kept where two workers did the same step."""
        await anyio.sleep(self._think_s)
        return {"step": step, "by": self._manager.worker, "id": uuid.uuid4().hex}

    async def _pass(self, step: int, point: str) -> None:
        if self._hold == f"{step}:{point}":
            say(f"holding at {step}:{point}; kill this process, or press Enter")
            # Meanwhile the heartbeats go on: whoever waits for a slow worker does not take its run away.
            await anyio.to_thread.run_sync(sys.stdin.readline)


def say(line: str) -> None:
    # At once, so that whoever watches sees how far we came before we were killed.
    print(line, flush=True)


def hold_point(text: str) -> str:
    number, _, point = text.partition(":")
    if not number.isdecimal() or point not in POINTS:
        raise argparse.ArgumentTypeError(f"{text!r} is not STEP:POINT with a point of {', '.join(POINTS)}")
    return text


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Takes the steps of workflow runs until it is stopped.")
    parser.add_argument("--server", default="http://127.0.0.1:8080", help="default %(default)s")
    parser.add_argument("--namespace", default="default", help="default %(default)s")
    parser.add_argument("--name", help="of this worker; default host and process")
    parser.add_argument("--create", action="append", default=[], metavar="RUN", help="create this run first; may be repeated")
    parser.add_argument("--steps", type=int, default=10, help="of each run; default %(default)s")
    parser.add_argument("--lease-s", type=float, default=2.0, help="of the runs created here: how long a dead worker is waited for; default %(default)s")
    parser.add_argument("--concurrency", type=int, default=2, help="runs at a time; default %(default)s")
    parser.add_argument("--think-ms", type=int, default=200, help="that a step takes; default %(default)s")
    parser.add_argument("--hold", type=hold_point, metavar="STEP:POINT", help=f"wait there; POINT: {', '.join(POINTS)}")
    parser.add_argument("--until-idle", action="store_true", help="end when no run is left to claim")
    return parser.parse_args()


async def work(arguments: argparse.Namespace) -> None:
    manager = StateManager(
        arguments.server, arguments.namespace, worker=arguments.name, recovery_timeout=arguments.lease_s, max_attempts=1000, retries=PATIENCE
    )
    async with manager:
        for run in arguments.create:
            await manager.create(run, workflow=WORKFLOW, state={"results": []})
        worker = Worker(manager, arguments.steps, arguments.think_ms / 1000, arguments.hold)
        say("ready")
        poll = None if arguments.until_idle else POLL_S
        await manager.recover_all(worker.handle, concurrency=arguments.concurrency, poll=poll, workflow=WORKFLOW)


def main() -> int:
    logging.basicConfig(level=logging.WARNING)
    arguments = parse_arguments()
    try:
        anyio.run(work, arguments)
    except StatehouseError as error:
        print(f"{error}\nStart this again: the runs go on where they were.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
