# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting tablespaces in backup mode and taking them out, as a plan."""

from __future__ import annotations

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.mode_plan import (
    ModePlan,
    plan_active,
    plan_inactive,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupMethod, Tablespace

from unit.backup.samples import active, datafile, tablespace

IDLE = tablespace("IDLE", datafile(1), number=1)
BUSY = tablespace("BUSY", active(datafile(3), 4711), active(datafile(4), 4711))
READ_ONLY = tablespace("RO", datafile(5), number=5, method=BackupMethod.PLAIN_COPY, reason="read only")
BROKEN = tablespace("BAD", datafile(6), number=6, method=BackupMethod.BROKEN, reason="file 6 is lost")


def names(plan: ModePlan) -> list[tuple[str | None, tuple[int, ...]]]:
    return [(item.tablespace.name if item.tablespace else None, item.file_numbers) for item in plan.changes]


def test_only_what_is_not_active_is_begun() -> None:
    plan = plan_active([IDLE, BUSY, READ_ONLY], {3, 4}, whole_database=False)
    assert names(plan) == [("IDLE", (1,))]
    assert [item.name for item, _reason in plan.skipped] == ["RO"]


def test_beginning_twice_is_nothing() -> None:
    assert plan_active([BUSY], {3, 4}, whole_database=False).changes == ()
    assert plan_active([BUSY], {3, 4}, whole_database=True).changes == ()


def test_database_begins_with_one_statement() -> None:
    assert names(plan_active([IDLE, READ_ONLY], set(), whole_database=True)) == [(None, (1,))]


@pytest.mark.parametrize(
    ("tablespaces", "owned", "whole", "words"),
    [
        ([BUSY], set(), False, "not put there by this module"),
        ([BUSY], {3}, False, "not put there by this module"),
        ([BROKEN], set(), False, "file 6 is lost"),
        ([IDLE, BUSY], {3, 4}, True, "ORA-01146"),
        ([tablespace("HALF", active(datafile(3), 1), datafile(4))], {3}, False, "only in part"),
    ],
    ids=["foreign", "partly foreign", "broken", "database with one begun", "file added"],
)
def test_begin_is_refused(tablespaces: list[Tablespace], owned: set[int], whole: bool, words: str) -> None:
    with pytest.raises(PreconditionError, match=words):
        plan_active(tablespaces, owned, whole_database=whole)


def test_only_what_is_active_is_ended() -> None:
    plan = plan_inactive([IDLE, BUSY], {3, 4}, [], whole_database=False)
    assert names(plan) == [("BUSY", (3, 4))]
    assert plan_inactive([IDLE], set(), [], whole_database=False).changes == ()
    assert plan_inactive([IDLE], set(), [], whole_database=True).changes == ()


def test_foreign_backup_mode_is_ended_only_when_it_is_named() -> None:
    with pytest.raises(PreconditionError, match="end_foreign") as caught:
        plan_inactive([BUSY], set(), ["IDLE"], whole_database=True)
    assert caught.value.details["foreign"] == ["BUSY"]
    assert names(plan_inactive([BUSY], set(), ["BUSY"], whole_database=True)) == [(None, (3, 4))]
