"""What goes in and comes out: immutable, plain Python values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class StateResult:
    """One key as it was at the moment asked for.

    key: which key.
    value: the value; None where the key does not exist (ask ``exists``: a value may be None too).
    version: its key version, counting every operation on the key; of the tombstone where it was deleted; 0 = was
        never written.
    commit_ts: the feed position of the commit that wrote it; 0 where it does not exist, and for what a transaction
        has staged only.
    exists: False for a deleted key and for one that was never written.
    time: when it was written, UTC; None where commit_ts is 0.
    agent_version: the agent version that this was read at.
    """

    key: str
    value: Any
    version: int
    commit_ts: int
    exists: bool
    time: datetime | None
    agent_version: int


@dataclass(frozen=True, slots=True)
class Operation:
    """A put or a delete; make one with :meth:`put` or :meth:`delete`.

    version: the key version that it made; 0 before it is committed.
    if_version: commit only where the key is at this version; 0 = was never written; None = whatever it is.
    """

    op: Literal["put", "delete"]
    key: str
    value: Any = None
    version: int = 0
    if_version: int | None = None

    @classmethod
    def put(cls, key: str, value: Any, *, if_version: int | None = None) -> Operation:
        return cls("put", key, value, if_version=if_version)

    @classmethod
    def delete(cls, key: str, *, if_version: int | None = None) -> Operation:
        return cls("delete", key, if_version=if_version)

    @property
    def is_delete(self) -> bool:
        return self.op == "delete"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a successful commit returns.

    version: the agent version that it made.
    key_version: of the key that ``put`` or ``delete`` wrote; None on a commit of several operations, and on a repeat
        that is too old for the server to know it.
    replayed: an earlier commit with this idempotency key answered; nothing was written now.
    """

    namespace: str
    agent_id: str
    version: int
    commit_ts: int
    time: datetime
    txn_id: str
    hash: str
    idempotency_key: str | None = None
    metadata: Mapping[str, Any] | None = None
    key_version: int | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class ReplayEvent:
    """One commit of an agent, with all that it did."""

    namespace: str
    agent_id: str
    version: int
    commit_ts: int
    time: datetime
    txn_id: str
    hash: str
    operations: tuple[Operation, ...]
    idempotency_key: str | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AgentHead:
    """Where an agent stands.

    first_version: the oldest commit still kept; more than 1 where history was trimmed.
    bytes: size of its state.
    """

    namespace: str
    agent_id: str
    version: int
    commit_ts: int
    time: datetime
    hash: str
    first_version: int = 1
    key_count: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class AgentRef:
    """An agent in a list of agents."""

    namespace: str
    agent_id: str
    version: int


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a safe request is repeated: a read, or a write with an idempotency key.

    attempts: tries in all, the first one included; 1 = never repeat.
    delay_s: before the first repeat; doubles with each further one, less a random part of up to half.
    delay_max_s: the most that a delay grows to. A server that asks for more (Retry-After) is heard up to
        ``retry_after_max_s``; beyond that its error is raised at once.
    follow_attempts: how many times in a row a follower reconnects in vain before it gives up.
    """

    attempts: int = 4
    delay_s: float = 0.1
    delay_max_s: float = 5.0
    retry_after_max_s: float = 30.0
    follow_attempts: int = 20

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.follow_attempts < 1:
            raise ValueError("A retry policy needs at least one attempt.")
        if min(self.delay_s, self.delay_max_s, self.retry_after_max_s) < 0:
            raise ValueError("The delays of a retry policy cannot be negative.")


NO_RETRIES = RetryPolicy(attempts=1, follow_attempts=1)

__all__ = [
    "NO_RETRIES", "AgentHead", "AgentRef", "Operation", "Receipt", "ReplayEvent", "RetryPolicy", "StateResult",
]
