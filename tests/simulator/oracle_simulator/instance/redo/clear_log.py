# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER DATABASE CLEAR LOGFILE: an online log made anew, and its redo given up.

A log that was not archived leaves a hole in the redo for ever: no backup from before it can be rolled
forward past it. V$ARCHIVED_LOG keeps a row for it whose NAME is NULL (Reference, V$ARCHIVED_LOG;
Administrator's Guide, "Clearing a Redo Log File").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import ArchivedLogRecord, RedoGroup
from oracle_simulator.instance.redo.log_groups import (
    LogReference,
    find_group,
    refuse_for_recovery,
    refuse_unarchived,
    thread_name,
)
from oracle_simulator.instance.redo.redo_groups import (
    begin_group,
    empty_group,
    log_header,
    member_lines,
    recreate_members,
)
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.oracle_time import encode_time

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_FIRST_BLOCK = 2


def clear_logs(
    instance: Instance, logs: Sequence[LogReference], unarchived: bool, unrecoverable_datafile: bool
) -> None:
    """CLEAR [UNARCHIVED] LOGFILE ... [UNRECOVERABLE DATAFILE].

    Raises ORA-00359 or ORA-01514 for a log that is not there, ORA-01624 for one crash recovery needs (the
    current one of an open thread, too), ORA-00350 for one to be archived first, ORA-00261 while it is being
    archived, ORA-00393 when an offline datafile needs it for recovery, ORA-00344.
    """
    with instance.redo.administration:
        for log in logs:
            with instance.latch:
                instance.require_mounted()
                group = find_group(instance, log)
                _refuse_needed(instance, group, unarchived, unrecoverable_datafile)
                was_current = group.status in ("CURRENT", "CLEARING_CURRENT")
                lost = _given_up(instance, group) if group.sequence and not group.archived else None
                # Until all of it is written anew it holds neither the old redo nor none.
                group.status = "CLEARING_CURRENT" if was_current else "CLEARING"
            instance.save_control()
            _clear(instance, group, was_current, lost)


def _refuse_needed(
    instance: Instance, group: RedoGroup, unarchived: bool, unrecoverable_datafile: bool
) -> None:
    in_use = instance.control.thread_record(group.thread).status == "OPEN"
    if group.status in ("CURRENT", "CLEARING_CURRENT") and in_use:
        text = f"log {group.group} needed for crash recovery of {thread_name(instance, group)}"
        raise OracleError(1624, text, *member_lines(group))
    refuse_for_recovery(instance, group)
    if not unarchived:
        refuse_unarchived(instance, group)
    if group.archived:
        return
    if instance.archiver.busy_with == group.sequence:
        text = f"log {group.group} of thread {group.thread} is being archived or modified"
        raise OracleError(261, text, *member_lines(group))
    behind = [
        file
        for file in instance.control.datafiles
        if not file.online and not file.offline_normal and file.checkpoint.scn < (group.next_scn or 1 << 63)
    ]
    if behind and not unrecoverable_datafile:
        text = f"log {group.group} of thread {group.thread} is needed for recovery of offline datafiles"
        raise OracleError(393, text, *member_lines(group))


def _clear(instance: Instance, group: RedoGroup, was_current: bool, lost: ArchivedLogRecord | None) -> None:
    sequence, first_scn = group.sequence, group.first_scn
    control = instance.control
    with instance.latch:
        now, scn = instance.wall_clock.second(), instance.clock.next()
        header = log_header(instance, group, sequence + 1, scn, now) if was_current else None
    recreate_members(instance, group, header)
    with instance.latch:
        if was_current:  # of a closed thread, whose redo is all in the files: it goes on behind the hole
            begin_group(group, sequence + 1, scn, now)
            record = control.thread_record(group.thread)
            record.sequence = sequence + 1
            record.checkpoint = Checkpoint(
                scn, now, group.thread, sequence + 1, _FIRST_BLOCK, 16, control.enabled_threads
            )
        else:
            empty_group(group)
        if lost is not None:
            control.archived_logs.append(lost)
        instance.announce()
    instance.save_control()
    said = [f"Clearing online log {group.group} of thread {group.thread} sequence number {sequence}"]
    if lost is not None:
        said += [
            "WARNING! CLEARING REDO LOG WHICH HAS NOT BEEN ARCHIVED. BACKUPS TAKEN",
            f"    BEFORE {now} (CHANGE {first_scn}) CANNOT BE USED FOR RECOVERY.",
        ]
    instance.log.write(*said)
    instance.archiver.retry()


def _given_up(instance: Instance, group: RedoGroup) -> ArchivedLogRecord:
    """The row of a log that was never archived: it has no name."""
    control = instance.control
    database = control.database
    now = instance.wall_clock.second()
    return ArchivedLogRecord(
        recid=control.take_recid(),
        stamp=encode_time(now),
        name=None,
        dest_id=0,
        thread=group.thread,
        sequence=group.sequence,
        resetlogs_scn=database.resetlogs_scn,
        resetlogs_id=database.resetlogs_id,
        first_scn=group.first_scn,
        first_time=group.first_time,
        next_scn=group.next_scn or instance.clock.current() + 1,
        next_time=group.next_time or now,
        blocks=0,
        block_size=group.block_size,
        completion_time=now,
        creator="SRMN",
        registrar="SRMN",
    )
