# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From restored files to an open database: control file, media recovery, open, tempfiles.

Every step looks at the database first, so an interrupted recovery is simply started again.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.control_script import (
    create_controlfile_statement,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    OracleRefused,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import Manifest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.restore_plan import ControlFileMethod
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import move_aside
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.log_search import (
    FoundLog,
    files_below,
    search_logs,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.quoting import (
    quote_identifier,
    quote_literal,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.recovery import (
    Recovery,
    RecoveryTarget,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.recovery_answer import (
    DataFileNamed,
    LogRequest,
)

NOTHING_TO_ARCHIVE = 271
OFFLINE_NORMAL = "OFFLINE NORMAL"


@dataclass
class RecoveryOutcome:
    """What was done; the module's result."""

    changed: bool = False
    method: str = ""
    applied_logs: list[str] = field(default_factory=list)
    created_files: list[str] = field(default_factory=list)
    renamed_files: list[str] = field(default_factory=list)
    added_tempfiles: list[str] = field(default_factory=list)
    recovered_to_scn: int | None = None
    resetlogs: bool = False
    opened: bool = False
    open_mode: str = ""


class DatabaseRecovery:
    """Recover and open one database whose files are in their places."""

    def __init__(
        self,
        gateway: Gateway,
        layout: SetLayout,
        manifest: Manifest,
        target: RecoveryTarget,
        method: ControlFileMethod,
        warn: Callable[[str], None],
    ) -> None:
        self._gateway = gateway
        self._layout = layout
        self._manifest = manifest
        self._target = target
        self._method = method
        self._warn = warn
        self._outcome = RecoveryOutcome(method=method.value)
        self._offline_tablespaces: dict[str, None] = {}

    def run(self, *, open_database: bool) -> RecoveryOutcome:
        """Do what is still to be done. Raises PreconditionError, VerificationError, OracleRefused, BackupError."""
        status = self._instance_status()
        if status == "OPEN":
            return self._already_open()
        if status == "STARTED":
            self._make_control_file()
        self._check_identity()
        self._recover()
        if open_database:
            self._open()
            self._finish_open()
        self._outcome.open_mode = self._open_mode()
        self._outcome.changed = True
        return self._outcome

    # -- where things stand -------------------------------------------------------------------------

    def _instance_status(self) -> str:
        return str(self._gateway.query_one("SELECT status FROM v$instance")["status"])

    def _open_mode(self) -> str:
        return str(self._gateway.query_one("SELECT open_mode FROM v$database")["open_mode"])

    def _already_open(self) -> RecoveryOutcome:
        """Being open is the goal of complete recovery; of an incomplete one it says nothing."""
        if not self._target.complete:
            raise PreconditionError(
                "The database is open; recovery to a point in time needs it mounted, with its files restored."
                " Nothing was changed.",
                hint="If an earlier recovery opened it, there is nothing left to do. To go back, and lose what was"
                " committed since: mount it (module instance), run datafile_restore with the same target, then this"
                " again. The restore role does all of it.",
            )
        # an earlier attempt may have ended between opening the database and these steps
        if self._open_mode() == "READ WRITE":
            self._finish_open()
        broken = [row["file#"] for row in self._files_needing_recovery()]
        if broken:
            numbers = ", ".join(map(str, broken))
            raise PreconditionError(
                f"The database is open, but its datafiles {numbers} need recovery.",
                hint="Mount it (module instance, state=mounted) and run this again to recover the whole database.",
            )
        self._outcome.opened = True
        self._outcome.open_mode = self._open_mode()
        self._outcome.changed = bool(self._outcome.renamed_files or self._outcome.added_tempfiles)
        return self._outcome

    def _files_needing_recovery(self) -> list[dict[str, object]]:
        rows = self._gateway.query("SELECT file#, error FROM v$recover_file")
        return [row for row in rows if row["error"] != OFFLINE_NORMAL]

    def _check_identity(self) -> None:
        row = self._gateway.query_one("SELECT dbid, name FROM v$database")
        expected = self._manifest.database.dbid
        if row["dbid"] != expected:
            raise PreconditionError(
                f"The mounted database {row['name']} has DBID {row['dbid']}; set {self._manifest.set_id} is of"
                f" {self._manifest.database.name}, DBID {expected}. Nothing was changed.",
                hint="Check where the connection leads (login_host, login_service), or choose a set of this database.",
            )

    # -- control file -------------------------------------------------------------------------------

    def _make_control_file(self) -> None:
        if self._method is not ControlFileMethod.CREATE:
            raise PreconditionError(
                f"The instance has no database mounted, and control_file_method={self._method.value} needs one."
                " Nothing was changed.",
                hint="Mount it: module instance with state=mounted.",
            )
        script = self._layout.noresetlogs_script.read_text(encoding="utf-8")
        self._gateway.execute(create_controlfile_statement(script))

    # -- recovery -----------------------------------------------------------------------------------

    def _recover(self) -> None:
        recreated = self._make_lost_files_anew()
        recovery = Recovery(
            self._gateway,
            self._target,
            LogFinder(self._log_places(), self._manifest.database.dbid).find,
            self._add_unknown_file,
            self._take_offline,
            using_backup_control_file=self._control_file_type() == "BACKUP",
        )
        with self._gateway.call_timeout(0):  # applying one log takes as long as it takes
            report = recovery.run()
        self._outcome.applied_logs = report.applied_logs
        self._outcome.created_files = [*recreated, *report.created_files]
        self._outcome.recovered_to_scn = self._prove_consistent()

    def _control_file_type(self) -> str:
        return str(self._gateway.query_one("SELECT controlfile_type FROM v$database")["controlfile_type"])

    def _log_places(self) -> list[str]:
        """Redo store, every local archive destination, every online member: headers decide among them."""
        destinations = self._gateway.query(
            "SELECT destination FROM v$archive_dest WHERE destination IS NOT NULL AND target IN ('PRIMARY', 'LOCAL')"
        )
        folders = [str(self._layout.redo_folder), *(row["destination"] for row in destinations)]
        members = [row["member"] for row in self._gateway.query("SELECT member FROM v$logfile")]
        return [*files_below(dict.fromkeys(folders)), *members]

    def _make_lost_files_anew(self) -> list[str]:
        """Files that were added after the set was made and are lost: all their redo is there, since their birth."""
        rows = self._gateway.query(
            "SELECT d.file#, d.name, d.creation_change# FROM v$recover_file r JOIN v$datafile d ON d.file# = r.file#"
            " WHERE r.error = 'FILE NOT FOUND' AND d.creation_change# > :begin_scn ORDER BY d.file#",
            begin_scn=self._manifest.begin_scn,
        )
        for row in rows:
            place = quote_literal(row["name"])
            self._gateway.execute(f"ALTER DATABASE CREATE DATAFILE {place} AS {place}")
        return [row["name"] for row in rows]

    def _add_unknown_file(self, data_file: DataFileNamed) -> None:
        """Redo created a file that the control file does not know: name the one that is there, or make it anew."""
        row = self._gateway.query_one(
            "SELECT name FROM v$datafile WHERE file# = :file_number", file_number=data_file.file_number
        )
        unnamed, place = quote_literal(row["name"]), quote_literal(data_file.path)
        if Path(data_file.path).is_file() and self._is_not_too_new(data_file):
            self._gateway.execute(f"ALTER DATABASE RENAME FILE {unnamed} TO {place}")
        else:
            self._set_aside(data_file.path)
            self._gateway.execute(f"ALTER DATABASE CREATE DATAFILE {unnamed} AS {place}")

    def _is_not_too_new(self, data_file: DataFileNamed) -> bool:
        """Whether redo can bring the file to the target: one that the set doesn't hold may be beyond it."""
        restored = any(
            (item.file_number, item.source) == (data_file.file_number, data_file.path)
            for item in self._manifest.files
        )
        return restored or self._target.complete

    def _set_aside(self, path: str) -> None:
        if not Path(path).exists():
            return
        aside = f"{path}.before_{datetime.now(timezone.utc):%Y%m%dT%H%M%S.%fZ}"
        move_aside(path, aside)
        self._warn(f"{path} was beyond the target: it is {aside} now, and was made anew from redo.")

    def _take_offline(self, data_file: DataFileNamed) -> None:
        row = self._gateway.query_one(
            "SELECT t.name FROM v$datafile d JOIN v$tablespace t ON t.ts# = d.ts# AND t.con_id = d.con_id"
            " WHERE d.file# = :file_number",
            file_number=data_file.file_number,
        )
        self._gateway.execute(f"ALTER DATABASE DATAFILE {data_file.file_number} OFFLINE")
        self._offline_tablespaces[row["name"]] = None

    def _prove_consistent(self) -> int | None:
        """After recovery no online file may be fuzzy; returns the SCN they were recovered to."""
        rows = self._gateway.query(
            "SELECT h.file#, h.fuzzy, h.error, h.checkpoint_change#, d.enabled"
            " FROM v$datafile_header h JOIN v$datafile d ON d.file# = h.file# WHERE h.status = 'ONLINE'"
        )
        bad = [row["file#"] for row in rows if row["fuzzy"] == "YES" or row["error"] is not None]
        if bad:
            raise VerificationError(
                f"Recovery ended, but datafiles {', '.join(map(str, bad))} are not consistent."
                " The database was not opened.",
                hint="V$DATAFILE_HEADER shows which are FUZZY. Restore again, with a later target or an older set.",
            )
        scns = [row["checkpoint_change#"] for row in rows if row["enabled"] == "READ WRITE"]
        return max(scns, default=None)

    # -- open ---------------------------------------------------------------------------------------

    def _open(self) -> None:
        if self._method is ControlFileMethod.CREATE:
            self._archive_all()
        self._outcome.resetlogs = not self._target.complete or self._control_file_type() == "BACKUP"
        self._gateway.execute("ALTER DATABASE OPEN" + (" RESETLOGS" if self._outcome.resetlogs else ""))
        self._outcome.opened = True

    def _finish_open(self) -> None:
        """What an open database may still lack after CREATE CONTROLFILE or a backup control file."""
        self._name_missing_files()
        self._bring_online()
        self._add_tempfiles()

    def _archive_all(self) -> None:
        """A new control file does not know which online logs were archived."""
        try:
            self._gateway.execute("ALTER SYSTEM ARCHIVE LOG ALL")
        except OracleRefused as error:
            if error.oracle_error is None or NOTHING_TO_ARCHIVE not in error.oracle_error.codes:
                raise

    def _name_missing_files(self) -> None:
        """CREATE CONTROLFILE leaves read-only and offline-normal files out; they come back as MISSINGnnnnn."""
        rows = self._gateway.query("SELECT file#, name FROM v$datafile WHERE name LIKE '%MISSING0%'")
        by_number = {item.file_number: item for item in self._manifest.files}
        for row in rows:
            known = by_number.get(row["file#"])
            if known is None or not Path(known.source).is_file():
                self._warn(
                    f"Datafile {row['file#']} is known only as {row['name']}; it is in no place the set names."
                )
                continue
            self._gateway.execute(
                f"ALTER DATABASE RENAME FILE {quote_literal(row['name'])} TO {quote_literal(known.source)}"
            )
            self._outcome.renamed_files.append(known.source)
            self._offline_tablespaces[known.tablespace] = None

    def _bring_online(self) -> None:
        """Read-only tablespaces that were left out of the recovery."""
        for name in self._offline_tablespaces:
            self._gateway.execute(f"ALTER TABLESPACE {quote_identifier(name)} ONLINE")

    def _add_tempfiles(self) -> None:
        known = {row["name"] for row in self._gateway.query("SELECT name FROM v$tempfile")}
        for item in self._manifest.tempfiles:
            if item.path in known:
                continue
            extend = " AUTOEXTEND ON" if item.autoextend else ""
            self._gateway.execute(
                f"ALTER TABLESPACE {quote_identifier(item.tablespace)} ADD TEMPFILE {quote_literal(item.path)}"
                f" SIZE {item.size_bytes} REUSE{extend}"
            )
            self._outcome.added_tempfiles.append(item.path)


class LogFinder:
    """Answers recovery's requests from the logs' own headers; reads each header once."""

    def __init__(self, paths: Iterable[str], dbid: int) -> None:
        self._paths = list(paths)
        self._dbid = dbid
        self._logs: list[FoundLog] | None = None

    def find(self, request: LogRequest) -> Sequence[str]:
        """Paths of logs of the thread that hold the SCN asked for; of equal ones the archived first."""
        if self._logs is None:
            self._logs = search_logs(self._paths, self._dbid)
        found = [
            log
            for log in self._logs
            if log.header.thread == request.thread
            and (request.sequence is None or log.header.sequence == request.sequence)
            and log.holds(request.scn)
        ]
        newest_first = sorted(found, key=lambda log: (-log.header.resetlogs_id, log.header.next_scn is None))
        return [log.path for log in newest_first]
