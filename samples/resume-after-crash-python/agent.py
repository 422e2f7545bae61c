"""An agent of N steps that can be killed at any moment and started again.

    python3 agent.py [--server URL] [--run ID] [--steps N] [--hold STEP:POINT] [--patience-s N]

Exit codes: 0 the run is done; 1 it gave up, start it again; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from statehouse import Agent, RetryPolicy, Statehouse, StatehouseError

# Where a run can be held, to be killed there. In between lies one commit, or the act.
POINTS = ("before", "intended", "acted", "done")

RETRY_DELAY_MAX_S = 0.5


class Run:
    """The outside world is a second agent, ``world``, with a journal of its own. It stands for a payment or mail
    service that takes an idempotency key; one that does not can only be called at least once."""

    def __init__(self, client: Statehouse, run_id: str, steps: int, hold: str | None) -> None:
        self._client = client
        self._agent: Agent = client.agent(run_id)
        self._run_id = run_id
        self._steps = steps
        self._hold = hold

    def run(self) -> None:
        known = self._agent.steps()
        say(f"{self._run_id}: {len(known.finished)} of {self._steps} steps are done")
        for step in known.pending:
            say(f"step {step.number}: was pending when we stopped, going on")
        for number in range(known.next_number, self._steps + 1):
            self._pass(number, "before")
            self._agent.run_step(number, lambda key: self._act(number, key), intent=f"order item {number}")
            say(f"step {number}: done")
            self._pass(number, "done")
        say(f"{self._run_id}: done")

    def _act(self, number: int, action_key: str) -> dict[str, Any]:
        """The side effect. A repeat answers with the first receipt, so the result is the same however often we get here."""
        self._pass(number, "intended")
        order = {"item": number}
        receipt = self._client.put("world", f"order:{self._run_id}:{number}", order, idempotency_key=action_key)
        say(f"step {number}: acted{' again, the world knew' if receipt.replayed else ''}")
        self._pass(number, "acted")
        return {"world_version": receipt.version}

    def _pass(self, number: int, point: str) -> None:
        if self._hold == f"{number}:{point}":
            say(f"holding at {number}:{point}; kill this process, or press Enter")
            sys.stdin.readline()


def say(line: str) -> None:
    # At once, so that whoever watches sees how far we came before we were killed.
    print(line, flush=True)


def hold_point(text: str) -> str:
    number, _, point = text.partition(":")
    if not number.isdecimal() or point not in POINTS:
        raise argparse.ArgumentTypeError(f"{text!r} is not STEP:POINT with a point of {', '.join(POINTS)}")
    return text


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Takes its steps, wherever it was stopped before.")
    parser.add_argument("--server", default="http://127.0.0.1:8080", help="default %(default)s")
    parser.add_argument("--run", default="my-run", help="the agent's id; default %(default)s")
    parser.add_argument("--steps", type=int, default=20, help="default %(default)s")
    parser.add_argument("--hold", type=hold_point, metavar="STEP:POINT", help=f"wait there; POINT: {', '.join(POINTS)}")
    parser.add_argument("--patience-s", type=float, default=60.0, help="how long to wait for a server that is away; default %(default)s")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    # On average a delay is three quarters of its bound.
    attempts = max(2, round(arguments.patience_s / (RETRY_DELAY_MAX_S * 0.75)))
    patience = RetryPolicy(attempts=attempts, delay_max_s=RETRY_DELAY_MAX_S)
    try:
        with Statehouse(arguments.server, retries=patience) as client:
            Run(client, arguments.run, arguments.steps, arguments.hold).run()
    except StatehouseError as error:
        print(f"{error}\nStart this again: it goes on where it was.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
