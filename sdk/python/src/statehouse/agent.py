"""An agent as a mapping from keys to values, with what a mapping cannot say: versions and compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .errors import ConflictError
from .resume import DONE, STEP_PREFIX, Steps, begin_step, finish_step, steps_of
from .types import Receipt, StateResult

if TYPE_CHECKING:
    from .client import Statehouse


class Agent:
    """``agent["key"]`` reads, ``agent["key"] = value`` writes a commit, ``del agent["key"]`` deletes.

    Each access is a request of its own; nothing is cached. What belongs together belongs into one transaction.
    """

    def __init__(self, client: Statehouse, agent_id: str, namespace: str) -> None:
        self._client = client
        self.agent_id = agent_id
        self.namespace = namespace

    def __repr__(self) -> str:
        return f"Agent({self.namespace!r}, {self.agent_id!r})"

    def __getitem__(self, key: str) -> Any:
        state = self.state(key)
        if not state.exists:
            raise KeyError(key)
        return state.value

    def __setitem__(self, key: str, value: Any) -> None:
        self.put(key, value)

    def __delitem__(self, key: str) -> None:
        try:
            self._client.delete(self.agent_id, key, namespace=self.namespace, if_exists=True)
        except ConflictError:
            raise KeyError(key) from None

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.state(key).exists

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def keys(self, prefix: str = "") -> list[str]:
        """Live keys in byte order."""
        return self._client.list_keys(self.agent_id, prefix, namespace=self.namespace)

    def items(self, prefix: str = "") -> list[tuple[str, Any]]:
        """Live keys and their values, all of one version of the agent: ``dict(agent.items())`` is consistent."""
        return [(state.key, state.value) for state in self.scan(prefix)]

    def scan(self, prefix: str = "") -> list[StateResult]:
        return self._client.scan_prefix(self.agent_id, prefix, namespace=self.namespace)

    def get(self, key: str, default: Any = None) -> Any:
        state = self.state(key)
        return state.value if state.exists else default

    def state(self, key: str) -> StateResult:
        """The value with its version, to compare and set with."""
        return self._client.get_state(self.agent_id, key, namespace=self.namespace)

    def put(self, key: str, value: Any, *, idempotency_key: str | None = None) -> Receipt:
        return self._client.put(self.agent_id, key, value, namespace=self.namespace, idempotency_key=idempotency_key)

    def create(self, key: str, value: Any) -> bool:
        """Writes only where the key does not exist; says whether it did."""
        return self._did(lambda: self._client.put(self.agent_id, key, value, namespace=self.namespace, if_exists=False))

    def compare_and_set(self, key: str, version: int, value: Any) -> bool:
        """Writes only over this key version (0 = was never written); says whether it did."""
        return self._did(
            lambda: self._client.put(self.agent_id, key, value, namespace=self.namespace, if_version=version)
        )

    def compare_and_delete(self, key: str, version: int) -> bool:
        """Deletes only this key version; says whether it did."""
        return self._did(lambda: self._client.delete(self.agent_id, key, namespace=self.namespace, if_version=version))

    def modify(self, key: str, change: Callable[[Any], Any], default: Any = None, *, attempts: int = 10) -> Any:
        """Replaces the value by ``change(value)`` without losing another writer's; returns the new one.

        change: may be called several times; is given ``default`` where the key does not exist.
        attempts: conflicts in a row after which ConflictError is raised.
        """
        api, run = self._client._api, self._client._transport.run
        return run(api.modify(self.agent_id, key, change, default, attempts, self.namespace))

    def steps(self, prefix: str = STEP_PREFIX) -> Steps:
        """The steps of a run by the ``step:{n}`` convention: where it was, and what was begun."""
        return steps_of(self.scan(prefix), prefix)

    def run_step(
        self, number: int, act: Callable[[str], Any], *, intent: Any = None, prefix: str = STEP_PREFIX
    ) -> Any:
        """Does one step so that a crash at any moment leaves it to be done again, and its side effect happens once.

        Writes the intention, calls ``act(action_key)``, writes its result and returns it; a step that is done already
        returns the result that was written. ``action_key`` is the same however often the step is tried: pass it as
        the idempotency key to whatever ``act`` calls.

        Raises whatever ``act`` raises; the step then stays pending. Raises ConflictError where another process ended
        the step with another result.
        """
        api, run = self._client._api, self._client._transport.run
        step = run(begin_step(api, self.namespace, self.agent_id, number, intent, prefix))
        if step.status == DONE:
            return step.result
        result = act(step.action_key)
        return run(finish_step(api, self.namespace, self.agent_id, step, result))

    @staticmethod
    def _did(write: Callable[[], Receipt]) -> bool:
        try:
            write()
        except ConflictError:
            return False
        return True
