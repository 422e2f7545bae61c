"""Both clients offer the same, and what they offer is typed."""

from __future__ import annotations

import inspect
import subprocess
import sys

import anyio
import httpx
import pytest

import statehouse
from fake_server import BEGUN, COMMITTED, KEY, RECEIPT, FakeServer, commit, commit_event, events, head, ok
from statehouse import (
    Agent,
    AsyncAgent,
    AsyncStatehouse,
    AsyncTransaction,
    ConflictError,
    ConnectionError,
    RecoveredExecution,
    StateManager,
    Statehouse,
    StateTransaction,
    SyncRecoveredExecution,
    SyncStateManager,
    SyncStateTransaction,
    Transaction,
)

# What an operator of a mapping is in the asynchronous one.
MAPPING = {"contains", "delete"}


def surface(kind: type) -> dict[str, list[str]]:
    public = {name: member for name, member in vars(kind).items() if not name.startswith("_") and callable(member)}
    return {name: list(inspect.signature(member).parameters) for name, member in public.items()}


TWINS = [
    (Statehouse, AsyncStatehouse), (Transaction, AsyncTransaction), (Agent, AsyncAgent), (SyncStateManager, StateManager),
    (SyncStateTransaction, StateTransaction), (SyncRecoveredExecution, RecoveredExecution),
]


@pytest.mark.parametrize(("blocking", "awaited"), TWINS)
def test_both_clients_have_the_same_methods_with_the_same_parameters(blocking: type, awaited: type) -> None:
    theirs = surface(awaited)
    if awaited is AsyncAgent:
        theirs = {name: parameters for name, parameters in theirs.items() if name not in MAPPING}
    assert theirs == surface(blocking)


@pytest.mark.parametrize(
    "name",
    [
        "health", "version", "begin_transaction", "get_state", "get_state_at_version", "get_state_at", "list_keys", "scan_prefix",
        "replay", "replay_events", "replay_pretty", "put", "delete", "commit", "close", "agent",
    ],
)
def test_the_client_has(name: str) -> None:
    assert callable(getattr(Statehouse, name))


def test_everything_that_is_exported_is_there() -> None:
    assert all(hasattr(statehouse, name) for name in statehouse.__all__)


def test_importing_the_package_says_nothing_and_warns_of_nothing() -> None:
    code = "import statehouse"
    path = str(statehouse.__path__[0]).removesuffix("/statehouse")
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], env={"PYTHONPATH": path}, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_asynchronous_client_runs_the_same_flows() -> None:
    server = FakeServer(
        httpx.ConnectError("refused"), ok(KEY), ok(RECEIPT),
        ok(BEGUN, 201), ok({}), ok(COMMITTED),
        head(1), ok({"items": [commit(1)]}),
        head(1), events(": \n\n", commit_event(1)), httpx.ReadError("reset"), events(": \n\n", commit_event(2)),
    )

    async def talk() -> None:
        async with server.async_client() as client:
            assert (await client.get_state("a", "k")).value == 1
            assert (await client.put("a", "k", 1)).version == 1
            async with client.begin_transaction() as tx:
                await tx.write("a", "k", 1)
            assert await tx.commit() == 7
            assert [event.version async for event in client.replay("a")] == [1]
            follower = client.replay("a", follow=True)
            assert [(await follower.__anext__()).version for _ in range(2)] == [1, 2]
            await follower.aclose()  # type: ignore[attr-defined]

    anyio.run(talk)
    assert server.left == 0


def test_an_asynchronous_transaction_aborts_on_an_exception_and_can_be_awaited() -> None:
    server = FakeServer(ok(BEGUN, 201), httpx.Response(204), ok(BEGUN, 201), httpx.ReadError("reset"))

    async def talk() -> None:
        async with server.async_client() as client:
            with pytest.raises(ConflictError):
                async with client.begin_transaction():
                    raise ConflictError("mine")
            tx = await client.begin_transaction()
            with pytest.raises(ConnectionError):
                await tx.write("a", "k", 1)

    anyio.run(talk)
    assert [request.method for request in server.requests] == ["POST", "DELETE", "POST", "POST"]
