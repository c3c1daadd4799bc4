# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER DATABASE ADD and DROP LOGFILE: log groups of a redo thread, and members of a group.

Sources: SQL Language Reference, ALTER DATABASE, logfile_clauses; Administrator's Guide, "Managing the Redo
Log". Dropping takes logs out of the control file; their files stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import RedoGroup, ThreadRecord
from oracle_simulator.instance.messages import os_lines
from oracle_simulator.instance.redo.redo_groups import member_line, member_lines
from oracle_simulator.instance.redo.thread_states import instance_name
from oracle_simulator.storage.redo_log import RedoLogFile

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

LogReference = int | tuple[str, ...]
"""A log group by its number, or by the paths of its members."""

_LEAST_BYTES = 4 << 20


@dataclass(frozen=True)
class NewGroup:
    """A group to add; ``group`` None takes the next number, ``size_bytes`` None the size of a file to reuse."""

    members: tuple[str, ...]
    group: int | None = None
    size_bytes: int | None = None
    block_size: int = 512
    reuse: bool = False


def find_group(instance: Instance, log: LogReference) -> RedoGroup:
    """The group a statement names. Raises ORA-00359, or ORA-01514 with ORA-01517 for unknown members."""
    for group in instance.control.redo_groups:
        if group.group == log or (isinstance(log, tuple) and set(log) == set(group.members)):
            return group
    if isinstance(log, int):
        raise OracleError(359, f"logfile group {log} does not exist")
    lines = [(1517, f"log member: '{member}'") for member in log]
    raise OracleError(1514, "error in log specification: no such log", *lines)


def add_groups(instance: Instance, thread: int, wanted: Sequence[NewGroup]) -> None:
    """ADD LOGFILE [THREAD n]. A thread that gets its first group is there, and disabled.

    Raises ORA-01507, ORA-01611 for a thread number out of range, ORA-01184 and ORA-01185 for a group number,
    ORA-01577 for a file that belongs to the database, ORA-00357, ORA-00336, ORA-00301 when a file can't be
    created.
    """
    with instance.redo.administration:
        for each in wanted:
            with instance.latch:
                group = _planned(instance, thread, each)
            for member in group.members:
                _create(instance, group, member, each.reuse)
            with instance.latch:
                control = instance.control
                if not any(record.thread == thread for record in control.threads):
                    name = instance_name(instance.home.sid, thread)
                    control.threads.append(
                        ThreadRecord(thread, enabled="DISABLED", instance=name, sequence=0)
                    )
                    control.threads.sort(key=lambda record: record.thread)
                control.redo_groups.append(group)
                instance.announce()
            instance.save_control()
            instance.log.write(f"Added log group {group.group} to thread {thread}")


def _planned(instance: Instance, thread: int, wanted: NewGroup) -> RedoGroup:
    instance.require_mounted()
    control = instance.control
    database = control.database
    if not 1 <= thread <= database.max_instances:
        text = f"thread number {thread} is invalid - must be between 1 and {database.max_instances}"
        raise OracleError(1611, text)
    used = {group.group for group in control.redo_groups}
    number = wanted.group
    if number is None:
        number = next(candidate for candidate in range(1, len(used) + 2) if candidate not in used)
    if number in used:
        raise OracleError(1184, f"logfile group {number} already exists")
    if not 1 <= number <= database.max_logfiles:
        raise OracleError(1185, f"logfile group number {number} is invalid")
    if len(wanted.members) > database.max_logmembers:
        raise _too_many(database.max_logmembers)
    for member in wanted.members:
        _refuse_known(instance, member)
    size = wanted.size_bytes or _size_of_file(wanted)
    # A small database, as tests have them, was created with smaller logs than Oracle's least.
    least_bytes = min([_LEAST_BYTES, *(group.size_bytes for group in control.redo_groups)])
    if size < least_bytes:
        blocks, least = size // wanted.block_size, least_bytes // wanted.block_size
        raise OracleError(336, f"log file size {blocks} blocks is less than minimum {least} blocks")
    size = size // wanted.block_size * wanted.block_size
    return RedoGroup(number, thread, size, list(wanted.members), wanted.block_size)


def _size_of_file(wanted: NewGroup) -> int:
    try:
        return Path(wanted.members[0]).stat().st_size - wanted.block_size
    except OSError as exc:
        raise _not_added(wanted.members[0], exc) from exc


def _refuse_known(instance: Instance, path: str) -> None:
    control = instance.control
    known = {member for group in control.redo_groups for member in group.members}
    known |= {file.path for file in control.datafiles} | {file.path for file in control.tempfiles}
    if path in known:
        raise OracleError(1577, f"cannot add log file '{path}' - file already part of database")


def _create(instance: Instance, group: RedoGroup, member: str, reuse: bool) -> None:
    blocks = group.size_bytes // group.block_size
    try:
        log = RedoLogFile.create(member, blocks, group.block_size, reuse=reuse, disk=instance.disk)
    except OSError as exc:
        raise _not_added(member, exc) from exc
    log.fsync()
    log.close()


def _not_added(member: str, problem: OSError) -> OracleError:
    text = f"error in adding log file '{member}' - file cannot be created"
    if isinstance(problem, FileExistsError):
        return OracleError(301, text, (27038, "created file already exists"))
    return OracleError(301, text, *os_lines(problem))


def _too_many(limit: int) -> OracleError:
    return OracleError(357, f"too many members specified for log file, the maximum is {limit}")


def drop_groups(instance: Instance, logs: Sequence[LogReference]) -> None:
    """DROP LOGFILE GROUP n, ...

    Raises ORA-01515 or ORA-01514 for a log that is not there, and with ORA-00312 naming the members: ORA-01623
    for a current log, ORA-01624 for one crash recovery needs, ORA-00350 for one not archived, ORA-01567 when
    fewer than two would be left to an enabled thread.
    """
    with instance.redo.administration:
        for log in logs:
            with instance.latch:
                instance.require_mounted()
                if isinstance(log, int) and all(log != group.group for group in instance.control.redo_groups):
                    raise OracleError(1515, f"error dropping log group {log}: no such log")
                group = find_group(instance, log)
                _refuse_needed(instance, group)
                instance.control.redo_groups.remove(group)
                instance.announce()
            instance.save_control()
            instance.log.write(f"Dropped log group {group.group} of thread {group.thread}")


def _refuse_needed(instance: Instance, group: RedoGroup) -> None:
    owner = thread_name(instance, group)
    if group.status == "CURRENT":
        text = f"log {group.group} is current log for {owner} - cannot drop"
        raise OracleError(1623, text, *member_lines(group))
    refuse_for_recovery(instance, group)
    refuse_unarchived(instance, group)
    control = instance.control
    enabled = control.thread_record(group.thread).enabled != "DISABLED"
    if enabled and len(control.groups_of(group.thread)) <= 2:
        text = f"dropping log {group.group} would leave less than 2 log files for {owner}"
        raise OracleError(1567, text, *member_lines(group))


def refuse_for_recovery(instance: Instance, group: RedoGroup) -> None:
    """Raises ORA-01624 for a log that crash recovery would need."""
    if group.status == "ACTIVE":
        text = f"log {group.group} needed for crash recovery of {thread_name(instance, group)}"
        raise OracleError(1624, text, *member_lines(group))


def refuse_unarchived(instance: Instance, group: RedoGroup) -> None:
    """Raises ORA-00350 for a log that is to be archived first."""
    if instance.control.database.log_mode == "ARCHIVELOG" and not group.archived:
        text = f"log {group.group} of {thread_name(instance, group)} needs to be archived"
        raise OracleError(350, text, *member_lines(group))


def thread_name(instance: Instance, group: RedoGroup) -> str:
    """``instance X (thread n)``, as messages have it."""
    return f"instance {instance_name(instance.home.sid, group.thread)} (thread {group.thread})"


def add_members(instance: Instance, members: Sequence[tuple[str, bool]], log: LogReference) -> None:
    """ADD LOGFILE MEMBER 'path' [REUSE], ... TO log. A new member is INVALID until its group is used again.

    Raises ORA-00359, ORA-01514, ORA-01577, ORA-00357, ORA-00301.
    """
    with instance.redo.administration:
        for member, reuse in members:
            with instance.latch:
                instance.require_mounted()
                group = find_group(instance, log)
                _refuse_known(instance, member)
                limit = instance.control.database.max_logmembers
                if len(group.members) >= limit:
                    raise _too_many(limit)
            _create(instance, group, member, reuse)
            with instance.latch:
                if isinstance(log, tuple):
                    log = (*log, member)
                group.members.append(member)
                group.invalid.append(member)
            instance.save_control()


def drop_members(instance: Instance, members: Sequence[str]) -> None:
    """DROP LOGFILE MEMBER 'path', ...

    Raises ORA-00360 for a file that is no member, ORA-00361 for the last one of its group, ORA-00362 with
    ORA-01517 for the last valid one, ORA-01609 for one of a current log, ORA-01624, ORA-00350.
    """
    with instance.redo.administration:
        for member in members:
            with instance.latch:
                instance.require_mounted()
                groups = instance.control.redo_groups
                group = next((group for group in groups if member in group.members), None)
                if group is None:
                    raise OracleError(360, f"not a logfile member: {member}")
                _refuse_needed_member(instance, group, member)
                group.members.remove(member)
                group.invalid = [path for path in group.invalid if path != member]
            instance.save_control()


def _refuse_needed_member(instance: Instance, group: RedoGroup, member: str) -> None:
    if len(group.members) == 1:
        raise OracleError(361, f"cannot remove last log member {member} for group {group.group}")
    if group.status == "CURRENT":
        text = f"log {group.group} is the current log for thread {group.thread} - cannot drop members"
        raise OracleError(1609, text, *member_lines(group))
    if group.valid_members == [member] and group.status != "UNUSED":
        text = f"member is required to form a valid logfile in group {group.group}"
        raise OracleError(362, text, (1517, f"log member: '{member}'"))
    refuse_for_recovery(instance, group)
    refuse_unarchived(instance, group)


def rename_member(instance: Instance, group: RedoGroup, old: str, new: str, must_exist: bool) -> None:
    """RENAME FILE of a log member, in the control file only; under the latch.

    Raises ORA-01621 for a member of a current log while the database is open, ORA-01512 when there is no
    file of the new name.
    """
    if group.status == "CURRENT" and instance.is_open:
        text = "cannot rename member of current log if database is open"
        raise OracleError(1621, text, member_line(group, old))
    if must_exist and not Path(new).exists():
        text = f"error renaming log file {old} - new file {new} not found"
        raise OracleError(1512, text, *os_lines(FileNotFoundError(2, "No such file or directory")))
    group.members[group.members.index(old)] = new
    group.invalid = [new if path == old else path for path in group.invalid]
