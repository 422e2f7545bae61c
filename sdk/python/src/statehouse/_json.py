"""JSON without loss: integers of any size, decimals, and nothing silently turned into something else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

from .errors import ValidationError

ParseFloat = Callable[[str], Any]

# json.dumps of a text, without making an encoder for each; keeps Unicode as it is.
_quote = json.JSONEncoder(ensure_ascii=False).encode

# Python refuses to convert longer texts with int() and str(): sys.set_int_max_str_digits. Decimal has no such bound.
_INT_DIGITS_PLAIN = 640


def encode(value: object, field: str = "value") -> bytes:
    """The value as compact UTF-8 JSON.

    Takes None, bool, int, float, Decimal, str, list, tuple and mappings with str keys. json.dumps would turn other
    keys into strings and NaN into no JSON at all, so those are refused.

    Raises ValidationError naming the place, for instance ``value.items[3]``.
    """
    parts: list[str] = []
    try:
        _write(value, field, parts.append)
        return "".join(parts).encode()
    except RecursionError:
        raise _refused(field, "nested less deeply, without cycles", "too deep") from None
    except UnicodeEncodeError:
        raise _refused(field, "well-formed Unicode", "text with an unpaired surrogate") from None


def decode(text: bytes, parse_float: ParseFloat | None = None) -> Any:
    """What the JSON text says; integers exactly, other numbers as float or as ``parse_float`` makes them."""
    try:
        return json.loads(text, parse_float=parse_float)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # An integer that is too long for int(): only then pay for a hook on every number.
        return json.loads(text, parse_float=parse_float, parse_int=_parse_int)


def _write(value: object, where: str, put: Callable[[str], None]) -> None:
    if value is None:
        put("null")
    elif value is True:
        put("true")
    elif value is False:
        put("false")
    elif isinstance(value, str):
        put(_quote(value))
    elif isinstance(value, int):
        put(_int_text(value))
    elif isinstance(value, (float, Decimal)):
        put(_real_text(value, where))
    elif isinstance(value, Mapping):
        _write_object(value, where, put)
    elif isinstance(value, (list, tuple)):
        _write_array(value, where, put)
    else:
        raise _refused(where, "a JSON value (None, bool, int, float, Decimal, str, list, dict)", type(value).__name__)


def _write_object(value: Mapping[object, object], where: str, put: Callable[[str], None]) -> None:
    lead = "{"
    for key, item in value.items():
        if not isinstance(key, str):
            raise _refused(where, "an object with str keys", f"one with the key {key!r:.80}")
        put(lead)
        put(_quote(key))
        put(":")
        _write(item, f"{where}.{key}", put)
        lead = ","
    put("}" if lead == "," else "{}")


def _write_array(value: list[object] | tuple[object, ...], where: str, put: Callable[[str], None]) -> None:
    lead = "["
    for index, item in enumerate(value):
        put(lead)
        _write(item, f"{where}[{index}]", put)
        lead = ","
    put("]" if lead == "," else "[]")


def _int_text(value: int) -> str:
    # Three bits are less than a digit, so anything shorter is within Python's own bound.
    return int.__repr__(value) if value.bit_length() < _INT_DIGITS_PLAIN * 3 else format(Decimal(int(value)), "f")


def _real_text(value: float | Decimal, where: str) -> str:
    finite = value.is_finite() if isinstance(value, Decimal) else isfinite(value)
    if not finite:
        raise _refused(where, "a finite number", str(value))
    return str(value) if isinstance(value, Decimal) else float.__repr__(value)


def _parse_int(text: str) -> int:
    return int(text) if len(text) <= _INT_DIGITS_PLAIN else int(Decimal(text))


def _refused(where: str, must_be: str, seen: str) -> ValidationError:
    shown = where if len(where) <= 200 else where[:200] + "…"
    return ValidationError(
        f"{shown} must be {must_be}; this is {seen}.",
        code="SH-1003",
        details={"field": shown, "limit": must_be, "value": seen},
    )
