"""Going on after a crash: the convention of steps that are written ``pending`` before acting and ``done`` after.

A step is a key such as ``step:7`` whose value is an object with ``status``: ``pending`` (begun, perhaps acted on) or
``done`` (with ``result``). The number may be padded with zeros (``step/007``). The guide:
docs/guides/resume-after-crash.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import _json
from ._api import Api
from ._retry import Flow
from .errors import ConflictError, ValidationError
from .types import StateResult

STEP_PREFIX = "step:"
PENDING = "pending"
DONE = "done"


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it is written.

    version: the key version; the next write of the step is made over it.
    status: ``pending``, ``done``, or whatever else an agent wrote; None where the value has none.
    action_key: of this try of the step, the same after a crash: an idempotency key for the outside world.
    """

    key: str
    number: int
    status: str | None
    value: Any
    version: int
    action_key: str = ""

    @property
    def result(self) -> Any:
        return self.value.get("result") if isinstance(self.value, dict) else None

    @property
    def intent(self) -> Any:
        return self.value.get("intent") if isinstance(self.value, dict) else None


@dataclass(frozen=True, slots=True)
class Steps:
    """All steps of a run, in the order of their numbers."""

    all: tuple[Step, ...]

    @property
    def last_finished(self) -> Step | None:
        """The done step with the highest number."""
        # ``all`` is in the order of the numbers.
        return self.finished[-1] if self.finished else None

    @property
    def finished(self) -> tuple[Step, ...]:
        return tuple(step for step in self.all if step.status == DONE)

    @property
    def pending(self) -> tuple[Step, ...]:
        """Begun and not done: each may or may not have had its side effect."""
        return tuple(step for step in self.all if step.status == PENDING)

    @property
    def next_number(self) -> int:
        """The lowest number from 1 that is not done: where to go on."""
        done = {step.number for step in self.finished}
        number = 1
        while number in done:
            number += 1
        return number

    def __getitem__(self, number: int) -> Step:
        for step in self.all:
            if step.number == number:
                return step
        raise KeyError(number)

    def __contains__(self, number: object) -> bool:
        return any(step.number == number for step in self.all)


def steps_of(states: Iterable[StateResult], prefix: str = STEP_PREFIX) -> Steps:
    """The steps among some keys; keys whose rest is no number (``step:7:note``) are passed over."""
    steps: dict[int, Step] = {}
    for state in states:
        number = _number(state.key, prefix)
        if number is None:
            continue
        if number in steps:
            raise ValidationError(
                f"{state.key!r} and {steps[number].key!r} are both step {number}: write the numbers in one way.",
                code="SH-1003",
                details={"field": "key", "value": state.key},
            )
        steps[number] = _step(state, number)
    return Steps(tuple(steps[number] for number in sorted(steps)))


def begin_step(api: Api, namespace: str, agent_id: str, number: int, intent: Any, prefix: str) -> Flow[Step]:
    """The step as it stands, after writing its intention where there was none."""
    key = f"{prefix}{number}"
    state = yield from api.get_state(agent_id, key, namespace)
    step = _step(state, number)
    if not state.exists:
        value = {"status": PENDING} if intent is None else {"status": PENDING, "intent": intent}
        step = yield from _write(api, namespace, agent_id, step, value)
    if step.status not in (PENDING, DONE):
        raise ConflictError(f"{key} of {agent_id} is {step.value!r:.100}: neither pending nor done, so not a step.")
    return _with_action_key(step, namespace, agent_id)


def finish_step(api: Api, namespace: str, agent_id: str, step: Step, result: Any) -> Flow[Any]:
    """Writes the result over the intention; the other of two processes that come to different results is refused."""
    value = dict(step.value, status=DONE, result=result)
    try:
        yield from _write(api, namespace, agent_id, step, value)
    except ValidationError as error:
        if error.code != "SH-1002":
            raise
        raise ConflictError(
            f"Another process has ended {step.key} of {agent_id} with another result.", code="SH-1001", details=error.details
        ) from error
    return result


def _write(api: Api, namespace: str, agent_id: str, step: Step, value: dict[str, Any]) -> Flow[Step]:
    # The idempotency key names the one change of one version, so a repeat is recognised and a later run of a step
    # that was deleted is not.
    receipt = yield from api.write_key(
        "PUT", agent_id, step.key, _json.encode(value, step.key), namespace,
        if_version=step.version, if_exists=None, idempotency_key=_digest("step", step.key, str(step.version + 1)),
    )
    version = step.version + 1 if receipt.key_version is None else receipt.key_version
    return Step(step.key, step.number, str(value["status"]), value, version)


def _step(state: StateResult, number: int) -> Step:
    value = state.value if isinstance(state.value, dict) else {}
    status = value.get("status")
    return Step(state.key, number, status if isinstance(status, str) else None, state.value, state.version)


def _with_action_key(step: Step, namespace: str, agent_id: str) -> Step:
    action_key = _digest("act", namespace, agent_id, step.key, str(step.version))
    return Step(step.key, step.number, step.status, step.value, step.version, action_key)


def _digest(*parts: str) -> str:
    # Ids may be longer than an idempotency key, and hold any separator: lengths keep them apart.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return f"{parts[0]}-{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def _number(key: str, prefix: str) -> int | None:
    rest = key[len(prefix):] if key.startswith(prefix) else ""
    return int(rest) if re.fullmatch(r"[0-9]{1,18}", rest) else None
