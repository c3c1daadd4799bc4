# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scene of an orchestration: one database, the folder of its backup, and what its client remembers."""

from __future__ import annotations

import contextlib
import copy
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import oracledb

from oracle_simulator.program.local_socket import LocalError, NoInstance
from oracle_simulator.testing import SimulatedDatabase

from ..dba import PATIENCE_SECONDS, Refused, codes_of, damage, wait_until

ROWS = 300
STRIDE = 67  # without a common divisor with ROWS: a batch touches every block of the table
BATCH = 12
TABLE_OF = {"USERS": "t", "OLD": "o", "FRESH": "f"}


@dataclass
class Memory:
    """What those at work remember, outside the database.

    ``batches``: name to the (table, row) pairs of the commits the client was told had worked. ``notes``: what
    the operator wrote down (SCNs and the like).
    """

    batches: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def commits(self) -> int:
        return sum(len(rows) for rows in self.batches.values())


class Scene:
    """Everything a step may use. One scene serves many orchestrations, one after the other."""

    def __init__(self, folder: Path, spec: Mapping[str, Any]) -> None:
        self.folder = folder
        self.database = SimulatedDatabase(folder, "ORCL", spec)
        self.kept = folder / "kept"
        self.memory = Memory()
        self._sessions: dict[str, Any] = {}

    # ------------------------------------------------------------ one orchestration after the other

    def keep_as(self, snapshot: Path) -> Memory:
        """A copy of all files while the instance is down; returns the memory that goes with it."""
        shutil.copytree(self.folder, snapshot, ignore=shutil.ignore_patterns("*.sock"))
        return copy.deepcopy(self.memory)

    def go_back_to(self, snapshot: Path, memory: Memory) -> None:
        """End what is running, and have the files as they were."""
        self.forget_sessions()
        self.database.crash()
        shutil.rmtree(self.folder)
        shutil.copytree(snapshot, self.folder)
        self.memory = copy.deepcopy(memory)

    def forget_sessions(self) -> None:
        """The instance is gone, and with it all sessions."""
        self._sessions.clear()

    # ------------------------------------------------------------ statements

    def session(self, user: str = "SYS") -> Any:
        """The session of a user, kept as long as the instance lives."""
        if user not in self._sessions:
            try:
                self._sessions[user] = self.database.connect(user)
            except oracledb.Error as error:
                raise Refused(codes_of(error), str(error)) from None
        return self._sessions[user]

    def execute(self, statement: str, user: str = "SYS") -> None:
        """One statement. Raises Refused."""
        with self.session(user).cursor() as cursor:
            try:
                cursor.execute(statement)
            except oracledb.Error as error:
                raise Refused(codes_of(error), str(error)) from None

    def query(self, statement: str, user: str = "SYS") -> list[tuple[Any, ...]]:
        """The rows of a query. Raises Refused."""
        with self.session(user).cursor() as cursor:
            try:
                return list(cursor.execute(statement))
            except oracledb.Error as error:
                raise Refused(codes_of(error), str(error)) from None

    def number(self, statement: str) -> int:
        """The one number a query returns."""
        return int(self.query(statement)[0][0])

    # ------------------------------------------------------------ the client

    def work(self, batch: str, tablespace: str = "USERS") -> None:
        """Some commits, each of a row of its own; all of them acknowledged when this returns. Raises Refused."""
        table = TABLE_OF[tablespace]
        done = self.memory.batches.setdefault(batch, [])
        session = self.session("APP")
        with session.cursor() as cursor:
            for _commit in range(BATCH):
                row = self.memory.commits * STRIDE % ROWS
                try:
                    cursor.execute(f"UPDATE {table} SET n = 1 WHERE id = :1", [row])
                    session.commit()
                except oracledb.Error as error:
                    raise Refused(codes_of(error), str(error)) from None
                done.append((table, row))

    def load(self, statement: str) -> None:
        """One large change of the application, committed; it is in no batch. Raises Refused."""
        self.execute(statement, "APP")
        self.session("APP").commit()

    def create_table(self, tablespace: str) -> None:
        """The application's table in a tablespace, with all rows it will ever have."""
        table = TABLE_OF[tablespace]
        with self.session("APP").cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE {table} (id NUMBER PRIMARY KEY, n NUMBER NOT NULL, pad VARCHAR2(100)) "
                f"TABLESPACE {tablespace}"
            )
            rows = [(row, 0, "x" * 80) for row in range(ROWS)]
            cursor.executemany(f"INSERT INTO {table} (id, n, pad) VALUES (:1, :2, :3)", rows)
        self.session("APP").commit()

    def read_all(self, table: str) -> None:
        """Read a whole table as the application does. Raises Refused."""
        self.query(f"SELECT * FROM {table}", "APP")

    def gone(self) -> set[str]:
        """The batches of which commits are missing. A batch is gone as a whole, and nothing is there that nobody wrote:
        AssertionError otherwise. Raises Refused when the rows cannot be read."""
        tables = {table for rows in self.memory.batches.values() for table, _row in rows}
        written = {
            (table, row)
            for table in sorted(tables)
            for (row,) in self.query(f"SELECT id FROM {table} WHERE n = 1", "APP")
        }
        missing = {name for name, rows in self.memory.batches.items() if not written.issuperset(rows)}
        for name in missing:
            assert written.isdisjoint(self.memory.batches[name]), f"of batch {name!r} a part is there"
        assert written == {
            pair for name, rows in self.memory.batches.items() if name not in missing for pair in rows
        }, "rows that were never acknowledged"
        return missing

    # ------------------------------------------------------------ files

    def path_of(self, tablespace: str) -> Path:
        """The first datafile of a tablespace."""
        return self.database.datafile(tablespace)

    def copy_of(self, path: Path) -> Path:
        """Where the backup keeps the copy of a datafile."""
        return self.kept / "datafiles" / path.name

    @property
    def control_copy(self) -> Path:
        """Where the backup keeps the control file."""
        return self.kept / "control.ctl"

    @property
    def kept_logs(self) -> Path:
        """Where the backup keeps archived logs."""
        return self.kept / "redo"

    @property
    def words(self) -> dict[str, object]:
        """What a statement may name: folders, and what was noted."""
        return {**self.memory.notes, "datafiles": self.database.home.datafile_folder, "kept": self.kept}

    def datafiles(self) -> list[Path]:
        """Every datafile by the control file, in the order of their numbers."""
        return [Path(name) for (name,) in self.query("SELECT name FROM v$datafile ORDER BY file#")]

    def file_number(self, tablespace: str) -> int:
        """FILE# of the first datafile."""
        return self.number(f"SELECT file# FROM v$datafile WHERE name = '{self.path_of(tablespace)}'")

    @contextlib.contextmanager
    def writer_held(self, tablespace: str) -> Iterator[int]:
        """The database writer stands between the two pieces of a block; yields the block's number."""

        def write_all() -> None:
            with contextlib.suppress(NoInstance, LocalError):
                self.database.sql("ALTER SYSTEM CHECKPOINT")

        self.database.fault(hold_file=self.file_number(tablespace), seconds=PATIENCE_SECONDS)
        checkpoint = threading.Thread(target=write_all)
        checkpoint.start()
        try:
            yield wait_until(lambda: self.database.status()["held"], "the writer was never held")[1]
        finally:
            with contextlib.suppress(NoInstance):
                self.database.fault(release=True)
            checkpoint.join(PATIENCE_SECONDS)

    def copy_torn(self, tablespace: str) -> None:
        """A copy that is certain to hold a fractured block."""
        path = self.path_of(tablespace)
        with self.writer_held(tablespace) as block:
            shutil.copyfile(path, self.copy_of(path))
        assert damage(self.copy_of(path), block) == "fractured"

    # ------------------------------------------------------------ recovery

    def feed(self, statement: str, cancels: bool = True) -> None:
        """Answer each request for a log with the kept one. When there is none: CANCEL, or leave it at that.
        Raises Refused."""
        while True:
            try:
                self.execute(statement)
                return
            except Refused as refused:
                if refused.codes[0] != 279:
                    raise
                wanted = re.search(r"ORA-00289: suggestion : (\S+)", str(refused))
                assert wanted is not None, f"no suggestion in {refused}"
                log = self.kept_logs / Path(wanted[1]).name
                if not (cancels or log.exists()):
                    raise
                answer = (
                    f"ALTER DATABASE RECOVER LOGFILE '{log}'"
                    if log.exists()
                    else "ALTER DATABASE RECOVER CANCEL"
                )
                assert answer != statement, f"asked again for {log}"
                statement = answer


def flip_a_bit(path: Path, at: int) -> None:
    """One bit of the byte ``at`` an offset."""
    with path.open("r+b") as stream:
        stream.seek(at)
        (byte,) = stream.read(1)
        stream.seek(at)
        stream.write(bytes([byte ^ 1]))
