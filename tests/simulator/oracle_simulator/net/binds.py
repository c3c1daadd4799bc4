# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bind variables: their definitions, and the rows of values that follow them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Bind, DataType
from oracle_simulator.net.data_types import DECODERS, LOB_TYPES, TEXT_TYPES
from oracle_simulator.net.messages import ROW_DATA
from oracle_simulator.net.statements import Statement, StatementKind
from oracle_simulator.net.wire import MAX_SHORT, ProtocolError, Reader

MAX_STRING = 32767
"""The string limit announced in the capabilities: longer binds move behind the others."""

_BY_REFERENCE = LOB_TYPES | {DataType.CURSOR}
_MAX_EMPTY_VALUES = 1 << 20
_ARRAY = 0x40
NATIONAL = 2
_BINARY_INTEGER = 3


@dataclass(frozen=True)
class ColumnDefinition:
    """One bind or define as the client declares it; ``type`` is Oracle's number, of any type."""

    type: int
    flags: int
    size: int
    form: int

    @property
    def is_array(self) -> bool:
        return bool(self.flags & _ARRAY)

    def data_type(self) -> DataType:
        """ORA-03115 for a type that this server does not know."""
        number = DataType.NUMBER if self.type == _BINARY_INTEGER else self.type
        try:
            return DataType(number)
        except ValueError:
            raise OracleError(3115, "unsupported network datatype or representation") from None

    def bind(self) -> Bind:
        return Bind(self.data_type(), self.size, self.is_array, self.form == NATIONAL)


def read_definition(reader: Reader) -> ColumnDefinition:
    number, flags = reader.u8(), reader.u8()
    reader.skip(2)
    size = reader.ub()
    reader.skip_ub(2)  # array elements, continuation flags
    reader.bytes2()
    reader.skip_ub(2)  # object type version, character set
    form = reader.u8()
    reader.skip_ub(2)  # LOB prefetch size, column id
    return ColumnDefinition(number, flags, size, form)


@dataclass(frozen=True)
class LobReference:
    """A bound LOB: the row holds only its locator."""

    locator: bytes


@dataclass(frozen=True)
class CursorReference:
    """A bound REF CURSOR: the number of an open cursor, 0 for none yet."""

    cursor_id: int


_Decode = Callable[[bytes], Any]


def _from_national(data: bytes) -> str:
    return data.decode("utf-16-be")


def _decoder(definition: ColumnDefinition) -> _Decode:
    data_type = definition.data_type()
    if data_type in TEXT_TYPES and definition.form == NATIONAL:
        return _from_national
    return DECODERS[data_type]


def _read_lob(reader: Reader) -> LobReference | None:
    locator = reader.bytes2()
    return None if locator is None else LobReference(locator)


def _read_cursor(reader: Reader) -> CursorReference:
    return CursorReference(reader.ub() if reader.ub() else 0)


def _scalar_reader(decode: _Decode) -> Callable[[Reader], Any]:
    def read(reader: Reader) -> Any:
        data = reader.bytes1()
        return None if data is None else decode(data)

    return read


def _array_reader(decode: _Decode) -> Callable[[Reader], list[Any]]:
    read = _scalar_reader(decode)

    def read_all(reader: Reader) -> list[Any]:
        return [read(reader) for _ignored in range(reader.ub())]

    return read_all


def empty_rows(count: int, width: int) -> list[list[Any]]:
    """Rows for executions that bring no values of their own. There is no data to bound their number."""
    if count * max(width, 1) > _MAX_EMPTY_VALUES:
        raise ProtocolError(f"{count} executions without values")
    return [[None] * width for _ignored in range(count)]


class BindLayout:
    """How the values of one statement's binds are laid out in a row.

    Raises ``OracleError`` when a bind's type is unknown: the size of its values is then, too, and nothing
    behind them can be read.
    """

    def __init__(self, statement: Statement, definitions: Sequence[ColumnDefinition]) -> None:
        self.definitions = tuple(definitions)
        self._places = self._order(statement)
        self._count = len(self.definitions)
        self.has_references = any(definition.data_type() in _BY_REFERENCE for definition in self.definitions)
        self._in_order = self._places == list(range(self._count))
        self._decoders: list[_Decode] | None = []
        self._readers: list[Callable[[Reader], Any]] = []
        for place in self._places:
            definition = self.definitions[place]
            if definition.data_type() in _BY_REFERENCE:
                if definition.is_array:
                    raise OracleError(3115, "unsupported network datatype or representation")
                self._decoders = None
                is_cursor = definition.data_type() is DataType.CURSOR
                self._readers.append(_read_cursor if is_cursor else _read_lob)
                continue
            decode = _decoder(definition)
            if definition.is_array:
                self._decoders = None
                self._readers.append(_array_reader(decode))
            else:
                self._readers.append(_scalar_reader(decode))
                if self._decoders is not None:
                    self._decoders.append(decode)

    def _order(self, statement: Statement) -> list[int]:
        sent = list(range(len(self.definitions) - statement.return_binds))
        if statement.kind is StatementKind.PLSQL:
            return sent
        return sorted(sent, key=lambda place: self.definitions[place].size > MAX_STRING)

    def binds(self) -> list[Bind]:
        return [definition.bind() for definition in self.definitions]

    def read_rows(self, reader: Reader, count: int) -> list[list[Any]]:
        """``count`` rows of values by bind position, None for the binds that only return a value."""
        if not self._places:
            return empty_rows(count, self._count)
        rows: list[list[Any]] = []
        while len(rows) < count:
            if self._decoders is not None:
                self._read_at_hand(reader, self._decoders, count, rows)
                if len(rows) == count:
                    break
            rows.append(self._read_row(reader))
        if self._in_order:
            return rows
        return [self._placed(row) for row in rows]

    def _read_row(self, reader: Reader) -> list[Any]:
        """One row of any shape, waiting for its bytes."""
        if reader.u8() != ROW_DATA:
            raise ProtocolError("bind values do not begin with ROW DATA")
        return [read(reader) for read in self._readers]

    def _read_at_hand(
        self, reader: Reader, decoders: list[_Decode], count: int, rows: list[list[Any]]
    ) -> None:
        """As many whole rows of short scalars as there are at hand. This is where executemany spends its
        time: no calls but to the decoders. Stops before a row that is different or goes on elsewhere."""
        data = reader.data
        end = len(data)
        start = reader.pos
        while len(rows) < count:
            pos = start + 1
            if pos > end or data[start] != ROW_DATA:
                break
            row: list[Any] = []
            for decode in decoders:
                if pos >= end:
                    break
                length = data[pos]
                pos += 1
                if length == 0:
                    row.append(None)
                elif length <= MAX_SHORT and pos + length <= end:
                    row.append(decode(data[pos : pos + length]))
                    pos += length
                else:
                    break
            if len(row) < len(decoders):
                break
            rows.append(row)
            start = pos
        reader.pos = start

    def _placed(self, row: list[Any]) -> list[Any]:
        placed: list[Any] = [None] * self._count
        for place, value in zip(self._places, row, strict=True):
            placed[place] = value
        return placed
