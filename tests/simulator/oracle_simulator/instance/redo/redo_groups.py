# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Online redo log groups: their members, and what changes in files and control file at a log switch."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import LogHistoryRecord, RedoGroup
from oracle_simulator.instance.faults import Step
from oracle_simulator.instance.messages import ErrorLine, os_lines
from oracle_simulator.storage.log_header import LogHeader, RedoCorrupt
from oracle_simulator.storage.oracle_time import encode_time
from oracle_simulator.storage.redo_log import RedoLogFile, closed, reopened

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


def member_line(group: RedoGroup, member: str | Path) -> ErrorLine:
    """ORA-00312: online log n thread t: 'name'."""
    return (312, f"online log {group.group} thread {group.thread}: '{member}'")


def member_lines(group: RedoGroup) -> list[ErrorLine]:
    """ORA-00312 for every member."""
    return [member_line(group, member) for member in group.members]


def log_header(
    instance: Instance, group: RedoGroup, sequence: int, first_scn: int, first_time: datetime
) -> LogHeader:
    """The header of a log that becomes current."""
    database = instance.control.database
    return LogHeader(
        dbid=database.dbid,
        db_name=database.name,
        thread=group.thread,
        sequence=sequence,
        group=group.group,
        size_blocks=group.size_bytes // group.block_size,
        first_scn=first_scn,
        first_time=first_time,
        block_size=group.block_size,
        resetlogs_id=database.resetlogs_id,
        resetlogs_scn=database.resetlogs_scn,
        prior_resetlogs_id=database.prior_resetlogs_id,
        prior_resetlogs_scn=database.prior_resetlogs_scn,
        enabled_scn=max(database.resetlogs_scn, instance.control.thread_record(group.thread).enabled_scn),
        activation_id=database.dbid,
        control_file_sequence=database.sequence,
    )


# ------------------------------------------------------------ members


def continue_log(instance: Instance, group: RedoGroup) -> list[RedoLogFile]:
    """Open the members of the current log to write on in it. Raises ORA-00313 when none can be opened."""
    members = _open_members(instance, group, group.valid_members)
    for member in members:
        header = member.read_header()
        if not header.current:  # a switch was broken off before the control file knew of it
            member.write_header(reopened(header))
            member.fsync()
    return members


def _open_members(instance: Instance, group: RedoGroup, paths: list[str]) -> list[RedoLogFile]:
    """Open those of the members that can be opened; the others are INVALID from now on."""
    opened: list[RedoLogFile] = []
    failed: dict[str, list[ErrorLine]] = {}
    for path in paths:
        try:
            opened.append(RedoLogFile.open(path, disk=instance.disk))
        except OSError as exc:
            failed[path] = [member_line(group, path), *os_lines(exc)]
        except RedoCorrupt:
            failed[path] = [member_line(group, path), (27047, "unable to read the header block of file")]
    text = f"open failed for members of log group {group.group} of thread {group.thread}"
    error = OracleError(313, text, *(line for lines in failed.values() for line in lines))
    if not opened:
        raise error
    if failed:
        instance.log.error(error)
    with instance.latch:
        group.invalid = [path for path in group.members if path in failed or path not in paths]
    return opened


def lose_member(
    instance: Instance, group: RedoGroup, member: RedoLogFile, block: int, problem: OSError
) -> None:
    """A member could not be written: it is INVALID. Returns when the control file says so."""
    instance.log.error(not_written(group, member, block, problem), "LGWR: a log member is given up")
    with instance.latch:
        group.invalid.append(str(member.path))
    instance.save_control()


def not_written(group: RedoGroup, member: RedoLogFile, block: int, problem: OSError) -> OracleError:
    """ORA-00340 with ORA-00345, ORA-00312 and the operating system's error."""
    text = f"IO error processing online log {group.group} of thread {group.thread}"
    cause = (345, f"redo log write error block {block} count 1")
    return OracleError(340, text, cause, member_line(group, member.path), *os_lines(problem))


def recreate_members(instance: Instance, group: RedoGroup, header: LogHeader | None = None) -> None:
    """Make all members of a group anew, with ``header`` when the log is to be current. Raises ORA-00344."""
    for member in group.members:
        try:
            size_blocks = group.size_bytes // group.block_size
            log = RedoLogFile.create(member, size_blocks, group.block_size, reuse=True, disk=instance.disk)
        except OSError as exc:
            raise OracleError(344, f"unable to re-create online log '{member}'", *os_lines(exc)) from exc
        if header is not None:
            log.write_header(header)
        log.fsync()
        log.close()
    group.invalid = []


# ------------------------------------------------------------ the log switch


def change_log(
    instance: Instance,
    old: RedoGroup,
    new: RedoGroup,
    old_members: list[RedoLogFile],
    scn: int,
    end_block: int,
) -> list[RedoLogFile]:
    """Let a redo thread go on in another group: its log begins at ``scn``, the old one ends before
    ``end_block``. Returns the open members of the new log; the old ones are closed.

    Raises ORA-00313 when no member of the new group can be opened, and OSError.
    """
    now = instance.wall_clock.second()
    sequence = old.sequence + 1
    # That nobody needs the new group's old redo must be on disk before that redo is gone.
    instance.save_control()
    members = _open_members(instance, new, new.members)
    header = log_header(instance, new, sequence, scn, now)
    with instance.faults.steps.at(Step.LOG_SWITCH_NEW_LOG):
        for member in members:
            member.write_header(header)
            member.fsync()
    with instance.faults.steps.at(Step.LOG_SWITCH_OLD_LOG):
        for member in old_members:
            member.write_header(closed(member.read_header(), scn, now, end_block))
            member.fsync()
    with instance.latch:
        control = instance.control
        old.status = "ACTIVE"
        old.archived = False
        old.next_scn, old.next_time = scn, now
        begin_group(new, sequence, scn, now)
        control.thread_record(new.thread).sequence = sequence
        database = control.database
        control.log_history.append(
            LogHistoryRecord(
                control.take_recid(), encode_time(now), old.thread, old.sequence, old.first_scn, old.first_time,
                scn, database.resetlogs_scn, database.resetlogs_id,
            )
        )  # fmt: skip
    with instance.faults.steps.at(Step.LOG_SWITCH_CONTROL_FILE):
        instance.save_control()
    for member in old_members:
        member.close()
    instance.log.write(
        f"Thread {new.thread} advanced to log sequence {sequence} (LGWR switch)",
        f"  Current log# {new.group} seq# {sequence} mem# 0: {new.members[0]}",
    )
    return members


def begin_group(group: RedoGroup, sequence: int, scn: int, now: datetime) -> None:
    """The group becomes current."""
    group.status = "CURRENT"
    group.sequence = sequence
    group.archived = False
    group.first_scn, group.first_time = scn, now
    group.next_scn, group.next_time = None, None


def empty_group(group: RedoGroup) -> None:
    """The group holds no redo: new, cleared, or after RESETLOGS."""
    group.status, group.sequence, group.archived = "UNUSED", 0, True
    group.first_scn, group.first_time, group.next_scn, group.next_time = 0, None, 0, None
