# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements that a crash breaks off after their redo, before the control file knows; and lost power."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oracle_simulator.data import file_sizes, tablespace_state
from oracle_simulator.instance.faults import Action, Step, StepFault
from oracle_simulator.instance.faults.unsynced import UnsyncedWrites, lose_power

from .shop import MIB, WAIT, Background, Shop, refused
from .test_tablespaces import ME


def make_read_only(shop: Shop) -> None:
    tablespace_state.make_read_only(shop.transactions, "DATA", ME)


def make_read_write(shop: Shop) -> None:
    tablespace_state.make_read_write(shop.dictionary, "DATA")


def take_offline(shop: Shop) -> None:
    tablespace_state.take_offline(shop.transactions, "DATA", ME)


def bring_online(shop: Shop) -> None:
    tablespace_state.bring_online(shop.dictionary, "DATA")


@pytest.mark.parametrize(("away", "back"), [(take_offline, bring_online), (make_read_only, make_read_write)])
def test_rows_written_before_the_control_file_knows_that_they_may_be_survive(
    shop: Shop, away: Callable[[Shop], None], back: Callable[[Shop], None]
) -> None:
    shop.create_table(tablespace="DATA")
    shop.insert([1, "before", 0])
    away(shop)
    (first, *_others) = [file for file in shop.instance.control.datafiles if file.path.endswith("data01.dbf")]
    shop.instance.faults.steps.arm(
        StepFault(Step.CHECKPOINT_HEADER, Action.HOLD, file_number=first.file_number)
    )
    coming = Background(lambda: back(shop))
    assert shop.instance.faults.steps.wait_until_held(WAIT)
    shop.insert([2, "meanwhile", 0])
    shop.crash()
    refused(1092, coming.finish)
    shop.open()
    assert [row[0] for row in shop.contents()] == [1, 2]
    assert shop.dictionary.find_tablespace("DATA").status == "ONLINE"
    assert [file.status for file in shop.instance.control.datafiles if file.path == first.path] == ["ONLINE"]
    shop.insert([3, "after", 0])


def test_a_file_that_grew_is_as_long_after_a_power_failure(shop: Shop) -> None:
    shop.instance.disk.unsynced = UnsyncedWrites(shop.home.unsynced_folder)
    (file, *_others) = [file for file in shop.instance.control.datafiles if file.path.endswith("users01.dbf")]
    file_sizes.resize_datafile(shop.dictionary, file.file_number, 5 * MIB)
    shop.crash()
    lose_power(shop.home.unsynced_folder)
    shop.open()
    assert shop.instance.control.datafile(file.file_number).bytes == 5 * MIB  # type: ignore[union-attr]  # it is there
    last = shop.instance.files.get(file.file_number).read_block(5 * MIB // 8192)
    assert last[4:8] == (5 * MIB // 8192).to_bytes(4, "little"), "never used, and formatted so"
