# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the root's dictionary is told of its pluggable databases while they live."""

from __future__ import annotations

from dataclasses import replace

from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.plan import Cancelled, ChangePlan, make_change
from oracle_simulator.data.system_tables import ContainerRow
from oracle_simulator.instance.container import ContainerMode, ContainerRecord


def note_opened(root: Dictionary, record: ContainerRecord) -> None:
    """It is no longer new: it has been open read write."""

    def planner(plan: ChangePlan) -> None:
        old = _row(root, record)
        root.container_rows.replace(plan, old, replace(old, ever_opened=True))

    make_change(root.instance, planner)
    with root.instance.latch:
        record.ever_opened = True
    root.instance.save_control()


def save_state(
    root: Dictionary, record: ContainerRecord, mode: ContainerMode | None, cancelled: Cancelled | None = None
) -> None:
    """SAVE STATE with the mode it is open in, DISCARD STATE (and SAVE STATE of a closed one) with None."""

    def planner(plan: ChangePlan) -> None:
        old = _row(root, record)
        saved = (mode.open_mode, mode.restricted) if mode is not None else ("", False)
        new = replace(old, saved_mode=saved[0], saved_restricted=saved[1])
        root.container_rows.replace(plan, old, new)

    make_change(root.instance, planner, cancelled)


def _row(root: Dictionary, record: ContainerRecord) -> ContainerRow:
    row = root.container_rows.find(con_id=record.con_id)
    assert row is not None  # the record came from there when the database opened
    return row
