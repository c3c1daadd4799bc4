# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database small enough to see through, for tests of the wire: SQLite and some canned answers."""

from __future__ import annotations

import itertools
import re
import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import oracledb

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import (
    AdminMode,
    Bind,
    ClientInfo,
    Column,
    DataType,
    Result,
    SessionStatistics,
    Verifier,
)
from oracle_simulator.net.verifier import make_verifier

PASSWORD = "tiger"
SERVICE = "toypdb"

Connect = Callable[..., oracledb.Connection]
"""Connects with the given options on top of good ones."""

Handler = Callable[["ToySession", Sequence[Bind], Sequence[Sequence[Any]]], Result]


@dataclass
class Execution:
    """One call of ``Session.execute`` as it arrived."""

    sql: str
    binds: list[Bind]
    rows: list[list[Any]]


@dataclass
class ToyDatabase:
    """``answers`` maps statements to what they give; other statements go to SQLite."""

    answers: dict[str, Handler] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    sessions: list[ToySession] = field(default_factory=list)
    refuse_with: int | None = None
    open_error: OracleError | None = None
    verifiers: dict[tuple[str, AdminMode], Verifier] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(11))

    def __post_init__(self) -> None:
        cheap = make_verifier(PASSWORD, rounds=16)
        self.verifiers.update({("SCOTT", AdminMode.NORMAL): cheap, ("Mixed", AdminMode.NORMAL): cheap})
        for mode in (AdminMode.SYSDBA, AdminMode.SYSOPER, AdminMode.SYSBACKUP):
            self.verifiers["SYS", mode] = cheap

    def refusal(self, service_name: str | None, sid: str | None) -> int | None:
        if self.refuse_with is not None:
            return self.refuse_with
        if sid is not None:
            return None if sid.upper() == "TOY" else 12505
        return None if service_name == SERVICE else 12514

    def has_dispatchers(self) -> bool:
        return False

    def verifier(self, user: str, mode: AdminMode, client: ClientInfo) -> Verifier | None:
        return self.verifiers.get((user, mode))

    def open_session(self, user: str, mode: AdminMode, client: ClientInfo) -> ToySession:
        if self.open_error is not None:
            raise self.open_error
        session = ToySession(self, user, mode, client)
        self.sessions.append(session)
        return session

    def session_parameters(self) -> dict[str, str]:
        return {"AUTH_SC_DBUNIQUE_NAME": "TOYDB", "AUTH_SC_SERVICE_NAME": SERVICE, "AUTH_INSTANCENAME": "toy"}

    def version(self) -> tuple[int, int, int, int, int]:
        return (19, 22, 0, 0, 0)


class ToySession:
    """A session with an SQLite database of its own."""

    def __init__(self, database: ToyDatabase, user: str, mode: AdminMode, client: ClientInfo) -> None:
        self.database = database
        self.user = user
        self.mode = mode
        self.client = client
        self.session_id = next(database.numbers)
        self.serial = 7
        self.attributes: dict[str, str] = {}
        self.statistics = SessionStatistics()
        self.schema = user
        self.log: list[str] = []
        self.closed = threading.Event()
        self.running = threading.Event()
        self.cancelled = threading.Event()
        self.cancel_asked = threading.Event()
        self._store = sqlite3.connect(":memory:", check_same_thread=False, isolation_level="DEFERRED")

    @property
    def in_transaction(self) -> bool:
        return self._store.in_transaction

    def execute(
        self,
        sql: str,
        binds: Sequence[Bind],
        rows: Sequence[Sequence[Any]],
        *,
        collect_errors: bool = False,
    ) -> Result:
        self.database.executions.append(Execution(sql, list(binds), [list(row) for row in rows]))
        if handler := self.database.answers.get(sql):
            return handler(self, binds, rows)
        if sql.upper().startswith("ALTER SESSION"):
            return Result()
        return self._sqlite(sql, rows)

    def _sqlite(self, sql: str, rows: Sequence[Sequence[Any]]) -> Result:
        text = re.sub(r":\w+", "?", re.sub(r"(?i)\s+from dual", "", sql))
        try:
            if len(rows) > 1:
                cursor = self._store.executemany(text, rows)
            else:
                cursor = self._store.execute(text, rows[0] if rows else [])
        except sqlite3.IntegrityError:
            raise OracleError(1, "unique constraint (SCOTT.T_PK) violated") from None
        except sqlite3.OperationalError as error:
            name = str(error).rpartition(": ")[2]
            raise OracleError(942, "table or view does not exist", offset=sql.find(name)) from None
        if cursor.description is None:
            return Result(row_count=max(cursor.rowcount, 0))
        fetched = cursor.fetchall()
        columns = []
        for place, item in enumerate(cursor.description):
            is_text = any(isinstance(row[place], str) for row in fetched)
            kind = DataType.VARCHAR2 if is_text else DataType.NUMBER
            columns.append(Column(item[0].upper(), kind, 4000 if is_text else 22, 0, 0 if is_text else -127))
        return Result(columns, iter(fetched))

    def describe(self, sql: str) -> Sequence[Column]:
        return self.execute(sql, [], []).columns or []

    def ping(self) -> None:
        """Always there."""

    def commit(self) -> None:
        self.log.append("commit")
        self._store.commit()

    def rollback(self) -> None:
        self.log.append("rollback")
        self._store.rollback()

    def set_attributes(self, attributes: dict[str, str]) -> None:
        self.attributes.update(attributes)

    def set_current_schema(self, name: str) -> None:
        self.schema = name

    def set_context(self, namespace: str, values: dict[str, str], clear: bool) -> None:
        self.log.append(f"context {namespace} {values} {clear}")

    def change_password(self, user: str, old: str, new: str) -> None:
        self.log.append(f"password of {user}: {old}, {new}")

    def write_lob(self, origin: Hashable, content: str | bytes) -> None:
        self.log.append(f"write {origin}: {content!r}")

    def cancel(self) -> None:
        self.log.append("cancel")
        self.cancel_asked.set()
        if self.running.is_set():
            self.cancelled.set()

    def wait_for_cancel(self) -> None:
        """What a long statement does."""
        self.cancelled.clear()
        self.running.set()
        try:
            if not self.cancelled.wait(60):
                raise AssertionError("the statement was never cancelled")
        finally:
            self.running.clear()
        raise OracleError(1013, "user requested cancel of current operation")

    def close(self) -> None:
        self._store.close()
        self.closed.set()


def rows_of(columns: Sequence[Column], *rows: Sequence[Any]) -> Handler:
    """A handler that always gives these rows."""
    return lambda _session, _binds, _rows: Result(columns, iter(rows))


def failing(error: OracleError) -> Handler:
    def handler(_session: ToySession, _binds: Sequence[Bind], _rows: Sequence[Sequence[Any]]) -> Result:
        raise error

    return handler


def sleeping(session: ToySession, _binds: Sequence[Bind], _rows: Sequence[Sequence[Any]]) -> Result:
    """A handler for a statement that ends only when it is cancelled."""
    session.wait_for_cancel()
    return Result()
