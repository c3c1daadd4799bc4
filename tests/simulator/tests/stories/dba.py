# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DBA at work on one database: the single steps of backups and restores, right ones and wrong ones.

Copies are plain copies of the operating system's. Statements go over the wire as SYS. Where the database
refuses, a step raises :class:`Refused` with all codes of the error stack.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import oracledb

from oracle_simulator.program.local_socket import NoInstance
from oracle_simulator.storage.block import examine
from oracle_simulator.testing import SimulatedDatabase

from .load import Load

BLOCK_SIZE = 8192
PATIENCE_SECONDS = 60.0


class Refused(Exception):
    """The database said no."""

    def __init__(self, codes: tuple[int, ...], message: str) -> None:
        self.codes = codes
        super().__init__(message)


def codes_of(error: oracledb.Error) -> tuple[int, ...]:
    """Every ORA- code of the stack, topmost first."""
    return tuple(int(code) for code in re.findall(r"ORA-(\d{5})", str(error)))


def damage(path: Path, block: int) -> str | None:
    """What is wrong with a block of a file, None when it is sound."""
    with path.open("rb") as stream:
        stream.seek(block * BLOCK_SIZE)
        return examine(stream.read(BLOCK_SIZE))


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Poll until the condition holds; its value. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.01)
    return value


class Dba:
    """One database, the load on it, and the folder in which its backup is kept."""

    def __init__(self, database: SimulatedDatabase, kept: Path) -> None:
        self.database = database
        self.load = Load(database)
        self.kept = kept
        (kept / "datafiles").mkdir(parents=True)
        (kept / "redo").mkdir()
        self.owed: dict[int, int] | None = None
        self.begin_scn = 0
        self.end_scn = 0
        self._session: Any = None
        self.files: dict[int, tuple[Path, str]] = {}

    # ------------------------------------------------------------ statements

    @property
    def session(self) -> Any:
        """One session as SYS, kept as long as the instance lives."""
        if self._session is None:
            self._session = self.database.connect("SYS")
        return self._session

    def execute(self, statement: str) -> None:
        """One statement. Raises Refused."""
        with self.session.cursor() as cursor:
            try:
                cursor.execute(statement)
            except oracledb.Error as error:
                raise Refused(codes_of(error), str(error)) from None

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.session.cursor() as cursor:
            return list(cursor.execute(statement))

    def refusal(self, statement: str) -> tuple[int, ...]:
        """The codes with which a statement is refused; () when it is not."""
        try:
            self.execute(statement)
        except Refused as refused:
            return refused.codes
        return ()

    def rows(self) -> dict[int, int]:
        """The table of the load as APP sees it."""
        with self.database.connect("APP") as connection, connection.cursor() as cursor:
            return dict(cursor.execute("SELECT id, n FROM t").fetchall())

    def current_scn(self) -> int:
        """CURRENT_SCN."""
        return int(self.query("SELECT current_scn FROM v$database")[0][0])

    def incarnation(self) -> int:
        """RESETLOGS_CHANGE#."""
        return int(self.query("SELECT resetlogs_change# FROM v$database")[0][0])

    # ------------------------------------------------------------ before and between

    def start_load(self) -> None:
        """A table in USERS, and a client that works on it from now on."""
        self.load.create_table()
        self.load.start()

    def more_load(self) -> None:
        """Let some commits come after the backup."""
        self.load.wait_for(50)

    def find_files(self) -> dict[int, tuple[Path, str]]:
        """File number to path and tablespace, read-write tablespaces only."""
        self.files = {
            number: (Path(name), tablespace)
            for number, name, tablespace in self.query(
                "SELECT d.file#, d.name, t.name FROM v$datafile d JOIN v$tablespace t ON t.ts# = d.ts# "
                "WHERE d.enabled = 'READ WRITE' ORDER BY d.file#"
            )
        }
        return self.files

    # ------------------------------------------------------------ copies

    def copy(self, path: Path) -> None:
        """One datafile into the backup."""
        shutil.copyfile(path, self.kept / "datafiles" / path.name)

    @contextlib.contextmanager
    def writer_held(self, number: int) -> Iterator[int]:
        """The database writer stands between the two pieces of a block of this file; yields the block number.

        The instance may be dead when the context ends.
        """

        def write_all() -> None:
            with contextlib.suppress(NoInstance):
                self.database.sql("ALTER SYSTEM CHECKPOINT")

        self.database.fault(hold_file=number, seconds=PATIENCE_SECONDS)
        checkpoint = threading.Thread(target=write_all)
        checkpoint.start()
        try:
            held = wait_until(lambda: self.database.status()["held"], "the writer was never held")
            assert held[0] == number
            yield held[1]
        finally:
            with contextlib.suppress(NoInstance):
                self.database.fault(release=True)
            checkpoint.join(PATIENCE_SECONDS)

    def copy_torn(self, number: int, path: Path) -> None:
        """A copy that is certain to hold a fractured block."""
        with self.writer_held(number) as block:
            self.copy(path)
        assert damage(self.kept / "datafiles" / path.name, block) == "fractured"

    def rolling_windows(self) -> None:
        """BEGIN, copy, END, one tablespace after the other; a block of USERS is fractured in its copy."""
        for number, (path, tablespace) in self.find_files().items():
            self.execute(f'ALTER TABLESPACE "{tablespace}" BEGIN BACKUP')
            self._copy_under_load(number, path, tablespace)
            self.execute(f'ALTER TABLESPACE "{tablespace}" END BACKUP')
        self._note_scns()

    def _copy_under_load(self, number: int, path: Path, tablespace: str) -> None:
        self.load.wait_for(5)
        if tablespace == "USERS":
            self.copy_torn(number, path)
        else:
            self.copy(path)

    def _note_scns(self) -> None:
        self.begin_scn = int(self.query("SELECT MAX(change#) FROM v$backup")[0][0])
        self.end_scn = self.current_scn()

    # ------------------------------------------------------------ redo and control file

    def archive_log_current(self) -> None:
        """The barrier: what was committed before is in archived logs after."""
        owed = dict(self.load.acknowledged)
        self.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
        self.owed = owed

    def three_more_switches(self) -> None:
        """No online log holds the redo of the backup any more."""
        for _switch in range(3):
            self.load.wait_for(5)
            self.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")

    def archived_logs(self) -> list[Path]:
        """Complete archived logs, oldest first."""
        return [
            Path(name)
            for (name,) in self.query(
                "SELECT name FROM v$archived_log WHERE archived = 'YES' AND name IS NOT NULL ORDER BY sequence#"
            )
        ]

    def keep_archived_logs(self) -> None:
        """Copy them all."""
        for log in self.archived_logs():
            shutil.copyfile(log, self.kept / "redo" / log.name)

    def lose_an_archived_log(self) -> None:
        """The log that holds the END BACKUP records is gone, wherever it was."""
        rows = self.query(
            f"SELECT name FROM v$archived_log WHERE first_change# <= {self.end_scn} "
            f"AND next_change# > {self.end_scn}"
        )
        name = Path(rows[0][0])
        name.unlink()
        (self.kept / "redo" / name.name).unlink(missing_ok=True)

    @property
    def _control_copy(self) -> Path:
        return self.kept / "control.ctl"

    def backup_control_file(self) -> None:
        """ALTER DATABASE BACKUP CONTROLFILE."""
        self.execute(f"ALTER DATABASE BACKUP CONTROLFILE TO '{self._control_copy}' REUSE")

    def cp_control_file(self) -> None:
        """A copy of the live control file with cp."""
        shutil.copyfile(self.database.home.control_files[0], self._control_copy)

    # ------------------------------------------------------------ disasters

    def crash(self) -> None:
        """SIGKILL under load."""
        self._session = None
        self.database.crash()
        self.load.stop()

    def shut_down(self) -> None:
        """SHUTDOWN IMMEDIATE."""
        self.load.stop()
        self._session = None
        self.database.shutdown()

    def lose_datafiles(self) -> None:
        """All datafiles that were copied are deleted."""
        for path, _tablespace in self.files.values():
            path.unlink()

    def lose_everything_but_redo(self) -> None:
        """Datafiles and control files."""
        self.lose_datafiles()
        self.lose_control_files()

    def lose_control_files(self) -> None:
        """Every copy."""
        for path in self.database.home.control_files:
            path.unlink()

    def lose_everything(self) -> None:
        """Datafiles, control files, online and archived redo."""
        self.lose_everything_but_redo()
        for folder in (self.database.home.redo_folder, self.database.home.archive_folder):
            for path in folder.iterdir():
                path.unlink()

    # ------------------------------------------------------------ restores

    def put_datafiles_back(self) -> None:
        """From the backup to where they were."""
        for path, _tablespace in self.files.values():
            shutil.copyfile(self.kept / "datafiles" / path.name, path)

    def put_control_file_back(self) -> None:
        """To every path of the parameter control_files."""
        for path in self.database.home.control_files:
            shutil.copyfile(self._control_copy, path)

    def start_mounted(self) -> None:
        """STARTUP MOUNT."""
        self.database.start("mount")

    def recover_database(self) -> None:
        """Complete recovery. Raises Refused when it does not come to its end."""
        self.execute("ALTER DATABASE RECOVER AUTOMATIC DATABASE")

    def recover_until_cancel(self) -> None:
        """With a backup control file, through all archived logs that were kept."""
        self.feed("ALTER DATABASE RECOVER DATABASE UNTIL CANCEL USING BACKUP CONTROLFILE")

    def feed(self, statement: str) -> None:
        """Answer each request for a log with the kept one, CANCEL when there is none. Raises Refused."""
        while True:
            try:
                self.execute(statement)
                return
            except Refused as refused:
                if refused.codes[0] != 279:
                    raise
                wanted = re.search(r"ORA-00289: suggestion : (\S+)", str(refused))
                assert wanted is not None, f"no suggestion in {refused}"
                log = self.kept / "redo" / Path(wanted[1]).name
                cancel = log.name in statement or not log.exists()
                statement = "ALTER DATABASE RECOVER " + ("CANCEL" if cancel else f"LOGFILE '{log}'")

    def open(self) -> None:
        """ALTER DATABASE OPEN."""
        self.execute("ALTER DATABASE OPEN")

    def open_resetlogs(self) -> None:
        """ALTER DATABASE OPEN RESETLOGS."""
        self.execute("ALTER DATABASE OPEN RESETLOGS")
