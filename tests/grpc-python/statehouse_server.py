"""The real server as a process of its own, on free ports and in a temporary folder."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
DLL = ROOT / "src/Gateway/bin/Release/net10.0/Statehouse.Gateway.dll"


class Server:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="statehouse-python-")
        self._process = None
        self._messages = None

    def start(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STATEHOUSE_")}
        self._messages = open(os.path.join(self.folder, "messages.txt"), "ab")
        self._process = subprocess.Popen(
            [os.environ.get("DOTNET", "dotnet"), str(DLL), "--data", os.path.join(self.folder, "data"),
             "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"],
            cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._messages,
        )
        self.http = self._wait_for(r"listens on (http://\S+)")
        self.address = self._wait_for(r"^gRPC: (\S+)")
        return self

    def kill(self):
        """kill -9."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._messages.close()
            self._process = None

    def close(self):
        self.kill()
        shutil.rmtree(self.folder)

    def resident_bytes(self):
        with open(f"/proc/{self._process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) * 1024

    def put_json(self, agent, key, text):
        """Writes any JSON text, which only HTTP can."""
        request = urllib.request.Request(
            f"{self.http}/v1/namespaces/default/agents/{agent}/state/{key}",
            data=text.encode(), method="PUT", headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30):
            pass

    def get_json(self, agent, key):
        """The reply of HTTP as text: the value in it is what the journal holds."""
        with urllib.request.urlopen(f"{self.http}/v1/namespaces/default/agents/{agent}/state/{key}", timeout=30) as reply:
            return reply.read().decode()

    def metrics(self):
        with urllib.request.urlopen(self.http + "/metrics", timeout=30) as reply:
            return reply.read().decode()

    def _wait_for(self, pattern):
        # Ends with the process: a server that cannot start closes its output.
        for line in self._process.stdout:
            found = re.search(pattern, line.decode())
            if found:
                return found.group(1)
        with open(os.path.join(self.folder, "messages.txt"), encoding="utf-8") as messages:
            raise RuntimeError(f"the server did not print {pattern}: {messages.read()}")
