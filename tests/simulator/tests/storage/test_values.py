# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as bytes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle_simulator.storage.values import Value, decode_row, encode_row

VALUES = st.one_of(
    st.none(),
    st.text(max_size=50),
    st.integers(-(10**38), 10**38),
    st.decimals(allow_nan=False, allow_infinity=False, places=5),
    st.floats(allow_nan=False),
    st.binary(max_size=50),
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),
    st.booleans(),
    st.timedeltas(timedelta(days=-1000), timedelta(days=1000)),
)


@given(st.lists(VALUES, max_size=12))
def test_every_row_survives(row: list[Value]) -> None:
    again = decode_row(encode_row(row))
    assert again == row
    assert [type(value) for value in again] == [type(value) for value in row]


def test_text_stands_in_the_bytes_as_it_is() -> None:
    assert b"Z\xc3\xbcrich" in encode_row(["Zürich"])


def test_a_time_zone_survives() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    (again,) = decode_row(encode_row([moment]))
    assert isinstance(again, datetime)
    assert (again, again.utcoffset()) == (moment, moment.utcoffset())


def test_long_text_and_raw_survive() -> None:
    row: list[Value] = ["x" * 70_000, b"y" * 70_000, 1]
    assert decode_row(encode_row(row)) == row


def test_numbers_keep_their_kind() -> None:
    assert decode_row(encode_row([Decimal("1.50")])) == [Decimal("1.50")]
    assert str(decode_row(encode_row([Decimal("1.50")]))[0]) == "1.50"


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"\x63", "unknown value tag"), (b"\x01\x05\x00abc", "inside"), (b"\x02\x09\x01", "inside")],
)
def test_bytes_that_are_no_row_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode_row(data)


def test_a_value_no_column_holds_is_refused() -> None:
    with pytest.raises(TypeError, match="complex"):
        encode_row([1j])  # type: ignore[list-item]  # the point of the test
