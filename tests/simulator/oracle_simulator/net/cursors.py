# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open cursors: what the server remembers of a statement between its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Column, DataType, Result, StoredLob
from oracle_simulator.net.binds import BindLayout
from oracle_simulator.net.data_types import (
    ENCODERS,
    LOB_TYPES,
    LONG_NULL,
    LONG_TYPES,
    NATIONAL_ENCODERS,
    NULL,
    require_convertible,
)
from oracle_simulator.net.lobs import LobStore
from oracle_simulator.net.scrolling import ScrollableRows
from oracle_simulator.net.statements import Statement

MAX_OPEN_CURSORS = 300
"""Of one session. Clients are told, and cache statements only when there are cursors to keep."""

MAX_RESPONSE = 16 * 1024 * 1024
"""Bytes of rows after which an answer ends although the client asked for more: it fetches again."""

_MAX_CURSOR_ID = 65535

NATIONAL_FORM = 2
"""Character set form of NCHAR, NVARCHAR2 and NCLOB."""

_Encode = Callable[[Any], bytes]
EncodeCursor = Callable[[Result], bytes]


class Cursor:
    """A parsed statement, the layout of its binds, and the rest of its result."""

    def __init__(self, cursor_id: int, statement: Statement) -> None:
        self.id = cursor_id
        self.columns: tuple[Column, ...] | None
        self.rows: Iterator[Sequence[Any]] | None
        self.scrollable: ScrollableRows | None = None
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

    def show(self, columns: Sequence[Column], values: ValueEncoders) -> bool:
        """Take the columns of a result; whether they are new to the client. Columns that did not change
        keep the types the client has defined: describing them again would make it forget those."""
        shown = tuple(columns)
        if shown == self.columns:
            return False
        before = self.columns or ()
        self.columns = shown
        wanted = [_as_before(column, *before[place : place + 1]) for place, column in enumerate(shown)]
        self.is_defined = not any(column.type in LOB_TYPES for column in wanted)
        self._encoders = [
            values.converting_encoder(column, target.type, target.national)
            for column, target in zip(shown, wanted, strict=True)
        ]
        return True

    def define(self, wanted: Sequence[tuple[DataType, int]], values: ValueEncoders) -> None:
        """The client says as which types and character set forms it wants the columns. ORA-01007, ORA-00932."""
        if self.columns is None or len(wanted) != len(self.columns):
            raise OracleError(1007, "variable not in select list")
        self._encoders = [
            values.converting_encoder(column, data_type, form == NATIONAL_FORM)
            for column, (data_type, form) in zip(self.columns, wanted, strict=True)
        ]
        self.is_defined = True

    def start(self, rows: Iterator[Sequence[Any]]) -> None:
        self.rows = rows
        self.fetched = 0
        self.scrollable = None

    def make_scrollable(self) -> ScrollableRows:
        """Keep the rest of the result, to go back in it. ORA-01002."""
        if self.rows is None:
            raise OracleError(1002, "fetch out of sequence")
        self.scrollable = ScrollableRows(list(self.rows))
        return self.scrollable

    def scroll(self, orientation: int, position: int) -> None:
        """Go to a row of a scrollable result. ORA-01002."""
        if self.scrollable is None:
            raise OracleError(1002, "fetch out of sequence")
        self.fetched = self.scrollable.move(orientation, position)
        self.rows = self.scrollable.rows_from(self.fetched)

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


_LONG_FOR_LOB = {
    (DataType.CLOB, DataType.VARCHAR2): DataType.LONG,
    (DataType.CLOB, DataType.CHAR): DataType.LONG,
    (DataType.CLOB, DataType.LONG): DataType.LONG,
    (DataType.BLOB, DataType.RAW): DataType.LONG_RAW,
    (DataType.BLOB, DataType.LONG_RAW): DataType.LONG_RAW,
}


def _as_before(column: Column, before: Column | None = None) -> Column:
    """A column of a statement executed again. One that was text or RAW and has become a LOB goes on as a value:
    clients expect that, for they have defined it so."""
    if before is None or (column.type, before.type) not in _LONG_FOR_LOB:
        return column
    return replace(column, type=_LONG_FOR_LOB[column.type, before.type], national=before.national)


class ValueEncoders:
    """What encodes the values of columns: also those that need a place to keep something."""

    def __init__(self, lobs: LobStore, encode_cursor: EncodeCursor) -> None:
        self._lobs = lobs
        self._encode_cursor = encode_cursor

    def encoder(self, column: Column) -> tuple[_Encode, bytes]:
        """What encodes a column as it is, and its null."""
        return self._encoder(column.type, column.national)

    def converting_encoder(self, column: Column, wanted: DataType, national: bool) -> tuple[_Encode, bytes]:
        """What encodes a column as a type that the client asks for, and its null. ORA-00932."""
        require_convertible(column.type, wanted)
        encode, null = self._encoder(wanted, national)
        if column.type in LOB_TYPES and wanted not in LOB_TYPES:
            return lambda value: encode(value.content if isinstance(value, StoredLob) else value), null
        return encode, null

    def _encoder(self, data_type: DataType, national: bool) -> tuple[_Encode, bytes]:
        if data_type in LOB_TYPES:
            return self._lobs.encode, NULL
        if data_type is DataType.CURSOR:
            return self._encode_cursor, NULL
        null = LONG_NULL if data_type in LONG_TYPES else NULL
        if national and data_type in NATIONAL_ENCODERS:
            return NATIONAL_ENCODERS[data_type], null
        return ENCODERS[data_type], null


class CursorTable:
    """The open cursors of one session, by the numbers the client knows them by."""

    def __init__(self) -> None:
        self._cursors: dict[int, Cursor] = {}
        self._last_id = 0

    def __len__(self) -> int:
        return len(self._cursors)

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
