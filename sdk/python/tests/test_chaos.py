"""Eight workers and the server, killed with ``kill -9`` at random: every run is finished once, every step kept once.

The size that is run by hand: STATEHOUSE_CHAOS_RUNS=500 STATEHOUSE_CHAOS_STEPS=20 ./statehouse test sdk-python --filter chaos
"""

from __future__ import annotations

import os
import random

import pytest

import chaos
from live_server import SERVER

pytestmark = pytest.mark.live

# A bound for a slow machine, not an expectation: seconds per checkpoint.
BOUND_S_PER_STEP = 0.2
BOUND_S_MIN = 120.0


def test_workers_killed_at_random_finish_every_run_once_and_store_every_step_once() -> None:
    assert SERVER.exists(), f"{SERVER} was not built: dotnet build src/Gateway -c Release"
    runs, steps, workers = number("RUNS", 60), number("STEPS", 10), number("WORKERS", 8)
    seed = int(os.environ.get("STATEHOUSE_TEST_SEED") or random.randrange(2**31))
    plan = chaos.Plan(runs, steps, workers, seed, bound_s=max(BOUND_S_MIN, runs * steps * BOUND_S_PER_STEP))
    print(f"STATEHOUSE_TEST_SEED={seed}")
    outcome = chaos.run(plan)
    assert not outcome.problems, f"seed {seed}: {outcome.problems[:20]}"
    # Otherwise the kills have not met any work.
    assert outcome.kills > 0 and outcome.takeovers > 0 and outcome.server_kills == plan.server_kills, outcome


def number(name: str, default: int) -> int:
    return int(os.environ.get(f"STATEHOUSE_CHAOS_{name}") or default)
