from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from statehouse import Operation, ReplayEvent
from statehouse.formatting import SUMMARY_CHARACTERS_MAX, format_event

TIME = datetime(2026, 1, 31, 9, 5, 7, 999999, tzinfo=timezone.utc)


def event(*operations: Operation, agent_id: str = "a") -> ReplayEvent:
    return ReplayEvent("default", agent_id, 3, 17, TIME, "txn-1", "00", operations)


def put(key: str, value: Any) -> Operation:
    return Operation("put", key, value, 2)


@pytest.mark.parametrize(
    ("operation", "line"),
    [
        (put("task", {"goal": "é"}), '09:05:07Z  agent=a  WRITE  key=task  v=2  {"goal":"é"}'),
        (put("tool/search", []), "09:05:07Z  agent=a  TOOL  key=tool/search  v=2  []"),
        (put("note/1", "x"), '09:05:07Z  agent=a  NOTE  key=note/1  v=2  "x"'),
        (put("final/answer", None), "09:05:07Z  agent=a  FINAL  key=final/answer  v=2  null"),
        (Operation("delete", "tool/x", version=5), "09:05:07Z  agent=a  DEL  key=tool/x  v=5"),
    ],
)
def test_an_operation_is_a_line(operation: Operation, line: str) -> None:
    assert list(format_event(event(operation))) == [line]


def test_each_operation_of_a_commit_has_a_line() -> None:
    assert len(list(format_event(event(put("a", 1), put("b", 2))))) == 2


def test_a_verbose_line_holds_the_whole_value_and_the_commits_numbers() -> None:
    [line] = format_event(event(put("k", "x" * 500)), verbose=True)
    assert "agent_version=3  commit_ts=17  txn=txn-1" in line and "x" * 500 in line


def test_a_long_value_is_cut_and_a_narrow_line_too() -> None:
    operation = put("k", "x" * 500)
    [line] = format_event(event(operation))
    assert line.endswith("…") and len(line.rsplit("  ", 1)[1]) == SUMMARY_CHARACTERS_MAX
    [narrow] = format_event(event(operation), width=30)
    assert len(narrow) == 30 and narrow.endswith("…")


def test_nothing_in_an_id_or_value_reaches_the_terminal_as_a_command() -> None:
    [line] = format_event(event(put("k\n\x1b[2J", "\x1b]0;\x07\u202e"), agent_id="a\r\x9b"))
    assert line.isprintable()
