# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Integers, strings and data types against bytes that real clients and databases exchange."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle_simulator.errors import OracleError
from oracle_simulator.net import data_types, wire
from oracle_simulator.net.backend import DataType

INTEGERS = [(0, "00"), (5, "0105"), (300, "02012c"), (70000, "0400011170"), (1 << 40, "080000010000000000")]

NUMBERS: list[tuple[Any, str]] = [
    (0, "80"),
    (1, "c102"),
    (10, "c10b"),
    (100, "c202"),
    (99, "c164"),
    (Decimal("100.5"), "c2020133"),
    (123456789, "c502182e445a"),
    (Decimal("0.01"), "c002"),
    (-1, "3e6466"),
    (Decimal("-0.5"), "3f3366"),
    (Decimal("-100.5"), "3d64653366"),
    (10**100, "f302"),
]


@pytest.mark.parametrize(("value", "encoded"), INTEGERS)
def test_unsigned_integers_are_written_and_read(value: int, encoded: str) -> None:
    assert wire.ub(value).hex() == encoded
    assert wire.Reader(bytes.fromhex(encoded)).ub() == value


def test_a_negative_integer_has_its_sign_in_the_length_byte() -> None:
    assert wire.sb(-1).hex() == "8101"


@pytest.mark.parametrize("size", [0, 1, 252, 253, 32767, 32768, 100_000])
def test_strings_of_every_length_survive(size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    assert (wire.Reader(wire.bytes1(data)).bytes1() or b"") == data
    assert (wire.Reader(wire.bytes2(data)).bytes2() or b"") == data


def test_a_reader_waits_for_bytes_however_they_are_split() -> None:
    whole = wire.ub(300) + wire.bytes1(b"x" * 1000) + wire.str2("Größe")
    for size in (1, 2, 7, 255):
        pieces = iter([whole[at : at + size] for at in range(0, len(whole), size)])
        reader = wire.Reader(refill=lambda pieces=pieces: next(pieces))  # type: ignore[misc] # bound as a default
        assert (reader.ub(), reader.bytes1(), reader.str2()) == (300, b"x" * 1000, "Größe")
        assert reader.at_hand == 0


def test_a_reader_says_when_bytes_run_out() -> None:
    with pytest.raises(wire.NeedMore):
        wire.Reader(b"\x02\x01").ub()


@pytest.mark.parametrize("garbage", [b"\x81\x01", b"\x09" + bytes(9)])
def test_impossible_lengths_are_protocol_errors(garbage: bytes) -> None:
    with pytest.raises(wire.ProtocolError):
        wire.Reader(garbage).ub()


@pytest.mark.parametrize(("value", "encoded"), NUMBERS)
def test_numbers_match_the_vectors(value: Any, encoded: str) -> None:
    data = bytes.fromhex(encoded)
    assert data_types.encode_number(value) == bytes((len(data),)) + data
    assert data_types.decode_number(data) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**24), max_value=10**24))
def test_decimals_survive(value: Decimal) -> None:
    assert data_types.decode_number(data_types.encode_number(value)[1:]) == value


@given(st.integers(min_value=-(10**38) + 1, max_value=10**38 - 1))
def test_integers_survive_as_integers(value: int) -> None:
    decoded = data_types.decode_number(data_types.encode_number(value)[1:])
    assert decoded == value
    assert isinstance(decoded, int)


@given(st.floats(min_value=-1e30, max_value=1e30).filter(lambda value: value == 0 or abs(value) > 1e-100))
def test_floats_survive_as_numbers(value: float) -> None:
    assert float(data_types.decode_number(data_types.encode_number(value)[1:])) == value


@pytest.mark.parametrize("value", [10**126, Decimal("1e200"), float("inf"), float("nan")])
def test_numbers_out_of_range_are_refused(value: Any) -> None:
    with pytest.raises(OracleError) as caught:
        data_types.encode_number(value)
    assert caught.value.code == 1426


def test_a_number_of_too_many_digits_is_rounded() -> None:
    encoded = data_types.encode_number(Decimal("0." + "1" * 60))
    assert data_types.decode_number(encoded[1:]) == Decimal("0." + "1" * 38)


KOLKATA = timezone(timedelta(hours=5, minutes=30))

VECTORS = [
    (DataType.DATE, datetime(2024, 2, 29, 23, 59, 58), "787c021d183c3b"),
    (DataType.TIMESTAMP, datetime(1999, 12, 31, 1, 2, 3, 456789), "77c70c1f0203041b3a0c08"),
    (
        DataType.TIMESTAMP_TZ,
        datetime(2020, 5, 6, 7, 8, 9, 10, tzinfo=KOLKATA),
        "7878050602270a00002710195a",
    ),
    (DataType.BINARY_DOUBLE, 1.5, "bff8000000000000"),
    (DataType.BINARY_DOUBLE, -1.5, "4007ffffffffffff"),
    (DataType.BINARY_FLOAT, 1.5, "bfc00000"),
    (DataType.INTERVAL_DS, timedelta(days=3, hours=4, microseconds=5), "80000003403c3c80001388"),
    (DataType.BOOLEAN, True, "01"),
    (DataType.VARCHAR2, "é", "c3a9"),
    (DataType.RAW, b"\x00\xff", "00ff"),
]


@pytest.mark.parametrize(("kind", "value", "encoded"), VECTORS)
def test_values_match_the_vectors(kind: DataType, value: Any, encoded: str) -> None:
    data = bytes.fromhex(encoded)
    assert data_types.ENCODERS[kind](value) == bytes((len(data),)) + data
    assert data_types.DECODERS[kind](data) == value


def test_a_timestamp_without_fraction_drops_it() -> None:
    assert data_types.encode_timestamp(datetime(2024, 2, 29, 23, 59, 58)).hex() == "07787c021d183c3b"


@given(st.datetimes(min_value=datetime(1, 1, 2)), st.integers(-14 * 60, 14 * 60))
def test_moments_survive_with_their_offset(value: datetime, minutes: int) -> None:
    aware = value.replace(year=max(value.year, 2), tzinfo=timezone(timedelta(minutes=minutes)))
    aware = aware.replace(year=min(aware.year, 9998))
    decoded = data_types.decode_datetime(data_types.encode_timestamp_tz(aware)[1:])
    assert decoded == aware
    assert decoded.utcoffset() == aware.utcoffset()


@given(st.timedeltas(min_value=timedelta(days=-10_000), max_value=timedelta(days=10_000)))
def test_intervals_survive(value: timedelta) -> None:
    assert data_types.decode_interval_ds(data_types.encode_interval_ds(value)[1:]) == value


def test_a_column_without_a_size_is_not_described_as_always_null() -> None:
    assert all(
        data_types.buffer_size(kind, 0) > 0
        for kind in DataType
        if kind not in (DataType.LONG, DataType.LONG_RAW)
    )


def test_columns_convert_only_within_their_family() -> None:
    data_types.require_convertible(DataType.CLOB, DataType.LONG)
    data_types.require_convertible(DataType.BLOB, DataType.LONG_RAW)
    data_types.require_convertible(DataType.INTERVAL_DS, DataType.INTERVAL_DS)
    for source, target in ((DataType.CLOB, DataType.RAW), (DataType.BOOLEAN, DataType.NUMBER)):
        with pytest.raises(OracleError, match="ORA-00932"):
            data_types.require_convertible(source, target)
