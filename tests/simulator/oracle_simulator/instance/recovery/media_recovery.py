# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media recovery: the conversation of ALTER DATABASE RECOVER.

Every prompt is an error raised by the statement, after which the session goes on; a call that returns has
finished the recovery. Source of the conversation: Oracle Backup and Recovery User's Guide, "Performing
user-managed recovery", and the causes and actions of the messages.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.database_writer import WriterStopped
from oracle_simulator.instance.control_file.control import REQUIRED, DatafileRecord
from oracle_simulator.instance.media_failure import DatafileFailed
from oracle_simulator.instance.messages import ErrorLine, datafile_line, os_lines, terminated
from oracle_simulator.instance.recovery.crash_recovery import log_corrupt, log_unreadable
from oracle_simulator.instance.recovery.recovering_files import (
    RecoveringFile,
    close_files,
    needs_recovery,
    open_for_recovery,
)
from oracle_simulator.instance.recovery.recovery_apply import OutOfReach, RecoveryStuck
from oracle_simulator.instance.recovery.recovery_logs import (
    LogSource,
    NotTheLog,
    Position,
    offered_log,
    online_log,
    recorded_log,
    request_lines,
    suggestion,
)
from oracle_simulator.instance.recovery.recovery_markers import TrialEnds, UnnamedFiles
from oracle_simulator.instance.recovery.recovery_progress import FutureChanges, RecoveryProgress, RecoverySpec
from oracle_simulator.instance.standby import refuse_standby, require_standby
from oracle_simulator.storage.log_header import RedoCorrupt, RedoUnreadable

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

__all__ = ["RecoverySession", "RecoverySpec"]


class _Conversation(Exception):
    """Something to tell the user after which the session is still there."""

    def __init__(self, error: OracleError) -> None:
        super().__init__(error.message)
        self.error = error


class RecoverySession:
    """One media recovery, driven by statements. Not for use by several threads at once.

    ``active`` is True between the first statement and the one that ended it; calls on an inactive session
    raise ORA-01112. While a session is active no other may start (ORA-01153).
    """

    def __init__(self, instance: Instance, spec: RecoverySpec) -> None:
        self._instance = instance
        self._spec = spec
        self._files: list[RecoveringFile] = []
        self._progress: RecoveryProgress | None = None
        self._paused = False
        self.active = False

    # ------------------------------------------------------------ statements

    def start(self) -> None:
        """ALTER DATABASE RECOVER ...: returns when recovery is complete.

        Raises ORA-00279 with ORA-00289 and ORA-00280 when a log is needed (with ORA-00308 below when
        AUTOMATIC did not find it), ORA-00288, ORA-01507, ORA-01153, ORA-00275; under ORA-00283, which ends the
        session: ORA-00264 nothing to do, ORA-01610, ORA-01124, ORA-01157, ORA-01122, ORA-01190, ORA-19909,
        ORA-01233, ORA-01244, ORA-19911, ORA-19839, ORA-19840, ORA-19904, ORA-00353, ORA-10562 or ORA-00600
        [3020]; ORA-01547 with ORA-01194, ORA-01195 or ORA-01152 when an incomplete recovery ended before the
        files are consistent; ORA-10574 with what a trial has found.
        """
        if self.active:
            raise OracleError(275, "media recovery has already been started")
        with self._instance.latch:
            self._instance.require_mounted()
            if self._instance.media_recovery is not None:
                raise OracleError(1153, "an incompatible media recovery is active")
            self._instance.media_recovery = self
            self.active = True
        self._instance.log.write("ALTER DATABASE RECOVER", "Media Recovery Start")
        self._step(self._begin)

    def logfile(self, path: str | Path) -> None:
        """ALTER DATABASE RECOVER LOGFILE 'path'. Raises as :meth:`start`, and ORA-00308 or ORA-00310 (and
        its like) for a file that is not the log; the session then goes on and still needs it."""
        self._require_active()
        self._step(lambda: self._use_offered(Path(path)))

    def continue_default(self) -> None:
        """ALTER DATABASE RECOVER CONTINUE DEFAULT: the suggested file, else the online log. As :meth:`start`."""
        self._require_active()
        self._step(self._use_default)

    def continue_(self) -> None:
        """ALTER DATABASE RECOVER CONTINUE: ask (again) for what is needed. As :meth:`start`."""
        self._require_active()
        self._step(self._go_on)

    def cancel(self) -> None:
        """ALTER DATABASE RECOVER CANCEL. Raises ORA-01547 when files are not consistent where it stopped."""
        self._require_active()
        self._step(self._running.cancel)

    def close(self) -> None:
        """Drop the session without a word (its user is gone). What was applied stays applied."""
        if self.active:
            self._end()

    # ------------------------------------------------------------ the frame of every statement

    def _require_active(self) -> None:
        if not self.active:
            raise OracleError(1112, "media recovery not started")

    def _step(self, action: Callable[[], None]) -> None:
        alive = False
        try:
            action()
        except _Conversation as exc:
            alive = True
            raise exc.error from exc
        except NotTheLog as exc:
            alive = exc.error.code == 308 or not self._instance.readings.wrong_log_ends_recovery
            if alive and self._instance.readings.minor_errors_have_a_heading:
                raise exc.error.under(284, "recovery session still in progress") from exc
            raise exc.error from exc
        except RecoveryStuck as exc:
            tablespace = self._instance.control.tablespace_of(exc.file.record)
            error = exc.media_recovery_error(tablespace.name if tablespace else "")
            raise self._canceled(error) from exc
        except OutOfReach as exc:
            raise self._canceled(exc.error) from exc
        except RedoCorrupt as exc:
            change = self._running.last_scn
            raise self._canceled(log_corrupt(exc, change, (334, f"archived log: '{exc.path}'"))) from exc
        except RedoUnreadable as exc:
            raise self._canceled(log_unreadable(exc, (334, f"archived log: '{exc.path}'"))) from exc
        except DatafileFailed as exc:
            raise self._canceled(exc.error) from exc
        except (UnnamedFiles, FutureChanges) as exc:
            raise self._canceled(exc.error) from exc
        except TrialEnds as exc:
            raise self._running.trial_refused() from exc
        except WriterStopped as exc:
            raise terminated() from exc
        except OSError as exc:
            raise self._canceled(
                OracleError(1115, "IO error reading or writing block", *os_lines(exc))
            ) from exc
        finally:
            if not alive:
                self._end()

    def _canceled(self, cause: OracleError) -> OracleError:
        self._instance.log.error(cause, "Media Recovery failed")
        return cause.under(283, "recovery session canceled due to errors")

    def _end(self) -> None:
        close_files(self._files)
        self._files = []
        self.active = False
        with self._instance.latch:
            if self._instance.media_recovery is self:
                self._instance.media_recovery = None

    # ------------------------------------------------------------ beginning

    def _begin(self) -> None:
        instance, spec = self._instance, self._spec
        database = instance.control.database
        try:
            if spec.standby:
                require_standby(instance.control)
            else:
                refuse_standby(instance.control)
            if database.open_resetlogs == REQUIRED and not spec.ends_unknown:
                raise OracleError(1610, "recovery using the BACKUP CONTROLFILE option must be done")
            records = self._records()
            self._files = open_for_recovery(instance, records, spec.using_backup_controlfile, spec.test)
            self._refuse_clauses()
            complete = not spec.incomplete and not spec.ends_unknown
            # Whatever the goal, a file that was read only since its checkpoint is as it should be.
            idle = [
                file
                for file in self._files
                if not spec.ends_unknown
                and not needs_recovery(file)
                and (complete or file.file.record.enabled == "READ ONLY")
            ]
            close_files(idle)
            self._files = [file for file in self._files if file not in idle]
            if not self._files:
                raise OracleError(264, "no recovery required")
        except OracleError as exc:
            raise self._canceled(exc) from exc
        if spec.ends_unknown:
            # The control file is older than the files: what it says of their ends is not to be trusted.
            for file in self._files:
                file.stop_scn = None
        self._progress = RecoveryProgress(instance, spec, self._files)
        self._go_on()

    def _refuse_clauses(self) -> None:
        """Raises ORA-19840 or ORA-19839 for SNAPSHOT TIME, ORA-19904 for TEST where they do not fit the files."""
        spec, database = self._spec, self._instance.control.database
        if spec.snapshot_time is not None and not self._instance.readings.snapshot_time_is_enabled:
            raise OracleError(19840, "SNAPSHOT TIME recovery is not enabled")
        for file in self._files:
            line = datafile_line(file.file.record)
            checkpoint_time = file.header.checkpoint.time
            if spec.snapshot_time is not None and checkpoint_time and checkpoint_time > spec.snapshot_time:
                text = "snapshot datafile checkpoint time is greater than snapshot time"
                raise OracleError(19839, text, line)
            if spec.test and file.header.resetlogs_scn != database.resetlogs_scn:
                raise OracleError(19904, f"test recovery not allowed for datafile {file.number}", line)

    def _records(self) -> list[DatafileRecord]:
        """The records of the files to recover. Raises ORA-01124 for a file that is in use."""
        instance, numbers = self._instance, self._spec.file_numbers
        with instance.latch:
            every = sorted(instance.control.datafiles, key=lambda record: record.file_number)
            if numbers is None:
                chosen = [record for record in every if record.online]
            else:
                chosen = [record for record in every if record.file_number in numbers]
        if instance.is_open:
            for record in chosen:
                if record.file_number in instance.files:
                    text = f"cannot recover data file {record.file_number} - file is in use or recovery"
                    raise OracleError(1124, text, datafile_line(record))
        return chosen

    # ------------------------------------------------------------ going on

    @property
    def _running(self) -> RecoveryProgress:
        assert self._progress is not None  # a session is active only from its beginning on
        return self._progress

    @property
    def _here(self) -> Position:
        return self._running.position

    def _uses_online_logs(self) -> bool:
        spec = self._spec
        return not spec.ends_unknown and not spec.until_cancel

    def _go_on(self) -> None:
        """Apply logs as long as they are found without asking. Raises _Conversation to ask for the next."""
        while not self._running.done:
            source = online_log(self._instance, self._here) if self._uses_online_logs() else None
            if source is None and not self._spec.automatic:
                raise _Conversation(self._request())
            self._apply(source or self._recorded() or self._suggested())
        if self._instance.readings.recovery_pauses_at_its_end and not self._paused:
            self._paused = True
            text = "to continue recovery type ALTER DATABASE RECOVER CONTINUE"
            raise _Conversation(OracleError(288, text))
        self._running.finish()

    def _use_offered(self, path: Path) -> None:
        self._apply(offered_log(self._instance, path, self._here))
        self._go_on()

    def _use_default(self) -> None:
        self._apply(self._suggested())
        self._go_on()

    def _apply(self, source: LogSource) -> None:
        self._running.apply(source)
        if self._spec.standby:
            with self._instance.latch:
                for log in self._instance.control.archived_logs:
                    log.applied = log.applied or log.name == str(source.path)

    def _recorded(self) -> LogSource | None:
        """A log in the recovery area, whose name only the control file knows."""
        path = None if self._spec.directory else recorded_log(self._instance, self._here)
        return offered_log(self._instance, path, self._here) if path and path.is_file() else None

    def _suggested(self) -> LogSource:
        """The file of the suggested name, else the online log. Raises _Conversation when there is neither."""
        path = suggestion(self._instance, self._here, self._spec.directory)
        try:
            return offered_log(self._instance, path, self._here)
        except NotTheLog as exc:
            online = None
            if not self._spec.ends_unknown:
                online = online_log(self._instance, self._here)
            if online is not None:
                return online
            if exc.error.code != 308:
                raise
            # Oracle names the file it could not open as "no longer needed": a trap, and kept as one.
            unfound = (278, f"log file '{path}' no longer needed for this recovery")
            lines = (unfound, (308, exc.error.text), *exc.error.more)
            raise _Conversation(self._request(lines)) from exc

    def _request(self, more: tuple[ErrorLine, ...] = ()) -> OracleError:
        suggested = suggestion(self._instance, self._here, self._spec.directory)
        named = self._instance.readings.unknown_sequence_is_named
        first, *rest = request_lines(self._here, suggested, named)
        read = self._running.threads.no_longer_needed
        if not more and read is not None:
            more = ((278, f"log file '{read}' no longer needed for this recovery"),)
        self._running.threads.no_longer_needed = None
        return OracleError(*first, *rest, *more)
