"""The documents' Python runs as it stands, block after block, and prints what they say. "…" stands for anything."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from live_server import REPOSITORY, LiveServer

pytestmark = pytest.mark.live

DOCUMENTS = ["sdk/python/README.md", "docs/guides/resume-after-crash.md", "docs/guides/workflows.md"]
SERVER_IN_DOCUMENTS = "http://127.0.0.1:8080"
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    line: int
    code: str
    output: str | None


def examples_of(text: str) -> list[Example]:
    return [Example(text[: match.start()].count("\n") + 2, match["code"], match["output"]) for match in BLOCK.finditer(text)]


def run(example: Example, document: str, url: str, names: dict[str, Any]) -> str:
    # The line numbers of a failure are the document's.
    code = "\n" * (example.line - 1) + example.code.replace(SERVER_IN_DOCUMENTS, url)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, document, "exec"), names)
    return printed.getvalue()


def matches(expected: str, printed: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in expected.split("…"))
    return re.fullmatch(pattern, printed) is not None


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_examples_of_a_document_print_what_it_says(own_server: LiveServer, document: str) -> None:
    examples = examples_of((REPOSITORY / document).read_text("utf-8"))
    assert examples
    names: dict[str, Any] = {"__name__": "__main__"}
    for example in examples:
        printed = run(example, str(Path(document)), own_server.url, names)
        assert matches(example.output or "", printed), f"{document}:{example.line} printed:\n{printed}"


def test_an_output_that_differs_is_seen() -> None:
    assert matches("…Z  a\n", "09:00:00Z  a\n")
    assert not matches("…Z  a\n", "09:00:00Z  b\n") and not matches("a\n", "a\nb\n") and not matches("", "a\n")
    assert not matches("a.c\n", "abc\n") and not matches("…a\n", "x\ny a\n")
