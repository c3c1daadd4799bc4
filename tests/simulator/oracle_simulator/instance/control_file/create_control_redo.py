# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The redo part of CREATE CONTROLFILE: threads and log groups, from log headers with NORESETLOGS.

Which threads are enabled stands in the checkpoints of the datafiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import (
    ControlState,
    DatabaseRecord,
    RedoGroup,
    ThreadRecord,
)
from oracle_simulator.instance.messages import datafile_line, os_lines
from oracle_simulator.storage.datafile import DatafileHeader
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.disk import Disk
from oracle_simulator.storage.log_header import LogHeader, RedoCorrupt
from oracle_simulator.storage.redo_log import read_log_header

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_FIRST_THREAD = 1
_FIRST_BLOCK = 2
_RECORD_OFFSET = 16
_USUAL_BYTES = 4 << 20


@dataclass(frozen=True)
class RedoGroupDefinition:
    """One group of the LOGFILE clause; ``group`` None takes the next number."""

    members: tuple[str, ...]
    group: int | None = None
    size_bytes: int | None = None
    block_size: int = 512


def place_logs(
    instance: Instance,
    groups: Sequence[RedoGroupDefinition],
    resetlogs: bool,
    headers: Sequence[DatafileHeader],
    state: ControlState,
) -> None:
    """Fill in redo threads and groups. With RESETLOGS the logs are those of the first thread: others are added
    by ALTER DATABASE. With NORESETLOGS the logs of all enabled threads must be there, the current ones too.

    Raises ORA-01565 for a log that can't be read, ORA-01159 for one of another database, ORA-01229.
    """
    newest = max(headers, key=lambda header: header.checkpoint.scn)
    _add_groups(instance, groups, resetlogs, state)
    enabled = newest.checkpoint.enabled_threads | 1 << _FIRST_THREAD
    numbers = {group.thread for group in state.redo_groups}
    numbers |= {number for number in range(1, enabled.bit_length()) if enabled >> number & 1}
    for number in sorted(numbers):
        record = ThreadRecord(number, checkpoint=newest.checkpoint)
        state.threads.append(record)
        if not enabled >> number & 1:
            record.enabled = "DISABLED"
            record.sequence = max(group.sequence for group in state.groups_of(number))
        elif not resetlogs:
            _find_redo(record, headers, state)
    if not resetlogs and _closed_in_order(headers, state):
        for file in state.datafiles:
            file.stop_scn, file.stop_time = file.checkpoint.scn, file.checkpoint.time


def _add_groups(
    instance: Instance, groups: Sequence[RedoGroupDefinition], resetlogs: bool, state: ControlState
) -> None:
    """A log that was never used does not say whose it is: it counts to the thread of the one before it."""
    taken = {group.group for group in groups if group.group is not None}
    thread = _FIRST_THREAD
    for wanted in groups:
        number = wanted.group
        if number is None:
            number = next(candidate for candidate in range(1, 1000) if candidate not in taken)
            taken.add(number)
        header = None if resetlogs else _log_header(wanted, state.database, instance.disk)
        size = wanted.size_bytes or _USUAL_BYTES
        if header is not None:
            thread, size = header.thread, header.size_blocks * header.block_size
        group = RedoGroup(number, thread, size, list(wanted.members), wanted.block_size)
        if header is not None:
            group.sequence = header.sequence
            group.status, group.archived = "INACTIVE", not header.sequence
            group.first_scn, group.first_time = header.first_scn, header.first_time
            group.next_scn, group.next_time = header.next_scn, header.next_time
        state.redo_groups.append(group)


def _find_redo(record: ThreadRecord, headers: Sequence[DatafileHeader], state: ControlState) -> None:
    """The current log of a thread, and where in its logs the redo begins that some file may need."""
    used = {group.sequence: group for group in state.groups_of(record.thread) if group.sequence}
    current = used[max(used)] if used else None
    if current is None or current.next_scn is not None:
        newest = max(headers, key=lambda header: header.checkpoint.scn)
        file = next(file for file in state.datafiles if file.file_number == newest.file_number)
        text = f"data file {newest.file_number} is inconsistent with logs"
        raise OracleError(1229, text, datafile_line(file))
    current.status, current.archived = "CURRENT", False
    record.sequence = current.sequence
    oldest = min(headers, key=lambda header: header.checkpoint.scn).checkpoint
    if _closed_in_order(headers, state) and oldest.thread == record.thread:
        return
    # Not closed in order, or nobody knows where its redo ends: crash recovery will look at it.
    record.status = "OPEN"
    first = current.sequence
    while first - 1 in used and used[first].first_scn > oldest.scn:
        first -= 1
    if oldest.thread == record.thread and first <= oldest.sequence:
        record.checkpoint = oldest
        return
    log = used[first]
    record.checkpoint = Checkpoint(
        log.first_scn,
        log.first_time,
        record.thread,
        first,
        _FIRST_BLOCK,
        _RECORD_OFFSET,
        oldest.enabled_threads,
    )


def _closed_in_order(headers: Sequence[DatafileHeader], state: ControlState) -> bool:
    """Whether all files stopped at one SCN, in the current log."""
    first = headers[0].checkpoint
    last = max((group.sequence for group in state.groups_of(first.thread)), default=0)
    same = all(not header.fuzzy and header.checkpoint.scn == first.scn for header in headers)
    return same and first.sequence == last


def _log_header(wanted: RedoGroupDefinition, database: DatabaseRecord, disk: Disk) -> LogHeader | None:
    """The header of a log; None for one never used. Raises ORA-01565 for a missing one, ORA-01159 for one
    of another database or incarnation."""
    for member in wanted.members:
        try:
            header = read_log_header(member, disk=disk)
        except OSError as exc:
            raise OracleError(1565, f"error in identifying file '{member}'", *os_lines(exc)) from exc
        except RedoCorrupt:
            return None
        if (header.dbid, header.resetlogs_id) == (database.dbid, database.resetlogs_id):
            return header
        if header.dbid != database.dbid:
            text = "file is not from same database as previous files - wrong database id"
            raise OracleError(1159, text, (1517, f"log member: '{member}'"))
    return None
