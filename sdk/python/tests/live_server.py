"""A real server process on a free loopback port, with its journal in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).resolve().parents[3]
SERVER = REPOSITORY / "src/Gateway/bin/Release/net10.0/Statehouse.Gateway.dll"
START_BOUND_S = 60.0
STOP_BOUND_S = 30.0


class LiveServer:
    """Can be killed and started again on the same port and data."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="statehouse-python-"))
        self._http_port, self._grpc_port = _free_ports()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http_port}"

    def start(self) -> None:
        with (self._folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [
                    os.environ.get("STATEHOUSE_TEST_DOTNET", "dotnet"), str(SERVER),
                    "--data", str(self._folder / "data"),
                    "--http", f"127.0.0.1:{self._http_port}",
                    "--grpc", f"127.0.0.1:{self._grpc_port}",
                ],
                cwd=self._folder,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
            )
        self._wait_until_ready(self._process)

    def kill(self) -> None:
        """``kill -9``."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_BOUND_S)
            self._process = None

    def stop(self) -> None:
        """SIGTERM: the server ends its streams in order."""
        assert self._process is not None, "The server was not started."
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(STOP_BOUND_S) == 0
        self._process = None

    def dispose(self) -> None:
        self.kill()
        shutil.rmtree(self._folder)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_BOUND_S
        with httpx.Client(trust_env=False) as http:
            while not _is_ready(http, self.url):
                output = (self._folder / "output.txt").read_text("utf-8", errors="replace")[-2000:]
                assert process.poll() is None, f"The server ended with {process.returncode}:\n{output}"
                assert time.monotonic() < deadline, f"The server was not ready within {START_BOUND_S} s:\n{output}"
                time.sleep(0.05)


def _is_ready(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(url + "/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def _free_ports() -> tuple[int, int]:
    """Two ports that were free a moment ago; held together, so that they differ."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
