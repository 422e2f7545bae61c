from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from execution_backends import BACKENDS, Managers
from live_server import SERVER, LiveServer
from statehouse import Statehouse

_agents = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[LiveServer]:
    """One server for all tests that do not kill it; they keep apart by their agents."""
    with_server = LiveServer()
    try:
        with_server.start()
        yield with_server
    finally:
        with_server.dispose()


@pytest.fixture
def own_server() -> Iterator[LiveServer]:
    """A server to stop and kill."""
    own = LiveServer()
    try:
        own.start()
        yield own
    finally:
        own.dispose()


@pytest.fixture
def client(server: LiveServer) -> Iterator[Statehouse]:
    with Statehouse(server.url) as client:
        yield client


@pytest.fixture
def agent_id() -> str:
    """An agent that no other test writes."""
    return f"agent-{next(_agents)}"


@pytest.fixture(params=BACKENDS)
def managers(request: pytest.FixtureRequest) -> Iterator[Managers]:
    """Makes state managers of one namespace that no other test uses, on each backend."""
    url = request.getfixturevalue("server").url if request.param == "http" else None
    made = Managers(url, f"test-{next(_agents)}")
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def _server_is_built(request: pytest.FixtureRequest) -> None:
    needs_server = {"server", "own_server", "client"} & set(request.fixturenames)
    if needs_server and not SERVER.exists():
        pytest.fail(f"{SERVER} was not built: dotnet build src/Gateway -c Release")


def pytest_addoption(parser: pytest.Parser) -> None:
    # What ./statehouse test --filter means for every suite; pytest's own -k takes an expression.
    parser.addoption("--name-contains", default="", help="only tests whose full name contains this")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    text = config.getoption("--name-contains")
    others = [item for item in items if text not in item.nodeid]
    items[:] = [item for item in items if text in item.nodeid]
    config.hook.pytest_deselected(items=others)
