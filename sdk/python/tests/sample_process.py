"""A sample as a real process, whose lines are read as they come."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, Queue

import statehouse

BOUND_S = 60.0
KILLED = -9


def environment() -> dict[str, str]:
    """Samples run with the package that the tests run with."""
    return os.environ | {"PYTHONPATH": str(Path(statehouse.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}


class SampleProcess:
    """One start of a sample."""

    def __init__(self, script: Path, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
            text=True,
            encoding="utf-8",
        )
        self.lines: list[str] = []
        self._queue: Queue[str | None] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, text: str) -> None:
        while True:
            try:
                line = self._queue.get(timeout=BOUND_S)
            except Empty:
                raise AssertionError(f"The sample did not say {text!r} within {BOUND_S} s; it said {self.lines}") from None
            assert line is not None, f"The sample ended without saying {text!r}; it said {self.lines}"
            self.lines.append(line)
            if text in line:
                return

    def release(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        assert self._end() == KILLED

    def wait(self) -> int:
        return self._end()

    def dispose(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._end()

    def _end(self) -> int:
        code = self._process.wait(BOUND_S)
        self._reader.join(BOUND_S)
        while not self._queue.empty():
            line = self._queue.get()
            if line is not None:
                self.lines.append(line)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return code

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)
