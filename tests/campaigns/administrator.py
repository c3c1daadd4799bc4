# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DBA's session beside the load: backup mode, log switches, checkpoints, and changes of structure."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import oracledb

from .workload import is_gone

_BACKED_UP = ("USERS", "DATA", "SYSTEM", "UNDOTBS1")
_MOST_SCRATCH = 4


@dataclass
class Administrator:
    """Does one thing after the other until the database goes away; what it does follows from ``chance``."""

    chance: Random
    problems: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    thread: threading.Thread | None = None

    def start(self, connection: Any) -> None:
        self.thread = threading.Thread(target=self._run, args=(connection,), name="administrator")
        self.thread.start()

    def join(self) -> None:
        if self.thread is not None:
            self.thread.join()

    def _run(self, connection: Any) -> None:
        deeds = (
            self._switch, self._archive, self._checkpoint, self._back_up_tablespace, self._back_up_tablespace,
            self._back_up_database, self._back_up_control_file, self._new_tablespace, self._drop_tablespace,
            self._grow, self._quiet, self._table,
        )  # fmt: skip
        try:
            with connection.cursor() as cursor:
                while True:
                    deed: Callable[[Any], None] = self.chance.choice(deeds)
                    deed(cursor)
        except oracledb.Error as error:
            if not is_gone(error):
                self.problems.append(f"administrator, after {self.done[-1:]}: {error}")

    def _do(self, cursor: Any, statement: str) -> None:
        self.done.append(statement)
        cursor.execute(statement)

    def _switch(self, cursor: Any) -> None:
        self._do(cursor, "ALTER SYSTEM SWITCH LOGFILE")

    def _archive(self, cursor: Any) -> None:
        self._do(cursor, "ALTER SYSTEM ARCHIVE LOG CURRENT")

    def _checkpoint(self, cursor: Any) -> None:
        self._do(cursor, "ALTER SYSTEM CHECKPOINT")

    def _back_up_tablespace(self, cursor: Any) -> None:
        name = self.chance.choice(_BACKED_UP)
        self._do(cursor, f"ALTER TABLESPACE {name} BEGIN BACKUP")
        if self.chance.random() < 0.5:
            self._switch(cursor)
        self._do(cursor, f"ALTER TABLESPACE {name} END BACKUP")

    def _back_up_database(self, cursor: Any) -> None:
        self._do(cursor, "ALTER DATABASE BEGIN BACKUP")
        self._do(cursor, "ALTER DATABASE END BACKUP")

    def _back_up_control_file(self, cursor: Any) -> None:
        cursor.execute("SELECT name FROM v$controlfile")
        (first, *_others) = (name for (name,) in cursor)
        self._do(cursor, f"ALTER DATABASE BACKUP CONTROLFILE TO '{first}.copy' REUSE")

    def _scratch(self, cursor: Any) -> list[str]:
        cursor.execute("SELECT tablespace_name FROM dba_tablespaces WHERE tablespace_name LIKE 'SCRATCH%'")
        return sorted(name for (name,) in cursor)

    def _new_tablespace(self, cursor: Any) -> None:
        present = self._scratch(cursor)
        if len(present) >= _MOST_SCRATCH:
            return
        name = f"SCRATCH{next(n for n in range(9) if f'SCRATCH{n}' not in present)}"
        cursor.execute("SELECT name FROM v$datafile WHERE file# = 1")
        folder = cursor.fetchone()[0].rpartition("/")[0]
        # REUSE: a file that a killed session was just making may be there.
        self._do(cursor, f"CREATE TABLESPACE {name} DATAFILE '{folder}/{name.lower()}.dbf' SIZE 2M REUSE")
        if self.chance.random() < 0.5:
            self._do(cursor, f"CREATE TABLE t_{name} (n NUMBER) TABLESPACE {name}")
            cursor.execute(f"INSERT INTO t_{name} VALUES (1)")
            cursor.execute("COMMIT")

    def _drop_tablespace(self, cursor: Any) -> None:
        present = self._scratch(cursor)
        if present:
            name = self.chance.choice(present)
            self._do(cursor, f"DROP TABLESPACE {name} INCLUDING CONTENTS AND DATAFILES")

    def _grow(self, cursor: Any) -> None:
        present = self._scratch(cursor)
        if present:
            size = self.chance.choice(("2M", "3M", "4M"))
            name = self.chance.choice(present)
            cursor.execute("SELECT file_id FROM dba_data_files WHERE tablespace_name = :1", [name])
            self._do(cursor, f"ALTER DATABASE DATAFILE {cursor.fetchone()[0]} RESIZE {size}")

    def _quiet(self, cursor: Any) -> None:
        cursor.execute("SELECT status FROM dba_tablespaces WHERE tablespace_name = 'QUIET'")
        match cursor.fetchone()[0]:
            case "READ ONLY":
                self._do(cursor, "ALTER TABLESPACE QUIET READ WRITE")
            case "OFFLINE":
                self._do(cursor, "ALTER TABLESPACE QUIET ONLINE")
            case _:
                how = self.chance.choice(("READ ONLY", "OFFLINE NORMAL"))
                self._do(cursor, f"ALTER TABLESPACE QUIET {how}")

    def _table(self, cursor: Any) -> None:
        cursor.execute("SELECT COUNT(*) FROM dba_tables WHERE table_name = 'PASSING'")
        if cursor.fetchone()[0]:
            self._do(cursor, "DROP TABLE passing")
        else:
            self._do(cursor, "CREATE TABLE passing (n NUMBER) TABLESPACE data")
