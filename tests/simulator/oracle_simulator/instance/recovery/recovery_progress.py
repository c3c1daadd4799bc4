# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media recovery of a set of files: how far it is, when it is done, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import ALLOWED, CURRENT, NOT_ALLOWED, REQUIRED
from oracle_simulator.instance.messages import datafile_line
from oracle_simulator.instance.recovery.recovering_files import RecoveringFile
from oracle_simulator.instance.recovery.recovery_apply import RecoveryApplier
from oracle_simulator.instance.recovery.recovery_logs import LogSource, Position, next_incarnation
from oracle_simulator.instance.recovery.recovery_markers import MarkerEffects
from oracle_simulator.instance.recovery.recovery_threads import RecoveringThreads, ThreadRedo
from oracle_simulator.instance.recovery.resetlogs import first_inconsistency
from oracle_simulator.storage.datafile_header import Checkpoint, HeaderStatus
from oracle_simulator.storage.redo_log import LogRecord
from oracle_simulator.storage.redo_record import RedoRecord, ThreadDisabled, ThreadEnabled

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_FIRST_BLOCK = 2


@dataclass(frozen=True)
class RecoverySpec:
    """What to recover and how far.

    ``file_numbers`` None: the database (all online files). ``until_scn`` and ``until_time`` are exclusive.
    ``directory`` is the FROM clause. ``standby`` is for standby databases, whose recovery never ends by itself.
    ``snapshot_time``: the files are copies of one moment, complete at that time, taken without backup mode.
    ``test`` applies the redo in memory only. ``allowed_corruption`` is how many blocks may be marked corrupt
    instead of ending the recovery.
    """

    file_numbers: tuple[int, ...] | None = None
    automatic: bool = False
    directory: str | None = None
    until_cancel: bool = False
    until_scn: int | None = None
    until_time: datetime | None = None
    until_consistent: bool = False
    snapshot_time: datetime | None = None
    test: bool = False
    allowed_corruption: int = 0
    using_backup_controlfile: bool = False
    standby: bool = False

    @property
    def ends_unknown(self) -> bool:
        """Whether the control file does not know where the redo of the files ends."""
        return self.using_backup_controlfile or self.standby

    @property
    def incomplete(self) -> bool:
        """Whether an UNTIL clause was given."""
        until = self.until_scn is not None or self.until_time is not None
        return until or self.until_cancel or self.until_consistent


class FutureChanges(Exception):
    """Recovery comes to a RESETLOGS with a copy whose END BACKUP was cut off by it."""

    def __init__(self, file: RecoveringFile) -> None:
        text = f"datafile {file.number} contains future changes at the incarnation boundary"
        self.error = OracleError(19911, text, datafile_line(file.file.record))
        super().__init__(self.error.message)


class RecoveryProgress:
    """The files of one recovery on their way to its goal. ``position`` is where they are."""

    def __init__(self, instance: Instance, spec: RecoverySpec, files: list[RecoveringFile]) -> None:
        self._instance = instance
        self._spec = spec
        self._files = files
        self._applier = RecoveryApplier(instance, files, in_memory=spec.test)
        self._applier.allowed_corruption = spec.allowed_corruption
        self._applier.before_write = self._mark_fuzzy
        older = spec.using_backup_controlfile or instance.control.database.control_file_type != CURRENT
        self._markers = MarkerEffects(instance, self._applier, spec.file_numbers is None, older)
        self._reached_end = False
        self._stopped = False
        self.threads = self._starting_threads()
        self._markers.on_thread = self._thread_changed
        self._markers.trial = spec.test
        self.position = (self.threads.next or self.threads.first).position
        self._first_scn = self.position.scn
        self._stop_behind_goal()

    @property
    def last_scn(self) -> int:
        """SCN of the last record applied."""
        return self._applier.last_scn

    def _starting_threads(self) -> RecoveringThreads:
        """The redo that the oldest of the files needs."""
        instance = self._instance
        control = instance.control
        oldest = min(self._files, key=lambda file: file.header.checkpoint.scn).header
        incarnation = control.incarnation(oldest.resetlogs_scn, oldest.resetlogs_id)
        assert incarnation is not None  # verified when the file was opened
        checkpoint = oldest.checkpoint
        trusted = not self._spec.ends_unknown or instance.readings.closed_thread_is_trusted
        threads = RecoveringThreads(control, checkpoint, incarnation, trusted)
        child = next_incarnation(control, incarnation)
        if child is not None and checkpoint.scn >= child.resetlogs_scn - 1:
            threads.enter(child, checkpoint.time)
        return threads

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
            self.position = replace(here, scn=stop)

    def _mark_fuzzy(self, file_numbers: Iterable[int]) -> None:
        for number in file_numbers:
            next(file for file in self._files if file.number == number).mark_fuzzy(self._applier.last_scn)

    # ------------------------------------------------------------ applying

    def apply(self, source: LogSource) -> None:
        """Take the log that ``position`` needs, and apply what there is in hand of all threads, as far as the
        goal allows. Afterwards the headers say so."""
        self._instance.log.write(f"Media Recovery Log {source.path}")
        thread = self.threads.next
        assert thread is not None  # or recovery would be done
        self.threads.open(thread, source, self._instance.disk)
        while (thread := self._next_thread()) is not None:
            entry = thread.head
            if entry is None:
                break  # of all redo still to come, that in its next log is the first
            if self._spec.snapshot_time is not None and entry.record.time > self._spec.snapshot_time:
                for file in self._files:
                    file.closed_clean()
            if self._beyond_goal(entry):
                self._stop_at(entry)
                return
            self._markers.refuse_unknown_files(entry, self._stop_before)
            self._applier.apply(entry)
            self.threads.advance(thread)
        self._applier.flush()
        if thread is not None:
            time = thread.position.time or self._applier.last_time or self.position.time
            self.position = replace(thread.position, time=time)
        else:
            self._reached_end = True
            self._applier.abandon_pending()
            checkpoints = [file.header.checkpoint.scn for file in self._files]
            scn = max(self._applier.last_scn + 1, self.position.scn, *checkpoints)
            time = self._applier.last_time or self.position.time
            self.position = replace(self.threads.first.position, scn=scn, time=time)
        self._advance()

    def _next_thread(self) -> ThreadRedo | None:
        """The thread with the next record or log; None at the end of all redo. Goes on with the next
        incarnation where recovery has come to its RESETLOGS."""
        thread = self.threads.next
        incarnation = (thread or self.threads.first).position.incarnation
        child = next_incarnation(self._instance.control, incarnation)
        # The recovery before that RESETLOGS stopped one SCN earlier: what follows is orphaned redo.
        if child is not None and (thread is None or thread.scn >= child.resetlogs_scn - 1):
            self._refuse_future_changes()
            self.threads.enter(child, self._applier.last_time)
            return self.threads.next
        return thread

    def _refuse_future_changes(self) -> None:
        for file in self._files:
            if file.status & HeaderStatus.HOT_BACKUP:
                raise FutureChanges(file)

    def _thread_changed(self, marker: ThreadEnabled | ThreadDisabled, record: RedoRecord) -> None:
        if isinstance(marker, ThreadDisabled):
            self.threads.disabled(marker.thread)
            return
        incarnation = self.position.incarnation
        position = Position(marker.first_scn, record.time, incarnation, marker.thread, marker.sequence)
        self.threads.enabled_at(position)

    def _beyond_goal(self, entry: LogRecord) -> bool:
        spec, record = self._spec, entry.record
        if spec.until_scn is not None and record.scn >= spec.until_scn:
            return True
        if spec.until_time is not None and record.time >= spec.until_time:
            return True
        if spec.until_consistent and all(file.consistent_at(record.scn) for file in self._files):
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
        record = entry.record
        self.position = replace(
            self.position,
            scn=record.scn if scn is None else scn,
            time=record.time,
            thread=record.thread,
            sequence=entry.address.sequence,
        )
        self._advance(entry.address.block)

    def _advance(self, block: int = _FIRST_BLOCK) -> None:
        here = self.position
        checkpoint = self._checkpoint(here.scn, block)
        pending = self._applier.first_pending
        if pending is not None:
            # Parts of a transaction whose rest is still to come are not in the files.
            checkpoint = replace(checkpoint, scn=pending.record.scn)
            if pending.record.thread == here.thread:
                sequence, block, _offset = pending.address
                checkpoint = replace(checkpoint, sequence=sequence, log_block=block)
        for file in self._files:
            file.advance(checkpoint, here.incarnation)

    def _checkpoint(self, scn: int, block: int = _FIRST_BLOCK) -> Checkpoint:
        here = self.position
        time = here.time or self._instance.wall_clock.second()
        return Checkpoint(scn, time, here.thread, here.sequence or 0, block, 16, self.threads.enabled)

    # ------------------------------------------------------------ ending

    @property
    def done(self) -> bool:
        """Whether the goal, or the end of all redo for the files, is reached."""
        spec, here = self._spec, self.position
        if self._stopped or self._reached_end:
            return True
        if spec.until_scn is not None and here.scn >= spec.until_scn:
            return True
        if spec.until_consistent and all(file.consistent_at(here.scn) for file in self._files):
            return True
        return bool(self._files) and all(
            file.stop_scn is not None
            and file.header.checkpoint.scn >= file.stop_scn
            and not file.header.fuzzy
            for file in self._files
        )

    def finish(self) -> None:
        """The goal is reached. Raises ORA-01547 when it lies before the files are consistent, and for a trial
        what it found."""
        spec = self._spec
        if spec.test:
            raise self._trial_result(10570, "Test recovery complete")
        ends_with_redo = self._reached_end or all(file.stop_scn is not None for file in self._files)
        if not ends_with_redo or (self._stopped and not self._all_stopped(self.position.scn)):
            self._finish_incomplete()
            return
        here = self.position
        end = self._checkpoint(here.scn)
        for file in self._files:
            file.finish(end, here.incarnation)
        control = self._instance.control
        with self._instance.latch:
            self._instance.clock.advance_to(end.scn)
            if spec.standby:
                control.database.recovery_stop_scn = end.scn
            elif spec.using_backup_controlfile:
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
        if self._spec.test:
            raise self._trial_result(10571, "Test recovery canceled")
        if self._spec.incomplete or self._spec.using_backup_controlfile:
            self._finish_incomplete()
        else:
            self._instance.log.write("Media Recovery canceled")

    def _trial_result(self, code: int, text: str) -> OracleError:
        last = max(self._first_scn, self.last_scn)
        tested = (10573, f"Test recovery tested redo from change {self._first_scn} to {last}")
        return OracleError(10574, "Test recovery did not corrupt any data block", tested, (code, text))

    def trial_refused(self) -> OracleError:
        """The end of a trial at redo that it cannot apply."""
        found = self._trial_result(10572, "Test recovery canceled due to errors")
        refused = (10585, "Test recovery can not apply redo that may modify control file")
        return OracleError(found.code, found.text, *found.more, refused)

    def _finish_incomplete(self) -> None:
        """Stopped before the end of redo. Raises ORA-01547 when that is too early."""
        instance, here = self._instance, self.position
        control = instance.control
        self._applier.abandon_pending()
        stop = here.scn
        if self._spec.until_scn is not None and self._stopped:
            stop = self._spec.until_scn
        checkpoint = self._checkpoint(stop)
        for file in self._files:
            file.advance(checkpoint, here.incarnation)
        with instance.latch:
            database = control.database
            database.open_resetlogs = REQUIRED if self._spec.ends_unknown else ALLOWED
            database.recovery_stop_scn = stop
            instance.clock.advance_to(stop)
        instance.save_control()
        instance.log.write(f"Incomplete Recovery applied until change {stop}")
        if self._spec.file_numbers is None:
            problem = first_inconsistency(instance, stop)
            if problem is not None:
                text = "warning: RECOVER succeeded but OPEN RESETLOGS would get error below"
                raise problem.under(1547, text)
