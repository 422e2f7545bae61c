"""What can go wrong. Every error is a :class:`StatehouseError`; the codes are those of docs/errors."""

from __future__ import annotations

from collections.abc import Mapping


class StatehouseError(Exception):
    """The base of everything that this package raises on purpose.

    code: ``SH-nnnn`` where the server (or, for bad arguments, this package) gave one; None where no server answered.
    details: particulars for a program: the field, the limit, the value seen.
    status: the HTTP status; None where no server answered.
    request_id: names the request in the server's log.
    outcome_unknown: a write may or may not have happened: read, or repeat it with the same idempotency key. False
        means that nothing was written.
    retry_after_s: how long the server asked to wait before a repeat; None where it did not.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Mapping[str, str] | None = None,
        status: int | None = None,
        request_id: str | None = None,
        outcome_unknown: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.details: dict[str, str] = dict(details or {})
        self.status = status
        self.request_id = request_id
        self.outcome_unknown = outcome_unknown
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message

    def __reduce__(self) -> tuple[object, ...]:
        # The default would drop the keyword arguments, and with them break pickling over process pools.
        return (type(self), (self.message,), self.__dict__)


class ConflictError(StatehouseError):
    """SH-1001. A precondition does not hold; nothing was written. Read again, decide again."""


class StaleTokenError(ConflictError):
    """SH-1001. Another worker has claimed the execution since, or its lease is held and no token was given."""

    @property
    def token(self) -> int | None:
        """The newest that was handed out; None where it was not said."""
        return _number(self.details.get("token"))

    @property
    def given(self) -> int | None:
        return _number(self.details.get("given"))


class BufferedWriteError(ConflictError):
    """SH-1001. A buffered checkpoint was refused when it was to be written; it and what waited behind it are dropped."""

    @property
    def buffered_step(self) -> int | None:
        """The first step that is lost."""
        return _number(self.details.get("buffered_step"))


class ValidationError(StatehouseError):
    """SH-1002, SH-1003, SH-1004, or a value that is not JSON: the request is wrong; nothing was written."""


class NotFoundError(StatehouseError):
    """SH-1007, SH-1008. No such agent or version, or that history was trimmed."""


class TrimmedError(NotFoundError):
    """SH-1008. The state of that step was thinned."""

    @property
    def nearest_step(self) -> int | None:
        """The nearest step whose state is kept."""
        return _number(self.details.get("nearest_step"))


class TransactionError(StatehouseError):
    """SH-1005, SH-1006, or a transaction that has ended was used again."""


class UnavailableError(StatehouseError):
    """SH-2001, SH-2003. The server cannot or will not do it now; nothing was written."""


class OutcomeUnknownError(StatehouseError):
    """SH-2002. The journal failed in mid-write: the commit is there whole, or not at all."""


class ConnectionError(StatehouseError):
    """The server cannot be reached, or the connection broke."""


class TimeoutError(StatehouseError):
    """The server did not answer within the client's timeout."""


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
