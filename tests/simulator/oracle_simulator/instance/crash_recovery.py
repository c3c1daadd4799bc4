# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Crash recovery: at open, from the thread checkpoint through the online logs to the end of redo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.checkpoint import now_to_the_second
from oracle_simulator.instance.control import ControlState, RedoGroup
from oracle_simulator.instance.messages import os_lines
from oracle_simulator.instance.recovery_apply import OutOfReach, RecoveryApplier, RecoveryStuck, Target
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.log_header import LogHeader, RedoCorrupt
from oracle_simulator.storage.redo_log import RedoLogFile, read_log_header, read_records
from oracle_simulator.storage.redo_record import FileResized, Marker, RedoRecord, TablespaceState

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_FIRST_BLOCK = 2
_CLEARING_BLOCKS = 2048


@dataclass(frozen=True)
class EndOfRedo:
    """Where the redo of the thread ends: the block after the last complete record, and its SCN.

    ``tablespace_states`` are changes of state since the thread checkpoint: the process may have died
    before the control file had them.
    """

    sequence: int
    block: int
    last_scn: int
    tablespace_states: tuple[TablespaceState, ...] = ()

    def checkpoint(self) -> Checkpoint:
        """The checkpoint of files that have all of it."""
        return Checkpoint(self.last_scn + 1, now_to_the_second(), 1, self.sequence, self.block, 16)


def recover_thread(instance: Instance) -> EndOfRedo:
    """Roll the open files forward to the end of redo; the database is mounted, its files are open.

    Exactly the changes whose redo is complete on disk are in the files afterwards; parts of a
    transaction without its commit record are not. Raises ORA-00313 for a missing log, ORA-00353 for a
    damaged one, ORA-01172 with ORA-01151 when a block can't take its redo.
    """
    control = instance.control
    start = control.thread.checkpoint
    instance.log.write(
        f"Beginning crash recovery of 1 threads from seq {start.sequence} block {start.log_block}"
    )
    targets = [
        Target(file, 0, file.record.stop_scn, file.datafile.blocks)
        for file in instance.files
        if file.record.enabled == "READ WRITE"
    ]
    states: list[TablespaceState] = []

    def on_marker(marker: Marker, _record: RedoRecord) -> None:
        if isinstance(marker, FileResized):
            _resize(applier, marker)
        elif isinstance(marker, TablespaceState):
            states.append(marker)

    applier = RecoveryApplier(instance, targets, on_marker)
    groups = _groups_from(instance, start.sequence)
    end_block = max(start.log_block, _FIRST_BLOCK)
    try:
        for group in groups:
            first = max(start.log_block, _FIRST_BLOCK) if group.sequence == start.sequence else _FIRST_BLOCK
            end_block = first
            path, _header = readable_member(group)
            for entry in read_records(path, first):
                applier.apply(entry)
                end_block = entry.end_block
        applier.abandon_pending()
        applier.flush()
    except OutOfReach as exc:
        raise exc.error from exc
    except RecoveryStuck as exc:
        raise exc.crash_recovery_error() from exc
    except RedoCorrupt as exc:
        raise log_corrupt(exc, applier.last_scn, (312, f"online log 1 thread 1: '{exc.path}'")) from exc
    last_scn = max(applier.last_scn, start.scn - 1, control.database.checkpoint.scn - 1)
    end = EndOfRedo(groups[-1].sequence, end_block, last_scn, tuple(states))
    _clear_tail(groups[-1], end_block)
    with instance.latch:
        instance.clock.advance_to(last_scn + 1)
    instance.log.write(f"Completed crash recovery at seq {end.sequence} block {end.block}, scn {last_scn}")
    return end


def readable_member(group: RedoGroup) -> tuple[Path, LogHeader]:
    """The first member of a group that holds what the control file says. Raises ORA-00313."""
    lines: list[tuple[int, str]] = []
    for member in group.members:
        named = (312, f"online log {group.group} thread {group.thread}: '{member}'")
        try:
            header = read_log_header(member)
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


def unfinished_switch(control: ControlState) -> RedoGroup | None:
    """The group that a log switch was about to use when the process died, if one was.

    A switch writes the header of the new log, closes that of the old one, and then tells the control file.
    The new log cannot hold redo before that: to the control file it still is an archived log nobody needs,
    and the old one, closed or not, is where the redo of the thread ends.
    """
    database = control.database
    branch = (database.dbid, database.resetlogs_scn, database.resetlogs_id, control.thread.sequence + 1)
    for group in control.redo_groups:
        if group.status not in ("INACTIVE", "UNUSED"):
            continue
        for member in group.members:
            try:
                header = read_log_header(member)
                found = (header.dbid, header.resetlogs_scn, header.resetlogs_id, header.sequence)
                if found == branch and next(read_records(member), None) is None:
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


def _groups_from(instance: Instance, sequence: int) -> list[RedoGroup]:
    control = instance.control
    used = [group for group in control.redo_groups if group.sequence >= sequence and group.status != "UNUSED"]
    groups = sorted(used, key=lambda group: group.sequence)
    if [group.sequence for group in groups] != list(range(sequence, control.thread.sequence + 1)):
        text = f"no online log holds sequence {sequence} of thread 1, from which crash recovery starts"
        raise OracleError(305, text)
    return groups


def _resize(applier: RecoveryApplier, marker: FileResized) -> None:
    target = applier.targets.get(marker.file_number)
    # Files are made longer before the redo says so and cut after it: only the cut can be outstanding.
    if target is not None and marker.blocks > target.file.datafile.blocks:
        target.file.datafile.resize(max(marker.blocks, target.file.record.blocks))


def _clear_tail(group: RedoGroup, end_block: int) -> None:
    """Wipe what an interrupted write left after the end of redo, lest it be taken for redo later."""
    size_blocks = group.size_bytes // group.block_size
    for member in group.members:
        try:
            log = RedoLogFile.open(member)
        except (OSError, RedoCorrupt):
            continue  # another member was readable, or we would not be here
        for first in range(end_block, size_blocks + 1, _CLEARING_BLOCKS):
            count = min(_CLEARING_BLOCKS, size_blocks + 1 - first)
            log.write_blocks(first, bytes(count * group.block_size))
        log.fsync()
        log.close()
