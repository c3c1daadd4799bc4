# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCN and time fields, against values printed in published dumps."""

from __future__ import annotations

from datetime import datetime

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.scn import (
    decode_oracle_time,
    decode_scn,
)
from hypothesis import given
from hypothesis import strategies as st

from unit.files import oracle_file_writer as writer


def test_the_published_big_form_field_is_decoded() -> None:
    assert decode_scn(bytes.fromhex("d14f1d0000800000")) == 0x1D4FD1 == 1_920_977


def test_the_small_form_ignores_its_padding() -> None:
    assert decode_scn(bytes.fromhex("010000000200ffff")) == (2 << 32) | 1


def test_all_ones_is_no_scn() -> None:
    assert decode_scn(b"\xff" * 8) is None
    assert decode_scn(b"\xff" * 6 + b"\0\0") is None


def test_a_field_of_another_length_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        decode_scn(b"1234567")


@given(st.integers(0, 2**63 - 1), st.booleans())
def test_every_scn_survives_the_big_form(scn: int, big_endian: bool) -> None:
    if scn & 0xFFFFFFFF == 0xFFFFFFFF and scn >> 48 == 0x7FFF:
        return  # this one is the mark of "no SCN"
    assert decode_scn(writer.scn_field(scn, big_form=True, big_endian=big_endian), big_endian) == scn


@given(st.integers(0, 2**47 - 1), st.booleans())
def test_every_older_scn_survives_the_small_form(scn: int, big_endian: bool) -> None:
    assert decode_scn(writer.scn_field(scn, big_endian=big_endian), big_endian) == scn


def test_the_published_time_is_decoded() -> None:
    assert decode_oracle_time(972_923_682) == datetime(2018, 4, 8, 16, 34, 42)


def test_the_first_time_is_the_start_of_1988() -> None:
    assert decode_oracle_time(0) == datetime(1988, 1, 1)


def test_a_day_that_does_not_exist_is_refused() -> None:
    thirty_first_of_february = (1 * 31 + 30) * 86400
    with pytest.raises(VerificationError, match=str(thirty_first_of_february)):
        decode_oracle_time(thirty_first_of_february)
