"""A step that is crashed at each of its boundaries is done again, and its side effect happens once."""

from __future__ import annotations

import pytest

from statehouse import Agent, ConflictError, Statehouse

pytestmark = pytest.mark.live


class Crash(BaseException):
    """Ends a run as abruptly as Python can; real kills: samples/resume-after-crash-python."""


class World:
    """Does each thing once, by its idempotency key; may crash its caller before or after."""

    def __init__(self, crash: str = "") -> None:
        self.done: dict[str, int] = {}
        self.calls = 0
        self._crash = crash

    def act(self, action_key: str) -> int:
        self.calls += 1
        crash, self._crash = self._crash, ""
        if crash == "before":
            raise Crash
        result = self.done.setdefault(action_key, len(self.done) + 1)
        if crash == "after":
            raise Crash
        return result


@pytest.mark.parametrize(("crash", "calls"), [("", 1), ("before", 2), ("after", 2)])
def test_a_step_happens_once_wherever_it_crashes(client: Statehouse, agent_id: str, crash: str, calls: int) -> None:
    agent, world = client.agent(agent_id), World(crash)
    if crash:
        with pytest.raises(Crash):
            agent.run_step(1, world.act, intent={"order": 1})
        assert [step.intent for step in agent.steps().pending] == [{"order": 1}]
    assert agent.run_step(1, world.act, intent="ignored: the intention that was written counts") == 1
    assert agent.run_step(1, world.act) == 1
    assert (world.calls, len(world.done)) == (calls, 1)
    assert agent.state("step:1").version == 2 and agent["step:1"]["status"] == "done"


def test_a_step_that_was_deleted_is_a_new_one(client: Statehouse, agent_id: str) -> None:
    agent, world = client.agent(agent_id), World()
    assert agent.run_step(1, world.act) == 1
    del agent["step:1"]
    assert agent.run_step(1, world.act) == 2
    assert agent.state("step:1").version == 5


def test_equal_steps_of_different_agents_namespaces_and_prefixes_are_different_actions(client: Statehouse, agent_id: str) -> None:
    world = World()
    agents = [client.agent(agent_id), client.agent(agent_id + ":"), client.agent(agent_id, "other")]
    for agent in agents:
        agent.run_step(1, world.act)
        agent.run_step(1, world.act, prefix=":step:")
    assert len(world.done) == 6


def test_two_runners_of_one_step_with_one_result_agree_and_with_two_are_told(client: Statehouse, agent_id: str) -> None:
    first, second = client.agent(agent_id), client.agent(agent_id)

    def slow(_: str) -> str:
        second.run_step(1, lambda _: "second")
        return "first"

    with pytest.raises(ConflictError, match="another result"):
        first.run_step(1, slow)
    assert first["step:1"]["result"] == "second"
    assert first.run_step(2, lambda _: second.run_step(2, lambda _: "same")) == "same"


def test_a_key_that_is_no_step_is_not_run_over(client: Statehouse, agent_id: str) -> None:
    agent: Agent = client.agent(agent_id)
    agent["step:1"] = "a note"
    with pytest.raises(ConflictError, match="not a step"):
        agent.run_step(1, lambda _: None)
    assert agent["step:1"] == "a note"
