"""Repeats what is safe to repeat, and only that."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

from . import _wire
from ._wire import Reply, Request
from .errors import ConnectionError, OutcomeUnknownError, StatehouseError, TimeoutError, TransactionError, UnavailableError
from .types import RetryPolicy

logger = logging.getLogger("statehouse")

FAULTS = (ConnectionError, TimeoutError, UnavailableError, OutcomeUnknownError)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pause:
    """Asks whoever runs a flow to wait."""

    seconds: float


# A conversation with the server without input or output: yields what is to be done, is sent what came of it (a
# Reply for a Request) or has the error thrown into it, and returns the result. Both clients run the same flows.
Flow = Generator["Request | Pause", "Reply | None", T]


def exchange(request: Request, policy: RetryPolicy, chance: Callable[[], float] = random.random) -> Flow[Reply]:
    """Sends a request until it is answered, as the policy allows.

    Returns a success, or the 404 of a key that does not exist. Raises what the last attempt failed with; where any
    attempt may have written, the error says so.
    """
    in_doubt = False
    for attempt in range(1, policy.attempts + 1):
        error = yield from _try_once(request)
        if not isinstance(error, StatehouseError):
            return error
        in_doubt = in_doubt or error.outcome_unknown
        # A refusal is an answer to the request as such; a fault, or "no such transaction", says nothing of the
        # attempts before it.
        inherits = isinstance(error, (*FAULTS, TransactionError))
        error.outcome_unknown = request.writes and (in_doubt if inherits else error.outcome_unknown)
        delay = delay_before_repeat(policy, attempt, error, chance)
        if not request.repeatable or attempt == policy.attempts or delay is None:
            raise error
        logger.info("%s failed (%s); attempt %d follows in %.2f s", request.method, error, attempt + 1, delay)
        yield Pause(delay)
    raise AssertionError("The loop ends by returning or raising.")


def delay_before_repeat(
    policy: RetryPolicy, attempt: int, error: StatehouseError, chance: Callable[[], float]
) -> float | None:
    """Seconds to wait after failed attempt 1, 2, …; None where repeating cannot help."""
    if not isinstance(error, FAULTS):
        return None
    asked = error.retry_after_s or 0.0
    if asked > policy.retry_after_max_s:
        return None
    # The exponent is bounded because a float is: 2.0 ** 1024 raises.
    grown = min(policy.delay_max_s, policy.delay_s * 2.0 ** min(attempt - 1, 60))
    return max(asked, grown * (1.0 - chance() / 2))


def _try_once(request: Request) -> Generator[Request | Pause, Reply | None, Reply | StatehouseError]:
    try:
        reply = yield request
    except StatehouseError as error:
        return error
    assert reply is not None, "A request is answered by a reply."
    if 200 <= reply.status < 300 or _wire.absent_key(reply) is not None:
        return reply
    return _wire.error_of(reply)
