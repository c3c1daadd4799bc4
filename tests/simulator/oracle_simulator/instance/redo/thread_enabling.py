# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER DATABASE ENABLE and DISABLE THREAD (SQL Language Reference, ALTER DATABASE, instance_clauses).

The redo itself tells recovery which threads there are: a record in the thread of whoever enables or
disables another says where that one's redo begins or ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.changes import write_markers
from oracle_simulator.instance.redo.redo_groups import log_header, recreate_members
from oracle_simulator.instance.redo.thread_states import end_disabled_thread, instance_name, note_thread
from oracle_simulator.storage.redo_record import ThreadDisabled, ThreadEnabled

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


def enable_thread(instance: Instance, number: int, public: bool) -> None:
    """ENABLE [PUBLIC] THREAD n: its first unused log becomes its current one.

    Raises ORA-01109 unless open read write, ORA-01612 when it is enabled, ORA-01613 for one with fewer than
    two logs, ORA-00344.
    """
    with instance.redo.administration:
        with instance.latch:
            instance.require_open_read_write()
            control = instance.control
            record = next((record for record in control.threads if record.thread == number), None)
            name = f"instance {instance_name(instance.home.sid, number)} (thread {number})"
            if record is not None and record.enabled != "DISABLED":
                raise OracleError(1612, f"{name} is already enabled")
            count = len(control.groups_of(number))
            if record is None or count < 2:
                text = f"{name} only has {count} logs - at least 2 logs required to enable."
                raise OracleError(1613, text)
            free = control.free_groups_of(number)
            if not free:
                text = f"{name} has no log that is archived"
                raise OracleError(350, text)
            group, sequence = free[0], record.sequence + 1
            scn, now = instance.clock.next(), instance.wall_clock.second()
            header = log_header(instance, group, sequence, scn, now)
        recreate_members(instance, group, header)
        marker = ThreadEnabled(number, public, group.group, sequence, scn)
        with instance.latch:
            commit = write_markers(instance, [marker])
        instance.redo.wait_durable(commit.position)
        with instance.latch:
            note_thread(instance, marker, commit.scn)
        instance.save_control()
        instance.log.write(f"Thread {number} enabled at log sequence {sequence}")


def disable_thread(instance: Instance, number: int) -> None:
    """DISABLE THREAD n: of a closed thread, whose last log is then to be archived.

    Raises ORA-01109 unless open read write, ORA-01618 when it is not enabled, ORA-01616 when it is open.
    """
    with instance.redo.administration:
        with instance.latch:
            instance.require_open_read_write()
            control = instance.control
            record = next((record for record in control.threads if record.thread == number), None)
            if record is None or record.enabled == "DISABLED":
                raise OracleError(1618, f"redo thread {number} is not enabled - cannot mount")
            if record.status == "OPEN":
                name = instance_name(instance.home.sid, number)
                raise OracleError(1616, f"instance {name} (thread {number}) is open - cannot disable")
            marker = ThreadDisabled(number)
            commit = write_markers(instance, [marker])
        instance.redo.wait_durable(commit.position)
        end_disabled_thread(instance, marker, commit.scn)
        with instance.latch:
            instance.announce()
        instance.save_control()
        instance.log.write(f"Thread {number} disabled")
