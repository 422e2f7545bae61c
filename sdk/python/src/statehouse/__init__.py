"""Client of Statehouse, a durable state and memory engine for AI agents. Start with :class:`Statehouse`, or :class:`StateManager` for
the runs of a workflow."""

from ._version import __version__
from .agent import Agent
from .aio import AsyncStatehouse, AsyncTransaction
from .async_agent import AsyncAgent
from .client import DEFAULT_URL, Statehouse, Transaction
from .errors import (
    BufferedWriteError,
    ConflictError,
    ConnectionError,
    NotFoundError,
    OutcomeUnknownError,
    StaleTokenError,
    StatehouseError,
    TimeoutError,
    TransactionError,
    TrimmedError,
    UnavailableError,
    ValidationError,
)
from .executions import (
    Checkpoint,
    CheckpointEntry,
    CheckpointReceipt,
    Claim,
    CleanupResult,
    Execution,
    ExecutionFailure,
    ExecutionSettings,
    Lease,
    Metrics,
    RecoveryReport,
    Snapshot,
    TransactionReceipt,
)
from .memory import MemoryBackend
from .recovery import RecoveredExecution
from .resume import Step, Steps
from .state_manager import StateManager
from .state_transaction import StateTransaction, SyncStateTransaction
from .sync_recovery import SyncRecoveredExecution
from .sync_state_manager import SyncStateManager
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
    "BufferedWriteError",
    "Checkpoint",
    "CheckpointEntry",
    "CheckpointReceipt",
    "Claim",
    "CleanupResult",
    "ConflictError",
    "ConnectionError",
    "Execution",
    "ExecutionFailure",
    "ExecutionSettings",
    "Lease",
    "MemoryBackend",
    "Metrics",
    "NotFoundError",
    "Operation",
    "OutcomeUnknownError",
    "Receipt",
    "RecoveredExecution",
    "RecoveryReport",
    "ReplayEvent",
    "RetryPolicy",
    "Snapshot",
    "StaleTokenError",
    "StateManager",
    "StateResult",
    "StateTransaction",
    "Statehouse",
    "StatehouseError",
    "Step",
    "Steps",
    "SyncRecoveredExecution",
    "SyncStateManager",
    "SyncStateTransaction",
    "TimeoutError",
    "Transaction",
    "TransactionError",
    "TransactionReceipt",
    "TrimmedError",
    "UnavailableError",
    "ValidationError",
    "__version__",
]
