from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from statehouse import ValidationError
from statehouse._json import decode, encode


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -1, 2**63, 10**700, -(10**9000) + 1, 0.1, -0.0, 1e-7, 1e22, "", "\u0000\"\\\n", "😀é",
        [], {}, [[], {}], {"": [None]}, {"b": 1, "a": {"c": [1, "2", False]}},
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_comes_back_as_it_went_in(value: Any) -> None:
    back = decode(encode(value))
    assert back == value and type(back) is type(value)


@pytest.mark.parametrize("text", ["1200.50", "0.1000000000000000055511151231257827", "1E+400", "-0.0", "1E-999"])
def test_a_decimal_keeps_each_digit(text: str) -> None:
    assert encode([Decimal(text)]).decode() == f"[{text}]"
    back = decode(encode(Decimal(text)), parse_float=Decimal)
    assert str(back) == text


def test_integers_beside_an_endless_one_stay_integers() -> None:
    assert decode(b'{"n": 1, "big": ' + b"9" * 5000 + b"}") == {"n": 1, "big": 10**5000 - 1}


def test_key_order_and_unicode_are_kept() -> None:
    assert encode({"z": "é", "a": 1}).decode() == '{"z":"é","a":1}'


def test_tuples_and_nested_containers_are_arrays() -> None:
    assert encode({"t": (1, (2,), [])}) == b'{"t":[1,[2],[]]}'


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({1: "a"}, "value"),
        ({"a": [1, {None: 2}]}, "value.a[1]"),
        ({"a": {"b": float("nan")}}, "value.a.b"),
        ([float("inf")], "value[0]"),
        ([Decimal("sNaN")], "value[0]"),
        ([0, b"bytes"], "value[1]"),
        ({"s": {1, 2}}, "value.s"),
        ("\ud800", "value"),
        ({"\udfff": 1}, "value"),
    ],
)
def test_what_is_no_JSON_is_refused_with_its_place(value: Any, place: str) -> None:
    with pytest.raises(ValidationError) as refused:
        encode(value)
    assert refused.value.code == "SH-1003"
    assert refused.value.details["field"] == place


def test_a_cycle_is_refused() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(ValidationError, match="too deep"):
        encode(cycle)


def test_malformed_JSON_is_an_error_and_not_a_long_integer() -> None:
    with pytest.raises(json.JSONDecodeError):
        decode(b"{")
