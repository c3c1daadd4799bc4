# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Crash recovery: at open, from the checkpoint of each crashed thread through its online logs to the end
of its redo, all threads together in the order of SCNs."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.unlogged import note_unrecoverable
from oracle_simulator.instance.control_file.control import ControlState, RedoGroup, ThreadRecord
from oracle_simulator.instance.faults import Step
from oracle_simulator.instance.headers import WrongFile, identify
from oracle_simulator.instance.media_failure import DatafileFailed
from oracle_simulator.instance.messages import ErrorLine, os_lines
from oracle_simulator.instance.open_files import OpenFile
from oracle_simulator.instance.recovery.recovery_apply import (
    OutOfReach,
    RecoveryApplier,
    RecoveryStuck,
    Target,
)
from oracle_simulator.instance.redo.redo_groups import member_line
from oracle_simulator.instance.redo.thread_states import end_disabled_thread, note_thread
from oracle_simulator.storage.datafile import Datafile
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.disk import Disk
from oracle_simulator.storage.log_header import LogHeader, RedoCorrupt, RedoUnreadable
from oracle_simulator.storage.redo_log import (
    LogRecord,
    RedoAddress,
    RedoLogFile,
    has_block,
    read_log_header,
    read_records,
)
from oracle_simulator.storage.redo_record import (
    FileResized,
    Marker,
    RedoRecord,
    TablespaceState,
    ThreadDisabled,
    ThreadEnabled,
    UnloggedBlocks,
)

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_FIRST_BLOCK = 2
_RECORD_OFFSET = 16
_CLEARING_BLOCKS = 2048


@dataclass(frozen=True)
class EndOfRedo:
    """Where the redo ends: for each recovered thread the block after its last complete record, and the SCN
    of the last record of all.

    ``tablespace_states`` are changes of state since the thread checkpoints: the process may have died
    before the control file had them.
    """

    addresses: Mapping[int, RedoAddress]
    last_scn: int
    enabled_threads: int
    tablespace_states: tuple[TablespaceState, ...] = ()

    def checkpoint(self, now: datetime, thread: int | None = None) -> Checkpoint:
        """The checkpoint of files that have all of it, with the address of this thread or of the first."""
        number = min(self.addresses) if thread is None else thread
        return Checkpoint(self.last_scn + 1, now, number, *self.addresses[number], self.enabled_threads)


def crashed_threads(control: ControlState) -> list[ThreadRecord]:
    """The threads no instance closed. (Before the database is open no instance has one.)"""
    return [record for record in control.threads if record.status == "OPEN"]


def recover_threads(instance: Instance, threads: list[ThreadRecord]) -> EndOfRedo:
    """Roll the open files forward to the end of redo; the database is mounted, its files are open.

    Exactly the changes whose redo is complete on disk are in the files afterwards; parts of a
    transaction without its commit record are not. Raises ORA-00313 for a missing log, ORA-00353 for a
    damaged one, ORA-01172 with ORA-01151 when a block can't take its redo.
    """
    control = instance.control
    instance.log.write(
        f"Beginning crash recovery of {len(threads)} threads",
        *(
            f" from thread {record.thread} seq {record.checkpoint.sequence} block {record.checkpoint.log_block}"
            for record in threads
        ),
    )
    targets = [
        Target(file, 0, file.record.stop_scn, file.datafile.blocks)
        for file in instance.files
        if file.changing
    ]
    states: list[TablespaceState] = []
    changed_threads: list[tuple[ThreadEnabled | ThreadDisabled, int]] = []

    def on_marker(marker: Marker, record: RedoRecord) -> None:
        if isinstance(marker, FileResized):
            _resize(applier, marker)
        elif isinstance(marker, TablespaceState):
            states.append(marker)
            if marker.state in ("online", "read_write"):
                _take_into_use(applier, instance, marker.file_numbers)
        elif isinstance(marker, ThreadEnabled | ThreadDisabled):
            changed_threads.append((marker, record.scn))
        elif isinstance(marker, UnloggedBlocks):
            with instance.latch:
                note_unrecoverable(instance, [marker.file_number], record.scn)

    applier = RecoveryApplier(instance, targets, on_marker)
    logs = {record.thread: _logs_from(control, record) for record in threads}
    ends: dict[int, RedoAddress] = {}
    streams = [_redo_of(instance, record, logs[record.thread], ends) for record in threads]
    thread = threads[0].thread
    try:
        for entry in heapq.merge(*streams, key=lambda entry: entry.record.scn):
            thread = entry.record.thread
            applier.apply(entry)
        applier.abandon_pending()
        with instance.faults.steps.at(Step.CRASH_RECOVERY):
            applier.flush()
    except OutOfReach as exc:
        raise exc.error from exc
    except RecoveryStuck as exc:
        raise exc.crash_recovery_error(thread) from exc
    except RedoCorrupt as exc:
        raise log_corrupt(exc, applier.last_scn, _named_log(control, exc.path)) from exc
    except DatafileFailed as exc:
        raise exc.error from exc
    except RedoUnreadable as exc:
        raise log_unreadable(exc, _named_log(control, exc.path)) from exc
    starts = [record.checkpoint.scn for record in threads]
    last_scn = max(applier.last_scn, *(scn - 1 for scn in starts), control.database.checkpoint.scn - 1)
    for number, groups in logs.items():
        _clear_tail(groups[-1], ends[number].block, instance.disk)
    _follow_threads(instance, changed_threads)
    with instance.latch:
        instance.clock.advance_to(last_scn + 1)
    instance.log.write(
        f"Completed crash recovery at scn {last_scn}",
        *(f" thread {number} seq {end.sequence} block {end.block}" for number, end in sorted(ends.items())),
    )
    return EndOfRedo(ends, last_scn, control.enabled_threads, tuple(states))


def _follow_threads(instance: Instance, changes: list[tuple[ThreadEnabled | ThreadDisabled, int]]) -> None:
    """Threads enabled or disabled just before the crash, which the control file may not have heard of."""
    for marker, scn in changes:
        record = instance.control.thread_record(marker.thread)
        if isinstance(marker, ThreadDisabled):
            if record.enabled != "DISABLED" and record.enabled_scn < scn:
                end_disabled_thread(instance, marker, scn)
        elif record.disabled_scn < scn:
            with instance.latch:
                note_thread(instance, marker, scn)


def redo_since_checkpoint(instance: Instance, thread: int) -> Iterator[LogRecord]:
    """The redo of a thread nobody writes any more, from its checkpoint on.

    Raises ORA-00313, ORA-00305, RedoCorrupt.
    """
    record = instance.control.thread_record(thread)
    return _redo_of(instance, record, _logs_from(instance.control, record), {})


def _redo_of(
    instance: Instance, record: ThreadRecord, groups: list[RedoGroup], ends: dict[int, RedoAddress]
) -> Iterator[LogRecord]:
    """The redo of one thread from its checkpoint on; ``ends`` keeps up with how far that is."""
    start = record.checkpoint
    for group in groups:
        first = max(start.log_block, _FIRST_BLOCK) if group.sequence == start.sequence else _FIRST_BLOCK
        ends[record.thread] = RedoAddress(group.sequence, first, _RECORD_OFFSET)
        path, _header = readable_member(group, instance.disk)
        _require_redo_before(ends[record.thread], record.thread, path, instance.disk)
        for entry in read_records(path, first, disk=instance.disk):
            ends[record.thread] = RedoAddress(group.sequence, entry.end_block, _RECORD_OFFSET)
            yield entry


def _require_redo_before(start: RedoAddress, thread: int, path: Path, disk: Disk) -> None:
    """Raises ORA-00600 [kcratr_nab_less_than_odr] for a log that ends before the thread's checkpoint: its writes
    were lost, or it is an old copy of the log."""
    if start.block == _FIRST_BLOCK or has_block(path, start.block - 1, disk=disk):
        return
    end = max((entry.end_block for entry in read_records(path, disk=disk)), default=_FIRST_BLOCK)
    arguments = f"[kcratr_nab_less_than_odr], [{thread}], [{start.sequence}], [{end}], [{start.block}]"
    raise OracleError(600, f"internal error code, arguments: {arguments}, [], [], [], [], [], [], []")


def _named_log(control: ControlState, path: str) -> ErrorLine:
    group = next(group for group in control.redo_groups if path in group.members)
    return member_line(group, path)


def readable_member(group: RedoGroup, disk: Disk) -> tuple[Path, LogHeader]:
    """The first member of a group that holds what the control file says. Raises ORA-00313."""
    lines: list[tuple[int, str]] = []
    for member in group.valid_members:
        named = member_line(group, member)
        try:
            header = read_log_header(member, disk=disk)
        except OSError as exc:
            lines += [named, *os_lines(exc)]
            continue
        except RedoCorrupt as exc:
            lines += [named, (367, f"checksum error in log file header ({exc.reason})")]
            continue
        if header.sequence == group.sequence:
            return Path(member), header
        text = f"log {group.group} of thread {group.thread}, wrong log sequence# {header.sequence} in header"
        lines += [(341, text), named]
    text = f"open failed for members of log group {group.group} of thread {group.thread}"
    raise OracleError(313, text, *lines)


def unfinished_switch(instance: Instance, thread: int) -> RedoGroup | None:
    """The group that a log switch of a thread was about to use when the process died, if one was.

    A switch writes the header of the new log, closes that of the old one, and then tells the control file.
    The new log cannot hold redo before that: to the control file it still is an archived log nobody needs,
    and the old one, closed or not, is where the redo of the thread ends.
    """
    control, disk = instance.control, instance.disk
    database = control.database
    next_sequence = control.thread_record(thread).sequence + 1
    branch = (database.dbid, database.resetlogs_scn, database.resetlogs_id, next_sequence)
    for group in control.groups_of(thread):
        if group.status not in ("INACTIVE", "UNUSED"):
            continue
        for member in group.members:
            try:
                header = read_log_header(member, disk=disk)
                found = (header.dbid, header.resetlogs_scn, header.resetlogs_id, header.sequence)
                mine = found == branch and header.thread == thread
                if mine and next(read_records(member, disk=disk), None) is None:
                    return group
            except (OSError, RedoCorrupt):
                continue
    return None


def log_corrupt(exc: RedoCorrupt, change: int, file_line: tuple[int, str]) -> OracleError:
    """ORA-00353 for a log with a damaged block, ORA-00332 for one that is too short."""
    if exc.block_number is None:
        return OracleError(332, "archived log is too small - may be incompletely archived", file_line)
    text = f"log corruption near block {exc.block_number} change {change}"
    return OracleError(353, text, file_line)


def log_unreadable(exc: RedoUnreadable, file_line: tuple[int, str]) -> OracleError:
    """ORA-00333 for a log the operating system could not read."""
    text = f"redo log read error block {exc.block_number} count {exc.blocks}"
    return OracleError(333, text, file_line, *os_lines(exc.problem))


def _logs_from(control: ControlState, record: ThreadRecord) -> list[RedoGroup]:
    """The groups with the redo of a thread from its checkpoint on, in order. Raises ORA-00305."""
    first = record.checkpoint.sequence
    groups = [
        group
        for group in control.groups_of(record.thread)
        if group.sequence >= first and group.status != "UNUSED"
    ]
    groups.sort(key=lambda group: group.sequence)
    if [group.sequence for group in groups] != list(range(first, record.sequence + 1)):
        place = f"sequence {first} of thread {record.thread}"
        raise OracleError(305, f"no online log holds {place}, from which crash recovery starts")
    return groups


def _take_into_use(applier: RecoveryApplier, instance: Instance, file_numbers: Sequence[int]) -> None:
    """Files of a tablespace that became writable: the process may have died before the control file knew."""
    control = instance.control
    for number in file_numbers:
        record, file = control.datafile(number), instance.files.find(number)
        if record is None or number in applier.targets:
            continue
        if file is None:
            if not record.offline_normal:
                continue
            try:
                identify(instance, record)
            except WrongFile as exc:
                raise exc.error from exc
            tablespace = control.tablespace_of(record)
            datafile = Datafile.open(record.path, disk=instance.disk)
            file = OpenFile(record, datafile, tablespace is not None and tablespace.bigfile)
            with instance.latch:
                instance.files.add(file)
        with instance.latch:
            record.status = "ONLINE" if record.status == "OFFLINE" else record.status
            record.enabled, record.stop_scn, record.stop_time = "READ WRITE", None, None
        applier.targets[number] = Target(file, 0, None, file.datafile.blocks)


def _resize(applier: RecoveryApplier, marker: FileResized) -> None:
    target = applier.targets.get(marker.file_number)
    # Files are made longer before the redo says so and cut after it: only the cut can be outstanding.
    if target is not None and marker.blocks > target.file.datafile.blocks:
        target.file.datafile.resize(max(marker.blocks, target.file.record.blocks))


def _clear_tail(group: RedoGroup, end_block: int, disk: Disk) -> None:
    """Wipe what an interrupted write left after the end of redo, lest it be taken for redo later."""
    size_blocks = group.size_bytes // group.block_size
    for member in group.valid_members:
        try:
            log = RedoLogFile.open(member, disk=disk)
        except (OSError, RedoCorrupt):
            continue  # another member was readable, or we would not be here
        for first in range(end_block, size_blocks + 1, _CLEARING_BLOCKS):
            count = min(_CLEARING_BLOCKS, size_blocks + 1 - first)
            log.write_blocks(first, bytes(count * group.block_size))
        log.fsync()
        log.close()
