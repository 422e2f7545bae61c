import uuid

import pytest
from statehouse_client import Client
from statehouse_server import Server


@pytest.fixture(scope="session")
def server():
    server = Server()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def client(server):
    with Client(server.address) as client:
        yield client


@pytest.fixture
def agent():
    """An agent of the test's own, so that tests do not meet."""
    return "agent:" + uuid.uuid4().hex
