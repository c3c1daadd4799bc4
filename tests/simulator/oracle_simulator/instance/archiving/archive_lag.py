# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ARCHIVE_LAG_TARGET: a log is switched when it has been current for so many seconds (Database Reference)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance
    from oracle_simulator.instance.redo.log_writer import LogWriter


def switch_late_logs(instance: Instance) -> float | None:
    """Ask for the switches that are due; returns the seconds until the next will be, None without a target.

    An idle instance of Oracle writes a little redo too, so a log without a user's changes is switched as well.
    Call under the latch.
    """
    target = instance.parameters.integer("archive_lag_target")
    if not target:
        return None
    left = [_seconds_left(instance, writer, target) for writer in instance.redo.writers]
    for writer, seconds in zip(instance.redo.writers, left, strict=True):
        if seconds <= 0 and not writer.switching:
            writer.request_switch()
    return min((seconds for seconds in left if seconds > 0), default=float(target))


def _seconds_left(instance: Instance, writer: LogWriter, target: int) -> float:
    current = instance.control.current_group_of(writer.redo_thread)
    if current.first_time is None:
        return float(target)
    due = current.first_time + timedelta(seconds=target)
    return (due - instance.wall_clock.now()).total_seconds()
