# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCN fields and Oracle times."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle_simulator.storage.oracle_time import decode_time, encode_time
from oracle_simulator.storage.scn import MAX_SCN, decode_scn, encode_scn

from .independent import scn8


def test_the_scn_of_a_real_redo_header() -> None:
    field = bytes.fromhex("d14f1d0000800000")
    assert decode_scn(field) == 1920977
    assert encode_scn(1920977) == field


def test_the_small_form_is_read_too() -> None:
    assert decode_scn(bytes.fromhex("0100000002000000")) == 2 << 32 | 1


def test_no_scn_is_all_ones_and_zero_all_zeros() -> None:
    assert encode_scn(None) == b"\xff" * 8
    assert decode_scn(b"\xff" * 8) is None
    assert encode_scn(0) == bytes(8)
    assert decode_scn(bytes(8)) == 0


@given(st.integers(0, MAX_SCN))
def test_every_scn_survives_and_an_independent_reader_agrees(scn: int) -> None:
    if scn & 0xFFFFFFFF == 0xFFFFFFFF and scn >> 48 == 0x7FFF:
        return  # the base and mark of "no SCN": not a number a database reaches
    assert decode_scn(encode_scn(scn)) == scn
    assert scn8(encode_scn(scn), 0) == scn


@pytest.mark.parametrize("scn", [-1, MAX_SCN + 1])
def test_impossible_scns_are_refused(scn: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        encode_scn(scn)


def test_the_time_of_a_real_redo_header() -> None:
    assert decode_time(972923682) == datetime(2018, 4, 8, 16, 34, 42)
    assert encode_time(datetime(2018, 4, 8, 16, 34, 42)) == 972923682


def test_never_is_zero() -> None:
    assert encode_time(None) == 0
    assert decode_time(0) is None


@given(st.datetimes(datetime(1988, 1, 2), datetime(2120, 1, 1)))
def test_every_second_survives(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    assert decode_time(encode_time(moment)) == moment
