from __future__ import annotations

from typing import Any

import pytest

from statehouse import StateResult, ValidationError
from statehouse.resume import steps_of


def state(key: str, status: str | None, version: int = 1) -> StateResult:
    value: Any = {"status": status, "result": key} if status else "free text"
    return StateResult(key, value, version, 1, True, None, 1)


def test_no_steps_start_with_the_first() -> None:
    steps = steps_of([])
    assert steps.last_finished is None and steps.pending == () and steps.next_number == 1


def test_the_last_finished_step_is_the_highest_and_not_the_last_in_byte_order() -> None:
    steps = steps_of([state("step:1", "done"), state("step:10", "done"), state("step:2", "done"), state("step:3", "pending")])
    assert steps.last_finished is not None and steps.last_finished.number == 10
    assert [step.number for step in steps.pending] == [3]
    assert steps.next_number == 3
    assert steps[10].result == "step:10" and 4 not in steps


@pytest.mark.parametrize(("prefix", "key"), [("step/", "step/007"), ("session:4:step:", "session:4:step:0007"), ("s", "s7")])
def test_other_ways_to_write_the_number_are_understood(prefix: str, key: str) -> None:
    steps = steps_of([state(key, "done")], prefix)
    assert steps.last_finished is not None and steps.last_finished.number == 7


@pytest.mark.parametrize("key", ["step:", "step:7:note", "step:x", "step:-1", "step:٣", "step:1 ", "step:" + "9" * 19, "other"])
def test_keys_that_are_no_steps_are_passed_over(key: str) -> None:
    assert steps_of([state(key, "done")]).all == ()


def test_a_step_of_another_shape_is_neither_pending_nor_done() -> None:
    steps = steps_of([state("step:1", None), state("step:2", "failed")])
    assert steps.pending == () and steps.finished == () and steps[1].status is None and steps[1].result is None


def test_one_number_written_in_two_ways_is_refused() -> None:
    with pytest.raises(ValidationError, match="both step 1"):
        steps_of([state("step:01", "done"), state("step:1", "pending")])
