# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media recovery of a set of files: how far it is, when it is done, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from oracle_simulator.instance.checkpoint import now_to_the_second
from oracle_simulator.instance.control import ALLOWED, CURRENT, NOT_ALLOWED, REQUIRED
from oracle_simulator.instance.recovering_files import RecoveringFile
from oracle_simulator.instance.recovery_apply import RecoveryApplier
from oracle_simulator.instance.recovery_logs import LogSource, Position, next_incarnation
from oracle_simulator.instance.recovery_markers import MarkerEffects
from oracle_simulator.instance.resetlogs import first_inconsistency
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.redo_log import LogRecord, read_records

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_FIRST_BLOCK = 2


@dataclass(frozen=True)
class RecoverySpec:
    """What to recover and how far.

    ``file_numbers`` None: the database (all online files). ``until_scn`` and ``until_time`` are exclusive.
    ``directory`` is the FROM clause.
    """

    file_numbers: tuple[int, ...] | None = None
    automatic: bool = False
    directory: str | None = None
    until_cancel: bool = False
    until_scn: int | None = None
    until_time: datetime | None = None
    using_backup_controlfile: bool = False

    @property
    def incomplete(self) -> bool:
        """Whether an UNTIL clause was given."""
        return self.until_cancel or self.until_scn is not None or self.until_time is not None


class RecoveryProgress:
    """The files of one recovery on their way to its goal. ``position`` is where they are."""

    def __init__(self, instance: Instance, spec: RecoverySpec, files: list[RecoveringFile]) -> None:
        self._instance = instance
        self._spec = spec
        self._files = files
        self._applier = RecoveryApplier(instance, files)
        self._applier.before_write = self._mark_fuzzy
        older = spec.using_backup_controlfile or instance.control.database.control_file_type != CURRENT
        self._markers = MarkerEffects(instance, self._applier, spec.file_numbers is None, older)
        self._reached_end = False
        self._stopped = False
        self.position = self._start_position()
        self._stop_behind_goal()

    @property
    def last_scn(self) -> int:
        """SCN of the last record applied."""
        return self._applier.last_scn

    def _start_position(self) -> Position:
        """Where the oldest of the files needs redo from."""
        control = self._instance.control
        oldest = min(self._files, key=lambda file: file.header.checkpoint.scn).header
        incarnation = control.incarnation(oldest.resetlogs_scn, oldest.resetlogs_id)
        assert incarnation is not None  # verified when the file was opened
        checkpoint = oldest.checkpoint
        position = Position(checkpoint.scn, checkpoint.time, incarnation, checkpoint.sequence)
        child = next_incarnation(control, incarnation)
        if child is not None and checkpoint.scn >= child.resetlogs_scn - 1:
            return Position(child.resetlogs_scn, checkpoint.time, child, 1)
        return position

    def _stop_behind_goal(self) -> None:
        """Files newer than the goal cannot go back: the recovery is over before it begins."""
        spec, here = self._spec, self.position
        stop = None
        if spec.until_scn is not None and here.scn > spec.until_scn:
            stop = spec.until_scn
        elif spec.until_time is not None and here.time is not None and here.time > spec.until_time:
            stop = here.scn - 1
        if stop is not None:
            self._stopped = True
            self.position = Position(stop, here.time, here.incarnation, here.sequence)

    def _mark_fuzzy(self, file_numbers: Iterable[int]) -> None:
        for number in file_numbers:
            next(file for file in self._files if file.number == number).mark_fuzzy(self._applier.last_scn)

    # ------------------------------------------------------------ applying

    def apply(self, source: LogSource) -> None:
        """Apply one log, as far as the goal allows. Afterwards the headers say so."""
        here, header = self.position, source.header
        instance = self._instance
        instance.log.write(f"Media Recovery Log {source.path}")
        child = next_incarnation(instance.control, here.incarnation)
        # The recovery before that RESETLOGS stopped one SCN earlier: what follows is orphaned redo.
        branch_end = child.resetlogs_scn - 1 if child else None
        for entry in read_records(source.path, disk=instance.disk):
            record = entry.record
            if record.scn < here.scn:
                continue
            if self._beyond_goal(entry):
                self._stop_at(entry)
                return
            if branch_end is not None and record.scn >= branch_end:
                break
            self._markers.refuse_unknown_files(entry, self._stop_before)
            self._applier.apply(entry)
        self._applier.flush()
        time = header.next_time or self._applier.last_time or here.time
        if branch_end is not None and child is not None and (header.next_scn or branch_end) >= branch_end:
            self.position = Position(child.resetlogs_scn, time, child, 1)
        elif header.current:
            self._reached_end = True
            self._applier.abandon_pending()
            scn = max(
                self._applier.last_scn + 1, here.scn, *(file.header.checkpoint.scn for file in self._files)
            )
            self.position = Position(scn, time, here.incarnation, here.sequence)
        else:
            assert header.next_scn is not None
            self.position = Position(header.next_scn, time, here.incarnation, here.sequence + 1)
        self._advance()

    def _beyond_goal(self, entry: LogRecord) -> bool:
        spec, record = self._spec, entry.record
        if spec.until_scn is not None and record.scn >= spec.until_scn:
            return True
        if spec.until_time is not None and record.time >= spec.until_time:
            return True
        return self._all_stopped(record.scn)

    def _all_stopped(self, scn: int) -> bool:
        return all(file.stop_scn is not None and file.stop_scn <= scn for file in self._files)

    def _stop_at(self, entry: LogRecord) -> None:
        record = entry.record
        self._stopped = True
        scn = record.scn
        if self._spec.until_scn is not None:
            scn = min(scn, self._spec.until_scn)
        self._stop_before(entry, scn)

    def _stop_before(self, entry: LogRecord, scn: int | None = None) -> None:
        """Everything before this record is applied, and recovery goes no further now."""
        self._applier.flush()
        here = self.position
        self.position = Position(
            entry.record.scn if scn is None else scn, entry.record.time, here.incarnation, here.sequence
        )
        self._advance(entry.address.block)

    def _advance(self, block: int = _FIRST_BLOCK) -> None:
        here = self.position
        scn, sequence = here.scn, here.sequence
        pending = self._applier.first_pending
        if pending is not None:
            # Parts of a transaction whose rest is still to come are not in the files.
            scn, sequence, block = pending.record.scn, pending.address.sequence, pending.address.block
        checkpoint = Checkpoint(scn, here.time, 1, sequence, block, 16)
        for file in self._files:
            file.advance(checkpoint, here.incarnation)

    # ------------------------------------------------------------ ending

    @property
    def done(self) -> bool:
        """Whether the goal, or the end of all redo for the files, is reached."""
        spec, here = self._spec, self.position
        if self._stopped or self._reached_end:
            return True
        if spec.until_scn is not None and here.scn >= spec.until_scn:
            return True
        return bool(self._files) and all(
            file.stop_scn is not None
            and file.header.checkpoint.scn >= file.stop_scn
            and not file.header.fuzzy
            for file in self._files
        )

    def finish(self) -> None:
        """The goal is reached. Raises ORA-01547 when it lies before the files are consistent."""
        spec = self._spec
        ends_with_redo = self._reached_end or all(file.stop_scn is not None for file in self._files)
        if not ends_with_redo or (self._stopped and not self._all_stopped(self.position.scn)):
            self._finish_incomplete()
            return
        here = self.position
        end = Checkpoint(here.scn, here.time or now_to_the_second(), 1, here.sequence, _FIRST_BLOCK, 16)
        for file in self._files:
            file.finish(end, here.incarnation)
        control = self._instance.control
        with self._instance.latch:
            self._instance.clock.advance_to(end.scn)
            if spec.using_backup_controlfile:
                control.database.open_resetlogs = REQUIRED
                control.database.recovery_stop_scn = end.scn
            elif spec.incomplete:
                control.database.open_resetlogs = ALLOWED
                control.database.recovery_stop_scn = max(file.header.checkpoint.scn for file in self._files)
            elif spec.file_numbers is None and control.database.control_file_type == CURRENT:
                control.database.open_resetlogs = NOT_ALLOWED
        self._instance.save_control()
        self._instance.log.write("Media Recovery Complete")

    def cancel(self) -> None:
        """Stop here. Raises ORA-01547 for an incomplete recovery that stops too early."""
        if self._spec.incomplete or self._spec.using_backup_controlfile:
            self._finish_incomplete()
        else:
            self._instance.log.write("Media Recovery canceled")

    def _finish_incomplete(self) -> None:
        """Stopped before the end of redo. Raises ORA-01547 when that is too early."""
        instance, here = self._instance, self.position
        control = instance.control
        self._applier.abandon_pending()
        stop = here.scn
        if self._spec.until_scn is not None and self._stopped:
            stop = self._spec.until_scn
        checkpoint = Checkpoint(stop, here.time, 1, here.sequence, _FIRST_BLOCK, 16)
        for file in self._files:
            file.advance(checkpoint, here.incarnation)
        with instance.latch:
            database = control.database
            database.open_resetlogs = REQUIRED if self._spec.using_backup_controlfile else ALLOWED
            database.recovery_stop_scn = stop
            instance.clock.advance_to(stop)
        instance.save_control()
        instance.log.write(f"Incomplete Recovery applied until change {stop}")
        if self._spec.file_numbers is None:
            problem = first_inconsistency(instance, stop)
            if problem is not None:
                text = "warning: RECOVER succeeded but OPEN RESETLOGS would get error below"
                raise problem.under(1547, text)
