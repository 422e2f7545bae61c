"""samples/resume-after-crash-python with real processes: the agent and the server are killed with ``kill -9``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from live_server import REPOSITORY, LiveServer
from sample_process import SampleProcess
from statehouse import ReplayEvent, Statehouse

pytestmark = pytest.mark.live

SAMPLE = REPOSITORY / "samples/resume-after-crash-python/agent.py"
STEPS = 4
HELD_STEP = 2

# Where the agent is held; what the next start finds pending; what the journal then holds of the step and the world.
BOUNDARIES = {"before": (False, 0, 0), "intended": (True, 1, 0), "acted": (True, 1, 1), "done": (False, 2, 1)}


class AgentProcess(SampleProcess):
    """One start of the sample."""

    def __init__(self, server: LiveServer, run: str, *flags: str) -> None:
        super().__init__(SAMPLE, "--server", server.url, "--run", run, "--steps", str(STEPS), *flags)


@pytest.fixture
def agents() -> Iterator[list[AgentProcess]]:
    """Ends every process that a test started, however the test ends."""
    started: list[AgentProcess] = []
    yield started
    for process in started:
        process.dispose()


@pytest.fixture
def run(agent_id: str) -> str:
    return f"run-{agent_id}"


@pytest.mark.parametrize("point", BOUNDARIES)
def test_an_agent_that_is_killed_at_a_boundary_goes_on_and_acts_once(
    server: LiveServer, client: Statehouse, agents: list[AgentProcess], run: str, point: str
) -> None:
    pending, step_version, world_orders = BOUNDARIES[point]
    killed = AgentProcess(server, run, "--hold", f"{HELD_STEP}:{point}")
    agents.append(killed)
    killed.wait_for(f"holding at {HELD_STEP}:{point}")
    killed.kill()
    assert client.get_state(run, f"step:{HELD_STEP}").version == step_version
    assert client.get_state("world", f"order:{run}:{HELD_STEP}").version == world_orders

    again = AgentProcess(server, run)
    agents.append(again)
    assert again.wait() == 0
    assert (f"step {HELD_STEP}: was pending when we stopped, going on" in again.lines) is pending
    assert (f"step {HELD_STEP}: acted again, the world knew" in again.lines) is (point == "acted")
    assert_each_step_happened_once(client, run)


@pytest.mark.parametrize("point", BOUNDARIES)
def test_a_server_that_is_killed_at_a_boundary_comes_back_and_the_agent_goes_on(
    own_server: LiveServer, agents: list[AgentProcess], run: str, point: str
) -> None:
    agent = AgentProcess(own_server, run, "--hold", f"{HELD_STEP}:{point}")
    agents.append(agent)
    agent.wait_for(f"holding at {HELD_STEP}:{point}")
    own_server.kill()
    # The agent meets a server that is away, and waits for it.
    agent.release()
    own_server.start()
    assert agent.wait() == 0, agent.lines
    with Statehouse(own_server.url) as client:
        assert_each_step_happened_once(client, run)


def test_an_agent_that_is_killed_at_every_boundary_of_every_step_acts_once_and_so_with_the_server(
    own_server: LiveServer, agents: list[AgentProcess], run: str
) -> None:
    for step in range(1, STEPS + 1):
        for point in BOUNDARIES:
            agent = AgentProcess(own_server, run, "--hold", f"{step}:{point}")
            agents.append(agent)
            agent.wait_for(f"holding at {step}:{point}")
            if point == "acted":
                own_server.kill()
                agent.kill()
                own_server.start()
            else:
                agent.kill()
    last = AgentProcess(own_server, run)
    agents.append(last)
    assert last.wait() == 0
    with Statehouse(own_server.url) as client:
        assert_each_step_happened_once(client, run)


def test_an_agent_without_a_server_gives_up_and_says_what_to_do(own_server: LiveServer, agents: list[AgentProcess], run: str) -> None:
    own_server.kill()
    agent = AgentProcess(own_server, run, "--patience-s", "0.5")
    agents.append(agent)
    assert agent.wait() == 1
    assert agent.lines[-1] == "Start this again: it goes on where it was."


def test_a_hold_that_is_none_is_wrong_usage(own_server: LiveServer, agents: list[AgentProcess], run: str) -> None:
    agent = AgentProcess(own_server, run, "--hold", "2:nowhere")
    agents.append(agent)
    assert agent.wait() == 2 and "2:nowhere" in agent.lines[-1]


def assert_each_step_happened_once(client: Statehouse, run: str) -> None:
    own = list(client.replay(run))
    assert [writes(event) for event in own] == [
        (f"step:{number}", version) for number in range(1, STEPS + 1) for version in (1, 2)
    ]
    assert [event.operations[0].value["status"] for event in own] == ["pending", "done"] * STEPS
    orders = [writes(event) for event in client.replay("world") if event.operations[0].key.startswith(f"order:{run}:")]
    assert orders == [(f"order:{run}:{number}", 1) for number in range(1, STEPS + 1)]


def writes(event: ReplayEvent) -> tuple[str, int]:
    [operation] = event.operations
    return operation.key, operation.version
