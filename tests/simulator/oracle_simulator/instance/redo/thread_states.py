# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redo threads as instances use them: which are opened, how they are opened and closed.

A thread has three states of being enabled (DISABLED, PRIVATE, PUBLIC: Administrator's Guide, "Managing the
Redo Log") and is OPEN or CLOSED. Instance n of the database has thread n.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.changes import write_markers
from oracle_simulator.instance.control_file.control import ThreadRecord
from oracle_simulator.instance.redo.redo_groups import (
    begin_group,
    change_log,
    continue_log,
    member_line,
    member_lines,
)
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.redo_log import closed
from oracle_simulator.storage.redo_record import CrashRecovered, ThreadDisabled, ThreadEnabled

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_FIRST_BLOCK = 2


def instance_name(sid: str, number: int) -> str:
    """The SID of instance ``number`` of a database whose first instance is ``sid``."""
    return sid if number == 1 else f"{sid}{number}"


def threads_to_open(instance: Instance) -> list[int]:
    """The threads whose instances start with the database: the first ``cluster_database_instances``.

    Raises ORA-01620 when none of them is enabled.
    """
    enabled = [record.thread for record in instance.control.threads if record.enabled != "DISABLED"]
    wanted = instance.parameters.integer("cluster_database_instances")
    chosen = [number for number in sorted(enabled) if number <= wanted] or sorted(enabled)[:1]
    if not chosen:
        raise OracleError(1620, "no public threads are available for mounting")
    return chosen


def open_thread(instance: Instance, number: int) -> None:
    """Start the log writer of a closed thread where its redo ended; the control file in memory says so.

    Call under the latch. Raises ORA-00313 when no member of its current group can be opened.
    """
    record = instance.control.thread_record(number)
    instance.redo.start_writer(number, max(record.checkpoint.log_block, _FIRST_BLOCK))
    record.status = "OPEN"
    record.instance = instance_name(instance.home.sid, number)
    record.open_time = instance.wall_clock.second()
    group = instance.control.current_group_of(number)
    instance.log.write(f"Thread {number} opened at log sequence {group.sequence}")


def thread_closed(instance: Instance, number: int, checkpoint: Checkpoint, last_redo_scn: int) -> None:
    """The redo of a thread ends at ``checkpoint``, and all of it is in the files; call under the latch."""
    record = instance.control.thread_record(number)
    record.status = "CLOSED"
    record.checkpoint = checkpoint
    record.last_redo_scn, record.last_redo_time = last_redo_scn, checkpoint.time
    for group in instance.control.groups_of(number):
        if group.status == "ACTIVE":
            group.status = "INACTIVE"


def switch_closed_thread(instance: Instance, number: int) -> int:
    """A log switch in a thread that no instance has open, by whoever needs its log archived; returns the
    sequence that was closed.

    Raises ORA-00262 with the reason when its current log cannot be opened or no other one is free.
    """
    with instance.redo.administration:
        with instance.latch:
            control = instance.control
            record = control.thread_record(number)
            writer = instance.redo.find_writer(number)
            if writer is not None:
                return writer.request_switch()
            old = control.current_group_of(number)
            refusal = f"current log {old.group} of closed thread {number} cannot switch"
            free = control.free_groups_of(number)
            if not free:
                raise OracleError(262, refusal, *member_lines(old))
            scn = instance.clock.next()
        try:
            members = continue_log(instance, old)
        except OracleError as exc:
            raise exc.under(262, refusal) from exc
        end_block = max(record.checkpoint.log_block, _FIRST_BLOCK)
        for member in change_log(instance, old, free[0], members, scn, end_block):
            member.close()
        with instance.latch:
            old.status = "INACTIVE"  # all of its redo is in the files since the thread was closed
            now = instance.wall_clock.second()
            record.checkpoint = Checkpoint(
                scn, now, number, free[0].sequence, _FIRST_BLOCK, 16, control.enabled_threads
            )
            instance.announce()
        instance.save_control()
        return old.sequence


def end_disabled_thread(instance: Instance, marker: ThreadDisabled, scn: int) -> None:
    """After the record that disables a closed thread, at ``scn``: its last log ends. Without the latch."""
    control = instance.control
    record, group = control.thread_record(marker.thread), control.current_group_of(marker.thread)
    end_block = max(record.checkpoint.log_block, _FIRST_BLOCK)
    now = instance.wall_clock.second()
    for member in continue_log(instance, group):
        member.write_header(closed(member.read_header(), scn + 1, now, end_block))
        member.fsync()
        member.close()
    with instance.latch:
        note_thread(instance, marker, scn)


def note_thread(instance: Instance, marker: ThreadEnabled | ThreadDisabled, scn: int) -> None:
    """What the redo says of a thread, for the control file; ``scn`` is that of the record. Under the latch."""
    control = instance.control
    record = next((record for record in control.threads if record.thread == marker.thread), None)
    if record is None:
        record = ThreadRecord(marker.thread, enabled="DISABLED", sequence=0)
        control.threads.append(record)
        control.threads.sort(key=lambda record: record.thread)
    now = instance.wall_clock.second()
    if isinstance(marker, ThreadDisabled):
        if record.enabled == "DISABLED":
            return
        record.enabled, record.disabled_scn = "DISABLED", scn
        for group in control.groups_of(marker.thread):
            if group.status == "CURRENT":
                group.status, group.archived = "INACTIVE", False
                group.next_scn, group.next_time = scn + 1, now
    elif record.enabled == "DISABLED":
        record.enabled = "PUBLIC" if marker.public else "PRIVATE"
        record.enabled_scn, record.sequence = marker.first_scn, marker.sequence
        record.checkpoint = Checkpoint(
            marker.first_scn, now, marker.thread, marker.sequence, _FIRST_BLOCK, 16
        )
        for group in control.groups_of(marker.thread):
            if group.group == marker.group:
                begin_group(group, marker.sequence, marker.first_scn, now)


def begin_new_logs(instance: Instance, recovered: Collection[int]) -> None:
    """After a crash redo goes on in new logs. Raises ORA-16038 when none is free for want of archiving."""
    control = instance.control
    with instance.latch:
        ended = {
            writer.redo_thread: writer.request_switch()
            for writer in instance.redo.writers
            if writer.redo_thread in recovered
        }

    def behind() -> list[int]:
        return [
            number
            for number, ended_with in ended.items()
            if control.thread_record(number).sequence <= ended_with
        ]

    instance.wait_for(lambda: not behind() or instance.archiver.failed)
    if behind():
        group = instance.archiver.unarchived()[0]
        text = f"log {group.group} sequence# {group.sequence} cannot be archived"
        raise OracleError(16038, text, member_line(group, group.members[0]))
    with instance.latch:
        commit = write_markers(instance, [CrashRecovered(number) for number in sorted(recovered)])
    instance.redo.wait_durable(commit.position)
