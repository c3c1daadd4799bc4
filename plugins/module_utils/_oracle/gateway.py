# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One database session: queries in Python types, statements on record, the driver's errors in our own.

The connection is handed in, so a test can hand in another.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from types import TracebackType
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    ConnectionLost,
    OracleErrorInfo,
    OracleRefused,
    WaitTimeout,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.quoting import quote_identifier

CONTROL_FILE_CHANGED = 235
_ORA_CODE = re.compile(r"ORA-(\d{5})")
_HELP_LINE = re.compile(r"^\s*Help: https://\S*\s*$", re.MULTILINE)
_CALL_TIMED_OUT = "DPY-4024"
_LOST_DRIVER_CODES = frozenset({"DPY-4011", "DPY-1001", "DPI-1010", "DPI-1080"})
# The session is gone: killed, not logged on, shutdown in progress, end of file on the channel, lost contact.
_LOST_CODES = frozenset({28, 1012, 1089, 1092, 3113, 3114, 3135, 12570, 12571})
_QUERY_ATTEMPTS = 5
_FETCH_ROWS = 1000


class Gateway:
    """A session. Not for several threads at once, except :meth:`cancel`.

    ``statements`` lists what was executed beside queries, in order. ``driver_error`` is the base class of the
    driver's exceptions. ``target`` names the database in messages.
    """

    def __init__(
        self,
        connection: Any,
        driver_error: type[Exception],
        *,
        target: str = "the database",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.connection = connection
        self.statements: list[str] = []
        self.target = target
        self._driver_error = driver_error
        self._sleep = sleep

    def query(self, sql: str, **binds: Any) -> list[dict[str, Any]]:
        """Return all rows, keyed by lower-case column names; whole NUMBERs are int.

        A query of a control-file view that changed underneath (ORA-00235) is repeated, a bounded number of
        times. Raises OracleRefused, ConnectionLost or WaitTimeout.
        """
        for attempt in range(1, _QUERY_ATTEMPTS + 1):
            try:
                return self._fetch(sql, binds)
            except OracleRefused as exc:
                changed = exc.oracle_error is not None and CONTROL_FILE_CHANGED in exc.oracle_error.codes
                if not changed or attempt == _QUERY_ATTEMPTS:
                    raise
            self._sleep(0.1 * attempt)
        raise AssertionError("the loop returns or raises")

    def query_one(self, sql: str, **binds: Any) -> dict[str, Any]:
        """Return the only row; raises OracleRefused if there is not exactly one."""
        rows = self.query(sql, **binds)
        if len(rows) != 1:
            raise OracleRefused(f"Expected one row from {self.target}, found {len(rows)}: {sql}")
        return rows[0]

    def execute(self, sql: str) -> None:
        """Execute a statement without binds and record it. Raises as :meth:`query`.

        After ConnectionLost and WaitTimeout its outcome is unknown and must be read from the database.
        """
        self.statements.append(sql)
        self.configure(sql)

    def configure(self, sql: str) -> None:
        """Execute a statement that concerns this session alone, without recording it. Raises as
        :meth:`query`.
        """
        with self._translated(sql), self._cursor() as cursor:
            cursor.execute(sql)

    @contextlib.contextmanager
    def call_timeout(self, seconds: float) -> Iterator[None]:
        """Bound each round trip inside the block; 0 means no bound."""
        before = self.connection.call_timeout
        self.connection.call_timeout = round(seconds * 1000)
        try:
            yield
        finally:
            self.connection.call_timeout = before

    @contextlib.contextmanager
    def in_container(self, name: str | None) -> Iterator[None]:
        """Make a pluggable database the current container inside the block; None changes nothing."""
        if name is None:
            yield
            return
        self.configure(f"ALTER SESSION SET CONTAINER = {quote_identifier(name)}")
        try:
            yield
        finally:
            self.configure('ALTER SESSION SET CONTAINER = "CDB$ROOT"')

    def cancel(self) -> None:
        """Ask the database to stop what another thread is executing here."""
        with self._translated("cancel"):
            self.connection.cancel()

    def close(self) -> None:
        """End the session. A session that is gone already is no error: there is nothing left to end."""
        with contextlib.suppress(self._driver_error):
            self.connection.close()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fetch(self, sql: str, binds: dict[str, Any]) -> list[dict[str, Any]]:
        with self._translated(sql), self._cursor() as cursor:
            cursor.arraysize = _FETCH_ROWS
            cursor.execute(sql, binds)
            names = [column[0].lower() for column in cursor.description]
            return [dict(zip(names, map(_python_value, row))) for row in cursor.fetchall()]

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[Any]:
        cursor = self.connection.cursor()
        try:
            yield cursor
        finally:
            # After a lost connection closing fails too and would hide the reason.
            with contextlib.suppress(self._driver_error):
                cursor.close()

    @contextlib.contextmanager
    def _translated(self, sql: str) -> Iterator[None]:
        try:
            yield
        except self._driver_error as exc:
            raise translate(exc, f"Failed to execute {_first_line(sql)} on {self.target}") from exc


def translate(exc: Exception, attempt: str) -> BackupError:
    """Return our exception for the driver's ``exc``; ``attempt`` says what was tried."""
    detail = exc.args[0] if exc.args else exc
    full_code = str(getattr(detail, "full_code", ""))
    message = clean_message(str(detail))
    error = oracle_error(message, int(getattr(detail, "code", 0) or 0))
    text = f"{attempt}: {message}"
    if full_code == _CALL_TIMED_OUT or _CALL_TIMED_OUT in message:
        return WaitTimeout(text, hint="Whether it took effect must be read from the database.")
    if full_code in _LOST_DRIVER_CODES or _LOST_CODES.intersection(error.codes):
        return ConnectionLost(text, hint="The session is gone.", oracle_error=error if error.codes else None)
    return OracleRefused(text, oracle_error=error)


def oracle_error(message: str, code: int = 0) -> OracleErrorInfo:
    """Return the codes of an error stack; the driver itself exposes the first one only."""
    codes = tuple(dict.fromkeys(int(found) for found in _ORA_CODE.findall(message)))
    return OracleErrorInfo(code=code or (codes[0] if codes else 0), codes=codes, message=message)


def clean_message(message: str) -> str:
    """Return an error text without the help addresses the driver adds."""
    return "\n".join(line for line in _HELP_LINE.sub("", message).splitlines() if line.strip())


def _first_line(sql: str) -> str:
    return " ".join(sql.split())[:200]


def _python_value(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
