"""samples/workflow-worker with real processes: a worker is killed with ``kill -9`` and another finishes its runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from live_server import REPOSITORY, LiveServer
from sample_process import SampleProcess
from statehouse import SyncStateManager

pytestmark = pytest.mark.live

SAMPLE = REPOSITORY / "samples/workflow-worker/worker.py"
STEPS = 5
HELD_STEP = 3
LEASE_S = 1.0

# Where the first worker is held and killed; how many steps the second one finds done.
BOUNDARIES = {"before": 2, "worked": 2, "saved": 3}


@pytest.fixture
def workers() -> Iterator[list[SampleProcess]]:
    """Ends every process that a test started, however the test ends."""
    started: list[SampleProcess] = []
    yield started
    for process in started:
        process.dispose()


@pytest.fixture
def manager(server: LiveServer, agent_id: str) -> Iterator[SyncStateManager]:
    with SyncStateManager(server.url, f"sample-{agent_id}") as made:
        yield made


def start(workers: list[SampleProcess], server: LiveServer, namespace: str, name: str, *flags: str) -> SampleProcess:
    place = ("--server", server.url, "--namespace", namespace, "--name", name, "--steps", str(STEPS), "--lease-s", str(LEASE_S))
    worker = SampleProcess(SAMPLE, *place, "--think-ms", "1", *flags)
    workers.append(worker)
    return worker


def results(manager: SyncStateManager) -> list[dict[str, Any]]:
    history = manager.get_history("run", with_state=True)
    assert [entry.step for entry in history] == list(range(STEPS + 1)), "Each step is there once, in order."
    for before, after in zip(history, history[1:]):
        assert after.state["results"][:-1] == before.state["results"], "No result changes once it is saved."
    return list(history[-1].state["results"])


@pytest.mark.parametrize("point", BOUNDARIES)
def test_another_worker_finishes_the_run_of_one_that_was_killed(
    server: LiveServer, manager: SyncStateManager, agent_id: str, workers: list[SampleProcess], point: str
) -> None:
    namespace, done = f"sample-{agent_id}", BOUNDARIES[point]
    first = start(workers, server, namespace, "first", "--create", "run", "--hold", f"{HELD_STEP}:{point}")
    first.wait_for(f"holding at {HELD_STEP}:{point}")
    first.kill()
    second = start(workers, server, namespace, "second")
    second.wait_for(f"run: claimed with token 2, {done} of {STEPS} steps are done")
    second.wait_for("run: completed with token 2")
    run = manager.get_execution("run")
    assert (run.status, run.result, run.attempt) == ("completed", {"steps": STEPS}, 2)
    assert [result["by"] for result in results(manager)] == ["first"] * done + ["second"] * (STEPS - done)


def test_a_worker_that_waits_longer_than_its_lease_keeps_its_run(
    server: LiveServer, manager: SyncStateManager, agent_id: str, workers: list[SampleProcess]
) -> None:
    namespace = f"sample-{agent_id}"
    first = start(workers, server, namespace, "first", "--create", "run", "--hold", f"{HELD_STEP}:worked", "--until-idle", "--concurrency", "1")
    first.wait_for("holding at")
    held = manager.get_execution("run").lease
    assert held is not None
    second = start(workers, server, namespace, "second")
    second.wait_for("ready")
    # A second run shows that the second worker looks for work all the time.
    while True:
        lease = manager.get_execution("run").lease
        assert lease is not None and lease.worker == "first"
        if (lease.until - held.until).total_seconds() > LEASE_S:
            break
    manager.create("proof", workflow="count-up", state={"results": []})
    second.wait_for("proof: completed")
    first.release()
    first.wait_for("run: completed with token 1")
    assert first.wait() == 0
    assert {result["by"] for result in results(manager)} == {"first"}
