# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that keeps committing, and knows for each row what the database owes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import oracledb

from oracle_simulator.testing import SimulatedDatabase

ROWS = 300
NOTHING: Mapping[int, int] = dict.fromkeys(range(ROWS), 0)


class Load:
    """Updates its rows of table T one by one, a commit each: transaction n sets row n modulo ROWS to n.

    Several clients share the table, and its blocks, when each has rows of its own from ``first_row`` on.
    ``service`` is what it connects to: the database, one instance of it, or a pluggable database.

    Updates only, so that no block is formatted anew: a fractured block can then be repaired by nothing
    but a whole image in the redo.
    """

    def __init__(self, database: SimulatedDatabase, service: str | None = None, first_row: int = 0) -> None:
        self._database = database
        self._service = service
        self._first_row = first_row
        self._stop = threading.Event()
        self._progress = threading.Condition()
        self._thread: threading.Thread | None = None
        self.acknowledged: dict[int, int] = dict.fromkeys(self._rows, 0)
        self.attempted: dict[int, int] = dict.fromkeys(self._rows, 0)
        self.commits = 0
        self.error: oracledb.Error | None = None

    @property
    def _rows(self) -> range:
        return range(self._first_row, self._first_row + ROWS)

    def _connect(self) -> Any:
        return self._database.connect("APP", service=self._service)

    def create_table(self, tablespace: str = "USERS") -> None:
        """Make and fill the table; it is on disk when this returns."""
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE t (id NUMBER PRIMARY KEY, n NUMBER NOT NULL, pad VARCHAR2(100)) "
                f"TABLESPACE {tablespace}"
            )
        self.insert_rows()

    def insert_rows(self) -> None:
        """Put this client's rows in the table; they are on disk when this returns."""
        with self._connect() as connection, connection.cursor() as cursor:
            rows = [(row, 0, "x" * 80) for row in self._rows]
            cursor.executemany("INSERT INTO t (id, n, pad) VALUES (:1, :2, :3)", rows)
            connection.commit()
        self._database.sql("ALTER SYSTEM CHECKPOINT")

    def start(self) -> None:
        """Begin to work; returns after the first commits."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(self._connect(),), daemon=True)
        self._thread.start()
        self.wait_for(20)

    def stop(self) -> None:
        """End after the transaction in progress (or with the database's end)."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(20)

    def wait_for(self, commits: int, timeout_seconds: float = 60.0) -> None:
        """Return after that many more commits. Raises TimeoutError."""
        with self._progress:
            wanted = self.commits + commits
            if not self._progress.wait_for(lambda: self.commits >= wanted, timeout_seconds):
                raise TimeoutError(f"{wanted - self.commits} of {commits} commits missing ({self.error})")

    def stalled(self, seconds: float = 0.3, timeout_seconds: float = 60.0) -> bool:
        """Wait until no commit came for that long; False when they never ceased."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            before = self.commits
            time.sleep(seconds)
            if self.commits == before:
                return True
        return False

    def lost(self, rows: Mapping[int, int], since: Mapping[int, int] | None = None) -> list[int]:
        """Rows in which an acknowledged commit is missing (of all, or of those up to a moment)."""
        owed = self.acknowledged if since is None else since
        return [row for row, number in owed.items() if rows.get(row, -1) < number]

    def unexpected(self, rows: Mapping[int, int]) -> list[int]:
        """Rows in which stands what nobody ever wrote."""
        return [row for row, number in rows.items() if number > self.attempted.get(row, -1)]

    def _run(self, connection: Any) -> None:
        number = self.commits
        try:
            with connection.cursor() as cursor:
                while not self._stop.is_set():
                    number += 1
                    row = self._first_row + number % ROWS
                    self.attempted[row] = number
                    cursor.execute("UPDATE t SET n = :1 WHERE id = :2", [number, row])
                    connection.commit()
                    with self._progress:
                        self.acknowledged[row] = number
                        self.commits = number
                        self._progress.notify_all()
            connection.close()
        except oracledb.Error as error:
            self.error = error
