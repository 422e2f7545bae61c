"""An agent's keys and values for asyncio (or trio): :class:`statehouse.Agent` with methods instead of operators."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from .errors import ConflictError
from .resume import DONE, STEP_PREFIX, Steps, begin_step, finish_step, steps_of
from .types import Receipt, StateResult

if TYPE_CHECKING:
    from .aio import AsyncStatehouse


class AsyncAgent:
    """``await agent.get("key")``, ``await agent.put("key", value)``, ``await agent.delete("key")``.

    Each access is a request of its own; nothing is cached. What belongs together belongs into one transaction.
    """

    def __init__(self, client: AsyncStatehouse, agent_id: str, namespace: str) -> None:
        self._client = client
        self.agent_id = agent_id
        self.namespace = namespace

    def __repr__(self) -> str:
        return f"AsyncAgent({self.namespace!r}, {self.agent_id!r})"

    async def contains(self, key: str) -> bool:
        return (await self.state(key)).exists

    async def delete(self, key: str) -> bool:
        """Deletes the key; says whether it was there."""
        return await self._did(self._client.delete(self.agent_id, key, namespace=self.namespace, if_exists=True))

    async def keys(self, prefix: str = "") -> list[str]:
        """Live keys in byte order."""
        return await self._client.list_keys(self.agent_id, prefix, namespace=self.namespace)

    async def items(self, prefix: str = "") -> list[tuple[str, Any]]:
        """Live keys and their values, all of one version of the agent: ``dict(await agent.items())`` is consistent."""
        return [(state.key, state.value) for state in await self.scan(prefix)]

    async def scan(self, prefix: str = "") -> list[StateResult]:
        return await self._client.scan_prefix(self.agent_id, prefix, namespace=self.namespace)

    async def get(self, key: str, default: Any = None) -> Any:
        state = await self.state(key)
        return state.value if state.exists else default

    async def state(self, key: str) -> StateResult:
        """The value with its version, to compare and set with."""
        return await self._client.get_state(self.agent_id, key, namespace=self.namespace)

    async def put(self, key: str, value: Any, *, idempotency_key: str | None = None) -> Receipt:
        return await self._client.put(
            self.agent_id, key, value, namespace=self.namespace, idempotency_key=idempotency_key
        )

    async def create(self, key: str, value: Any) -> bool:
        """Writes only where the key does not exist; says whether it did."""
        return await self._did(self._client.put(self.agent_id, key, value, namespace=self.namespace, if_exists=False))

    async def compare_and_set(self, key: str, version: int, value: Any) -> bool:
        """Writes only over this key version (0 = was never written); says whether it did."""
        return await self._did(self._client.put(self.agent_id, key, value, namespace=self.namespace, if_version=version))

    async def compare_and_delete(self, key: str, version: int) -> bool:
        """Deletes only this key version; says whether it did."""
        return await self._did(self._client.delete(self.agent_id, key, namespace=self.namespace, if_version=version))

    async def modify(self, key: str, change: Callable[[Any], Any], default: Any = None, *, attempts: int = 10) -> Any:
        """Replaces the value by ``change(value)`` without losing another writer's; returns the new one.

        change: may be called several times; is given ``default`` where the key does not exist.
        attempts: conflicts in a row after which ConflictError is raised.
        """
        api, run = self._client._api, self._client._transport.run
        return await run(api.modify(self.agent_id, key, change, default, attempts, self.namespace))

    async def steps(self, prefix: str = STEP_PREFIX) -> Steps:
        """The steps of a run by the ``step:{n}`` convention: where it was, and what was begun."""
        return steps_of(await self.scan(prefix), prefix)

    async def run_step(
        self, number: int, act: Callable[[str], Awaitable[Any]], *, intent: Any = None, prefix: str = STEP_PREFIX
    ) -> Any:
        """Does one step so that a crash at any moment leaves it to be done again, and its side effect happens once.

        Writes the intention, awaits ``act(action_key)``, writes its result and returns it; a step that is done already
        returns the result that was written. ``action_key`` is the same however often the step is tried: pass it as
        the idempotency key to whatever ``act`` calls.

        Raises whatever ``act`` raises; the step then stays pending. Raises ConflictError where another process ended
        the step with another result.
        """
        api, run = self._client._api, self._client._transport.run
        step = await run(begin_step(api, self.namespace, self.agent_id, number, intent, prefix))
        if step.status == DONE:
            return step.result
        result = await act(step.action_key)
        return await run(finish_step(api, self.namespace, self.agent_id, step, result))

    @staticmethod
    async def _did(write: Awaitable[Receipt]) -> bool:
        try:
            await write
        except ConflictError:
            return False
        return True
