# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open cursors: what the server remembers of a statement between its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Column, DataType
from oracle_simulator.net.binds import BindLayout
from oracle_simulator.net.data_types import (
    ENCODERS,
    LOB_TYPES,
    LONG_NULL,
    LONG_TYPES,
    NULL,
    require_convertible,
)
from oracle_simulator.net.lobs import LobStore
from oracle_simulator.net.statements import Statement

MAX_OPEN_CURSORS = 300
"""Of one session. Clients are told, and cache statements only when there are cursors to keep."""

MAX_RESPONSE = 16 * 1024 * 1024
"""Bytes of rows after which an answer ends although the client asked for more: it fetches again."""

_MAX_CURSOR_ID = 65535

_Encode = Callable[[Any], bytes]


class Cursor:
    """A parsed statement, the layout of its binds, and the rest of its result."""

    def __init__(self, cursor_id: int, statement: Statement) -> None:
        self.id = cursor_id
        self.columns: tuple[Column, ...] | None
        self.rows: Iterator[Sequence[Any]] | None
        self.parse(statement)
        self.fetched = 0
        self.is_defined = False
        self._encoders: list[tuple[_Encode, bytes]] = []

    def parse(self, statement: Statement) -> None:
        """The client uses the cursor for another text."""
        self.statement = statement
        self.layout = BindLayout(statement, ())
        self.columns = None
        self.rows = None

    def show(self, columns: Sequence[Column], lobs: LobStore) -> bool:
        """Take the columns of a result; whether they are new to the client. Columns that did not change
        keep the types the client has defined: describing them again would make it forget those."""
        shown = tuple(columns)
        if shown == self.columns:
            return False
        self.columns = shown
        self.is_defined = not any(column.type in LOB_TYPES for column in shown)
        self._encoders = [_encoder(column.type, column.type, lobs) for column in shown]
        return True

    def define(self, types: Sequence[DataType], lobs: LobStore) -> None:
        """The client says as which types it wants the columns. ORA-01007, ORA-00932."""
        if self.columns is None or len(types) != len(self.columns):
            raise OracleError(1007, "variable not in select list")
        self._encoders = [
            _encoder(column.type, wanted, lobs) for column, wanted in zip(self.columns, types, strict=True)
        ]
        self.is_defined = True

    def start(self, rows: Iterator[Sequence[Any]]) -> None:
        self.rows = rows
        self.fetched = 0

    def fetch(self, count: int, out: bytearray, row_mark: bytes) -> bool:
        """Append up to ``count`` rows to ``out``; whether that was the end. ORA-01002 when there is
        nothing to fetch from, and whatever producing the rows raises."""
        if self.rows is None:
            raise OracleError(1002, "fetch out of sequence")
        encoders = self._encoders
        rows = self.rows
        for _ignored in range(count):
            row = next(rows, None)
            if row is None:
                return True
            self.fetched += 1
            out += row_mark
            for (encode, null), value in zip(encoders, row, strict=True):
                out += null if value is None else encode(value)
            if len(out) > MAX_RESPONSE:
                break
        return False


def _encoder(source: DataType, target: DataType, lobs: LobStore) -> tuple[_Encode, bytes]:
    """What encodes a ``source`` column as ``target``, and its null."""
    require_convertible(source, target)
    encode = lobs.encode if target in LOB_TYPES else ENCODERS[target]
    return encode, LONG_NULL if target in LONG_TYPES else NULL


class CursorTable:
    """The open cursors of one session, by the numbers the client knows them by."""

    def __init__(self) -> None:
        self._cursors: dict[int, Cursor] = {}
        self._last_id = 0

    def open(self, statement: Statement) -> Cursor:
        """ORA-01000 when there are too many."""
        if len(self._cursors) >= MAX_OPEN_CURSORS:
            raise OracleError(1000, "maximum open cursors exceeded")
        while True:
            self._last_id = self._last_id % _MAX_CURSOR_ID + 1
            if self._last_id not in self._cursors:
                break
        cursor = Cursor(self._last_id, statement)
        self._cursors[cursor.id] = cursor
        return cursor

    def cancel(self, cursor_id: int) -> None:
        """Forget the rest of a cursor's rows."""
        if (cursor := self._cursors.get(cursor_id)) is not None:
            cursor.rows = None

    def get(self, cursor_id: int) -> Cursor:
        """ORA-01001 for a number that is not open."""
        try:
            return self._cursors[cursor_id]
        except KeyError:
            raise OracleError(1001, "invalid cursor") from None

    def close(self, cursor_id: int) -> None:
        self._cursors.pop(cursor_id, None)
