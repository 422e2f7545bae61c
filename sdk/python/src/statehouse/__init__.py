"""Client of Statehouse, a durable state and memory engine for AI agents. Start with :class:`Statehouse`."""

from ._version import __version__
from .agent import Agent
from .aio import AsyncStatehouse, AsyncTransaction
from .async_agent import AsyncAgent
from .client import DEFAULT_URL, Statehouse, Transaction
from .errors import (
    ConflictError,
    ConnectionError,
    NotFoundError,
    OutcomeUnknownError,
    StatehouseError,
    TimeoutError,
    TransactionError,
    UnavailableError,
    ValidationError,
)
from .resume import Step, Steps
from .types import NO_RETRIES, AgentHead, AgentRef, Operation, Receipt, ReplayEvent, RetryPolicy, StateResult

__all__ = [
    "DEFAULT_URL",
    "NO_RETRIES",
    "Agent",
    "AgentHead",
    "AgentRef",
    "AsyncAgent",
    "AsyncStatehouse",
    "AsyncTransaction",
    "ConflictError",
    "ConnectionError",
    "NotFoundError",
    "Operation",
    "OutcomeUnknownError",
    "Receipt",
    "ReplayEvent",
    "RetryPolicy",
    "StateResult",
    "Statehouse",
    "StatehouseError",
    "Step",
    "Steps",
    "TimeoutError",
    "Transaction",
    "TransactionError",
    "UnavailableError",
    "ValidationError",
    "__version__",
]
