# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media recovery: the conversation of ALTER DATABASE RECOVER, held to its end in one session.

The names Oracle suggests (ORA-00289) are built from parameters and not to be trusted; each request is
answered with a file whose own header says that it holds the redo asked for.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    OracleRefused,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.quoting import quote_literal
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.recovery_answer import (
    Answer,
    DataFileNamed,
    LogRequest,
    Meaning,
    understand,
)

MOST_RESTARTS = 20

FindLogs = Callable[[LogRequest], Sequence[str]]
"""Paths of logs that hold the requested redo, best first."""

PlaceFile = Callable[[DataFileNamed], None]
"""Does something about a datafile that Oracle named; recovery then starts again.

``add_unknown_file``: redo created a file the control file does not know; give it a place. ``take_offline``:
a read-only file cannot be recovered with a backup control file (ORA-01233); it needs no redo, so it is set
aside and comes back online after the database was opened.
"""


@dataclass(frozen=True)
class RecoveryTarget:
    """How far to recover: through ``through_scn`` (inclusive), until ``until_time`` (database-local
    'YYYY-MM-DD:HH24:MI:SS', as Oracle's own clause wants it), until the redo found ends (``until_cancel``),
    or, with none of them, completely."""

    through_scn: int | None = None
    until_time: str | None = None
    until_cancel: bool = False

    @property
    def complete(self) -> bool:
        """Whether all redo is to be applied."""
        return self.through_scn is None and self.until_time is None and not self.until_cancel


@dataclass
class RecoveryReport:
    """What a recovery did."""

    applied_logs: list[str] = field(default_factory=list)
    created_files: list[str] = field(default_factory=list)
    using_backup_control_file: bool = False
    cancelled: bool = False
    nothing_to_do: bool = False


def recover_statement(target: RecoveryTarget, using_backup_control_file: bool) -> str:
    """The statement that opens the conversation."""
    parts = ["ALTER DATABASE RECOVER DATABASE"]
    if target.through_scn is not None:
        # UNTIL CHANGE stops before the number it is given
        parts.append(f"UNTIL CHANGE {target.through_scn + 1}")
    elif target.until_time is not None:
        parts.append(f"UNTIL TIME {quote_literal(target.until_time)}")
    elif target.until_cancel:
        parts.append("UNTIL CANCEL")
    if using_backup_control_file:
        parts.append("USING BACKUP CONTROLFILE")
    return " ".join(parts)


class Recovery:
    """One media recovery of a mounted database."""

    def __init__(
        self,
        gateway: Gateway,
        target: RecoveryTarget,
        find_logs: FindLogs,
        add_unknown_file: PlaceFile,
        take_offline: PlaceFile,
        *,
        using_backup_control_file: bool = False,
    ) -> None:
        self._gateway = gateway
        self._target = target
        self._find_logs = find_logs
        self._add_unknown_file = add_unknown_file
        self._take_offline = take_offline
        self._report = RecoveryReport(using_backup_control_file=using_backup_control_file)
        self._request: LogRequest | None = None
        self._offered: str | None = None
        self._rejected: set[tuple[LogRequest, str]] = set()
        self._restarts = 0

    def run(self) -> RecoveryReport:
        """Hold the conversation until Oracle says that recovery is complete.

        Raises PreconditionError when redo is missing, VerificationError when the target leaves files
        inconsistent, OracleRefused when recovery is stuck. Starting again later is safe: recovery goes on
        from the file headers.
        """
        statement = self._opening
        while True:
            answer = self._say(statement)
            self._note_applied(answer)
            following = self._reply(answer)
            if following is None:
                return self._report
            statement = following

    @property
    def _opening(self) -> str:
        return recover_statement(self._target, self._report.using_backup_control_file)

    def _say(self, statement: str) -> Answer:
        try:
            self._gateway.execute(statement)
        except OracleRefused as error:
            if error.oracle_error is None:
                raise
            answer = understand(error.oracle_error.codes, error.oracle_error.message)
            if answer.meaning is Meaning.FAILED:
                raise
            if answer.meaning is Meaning.NOT_CONSISTENT:
                raise self._not_consistent(error) from error
            self._report.nothing_to_do = answer.meaning is Meaning.FINISHED
            return answer
        return Answer(Meaning.FINISHED)

    def _note_applied(self, answer: Answer) -> None:
        """A log was applied when Oracle finished, or asks for other redo than before."""
        moved_on = answer.meaning in (Meaning.FINISHED, Meaning.UNKNOWN_FILE) or (
            answer.request is not None and answer.request != self._request
        )
        if self._offered is None:
            return
        if moved_on:
            self._report.applied_logs.append(self._offered)
        elif self._request is not None:
            self._rejected.add((self._request, self._offered))
        self._offered = None

    def _reply(self, answer: Answer) -> str | None:
        """The next statement, or None when recovery is over."""
        if answer.meaning is Meaning.FINISHED:
            return None
        if answer.meaning is Meaning.CONTINUE:
            return "ALTER DATABASE RECOVER CONTINUE"
        if answer.meaning is Meaning.NEEDS_BACKUP_CONTROL_FILE:
            if self._report.using_backup_control_file:
                raise PreconditionError(
                    "Recovery still asks for USING BACKUP CONTROLFILE, which it was given."
                )
            self._report.using_backup_control_file = True
            return self._opening
        if answer.meaning in (Meaning.UNKNOWN_FILE, Meaning.READ_ONLY_FILE) and not answer.data_files:
            # starting again without having done anything would go round for ever
            raise PreconditionError(
                "Recovery stopped at a datafile that Oracle did not name; see the alert log."
            )
        if answer.meaning is Meaning.UNKNOWN_FILE:
            for data_file in answer.data_files:
                self._add_unknown_file(data_file)
                self._report.created_files.append(data_file.path)
            return self._opening
        if answer.meaning is Meaning.READ_ONLY_FILE:
            for data_file in answer.data_files:
                self._take_offline(data_file)
            return self._opening
        if answer.meaning is Meaning.NO_SESSION:
            # a refused log may have ended the session; file headers remember how far it was
            self._restarts += 1
            if self._restarts > MOST_RESTARTS:
                raise PreconditionError(
                    f"Recovery lost its session {MOST_RESTARTS} times; see the alert log."
                )
            return self._opening
        if answer.request is not None:
            self._request = answer.request
        return self._offer_log()

    def _offer_log(self) -> str | None:
        request = self._request
        if request is None:
            raise PreconditionError("Recovery refused a log before it asked for one.")
        for path in self._find_logs(request):
            if (request, path) not in self._rejected:
                self._offered = path
                return f"ALTER DATABASE RECOVER LOGFILE {quote_literal(path)}"
        self._cancel()
        if self._target.until_cancel:
            self._report.cancelled = True
            return None
        missing = {"thread": request.thread, "sequence": request.sequence, "scn": request.scn}
        wanted = f"thread {request.thread}, sequence {request.sequence}, SCN {request.scn}"
        raise PreconditionError(
            f"Recovery needs redo that was found nowhere: {wanted}.",
            hint="The database was not opened. Bring that archived log to the redo store or to an archive destination, "
            "under any name, and start the recovery again: it goes on where it stopped. If the log is lost for good, "
            "restore the set again with a target before that SCN, unless the set is complete only after it.",
            details={"missing_log": missing},
        )

    def _cancel(self) -> None:
        """End the session; with an UNTIL CANCEL recovery this is the regular end and may find files fuzzy."""
        try:
            self._gateway.execute("ALTER DATABASE RECOVER CANCEL")
        except OracleRefused as error:
            codes = error.oracle_error.codes if error.oracle_error else ()
            if understand(codes, str(error)).meaning is Meaning.NOT_CONSISTENT and self._target.until_cancel:
                raise self._not_consistent(error) from error
            # otherwise the missing log is the story, and it is told by the caller

    def _not_consistent(self, error: OracleRefused) -> BackupError:
        return VerificationError(
            f"Recovery stopped where the datafiles are not consistent: {error.message}",
            hint="The database was not opened. The end of the backup was not reached: restore again, with a later "
            "target or an older set.",
            oracle_error=error.oracle_error,
        )
