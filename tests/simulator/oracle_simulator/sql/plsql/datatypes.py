# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data types of PL/SQL variables and what they hold: scalars, collections, records, cursors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from oracle_simulator.data.tables import Table, TableColumn
from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import DataType, Result, StoredLob
from oracle_simulator.sql.parser.statements import TypeSpecification
from oracle_simulator.sql.plsql.tree import TypeName
from oracle_simulator.sql.query.columns import column_of_specification, converter, sql_type
from oracle_simulator.sql.query.types import SqlType

_MOST_TEXT = 32767
_UNSIZED = frozenset(
    {"VARCHAR2", "VARCHAR", "NVARCHAR2", "CHAR", "NCHAR", "RAW", "STRING", "LONG", "LONG RAW"}
)
_CONVERSIONS = {
    1722: "character to number conversion error",
    1438: "number precision too large",
    12899: "character string buffer too small",
    1465: "hex to raw conversion error",
}


def value_error(detail: str = "") -> OracleError:
    """ORA-06502."""
    return OracleError(6502, "PL/SQL: numeric or value error" + (f": {detail}" if detail else ""))


class PlType:
    """A type of variables."""

    kind: SqlType | None = None
    """The SQL type of a scalar."""

    def initial(self) -> Any:
        """What a variable holds before anything is assigned to it."""
        return None

    def convert(self, value: Any) -> Any:
        """A value as a variable of this type takes it. Raises ORA-06502."""
        return value


class Boolean(PlType):
    def convert(self, value: Any) -> bool | None:
        if value is None or isinstance(value, bool):
            return value
        raise OracleError(6550, "PLS-00382: expression is of wrong type")


class RefCursor(PlType):
    pass


class Scalar(PlType):
    """A type that columns can have, too, within PL/SQL's wider limits."""

    def __init__(self, column: TableColumn, zone: Callable[[], tzinfo]) -> None:
        self.kind = sql_type(column)
        self._convert = converter(column, zone)
        is_sized = self.kind.type in (DataType.VARCHAR2, DataType.CHAR, DataType.RAW) and column.size
        self._checked = Table("", "", 0, 0, 0, (0, 0), (column,)) if is_sized else None
        self._is_lob = self.kind.type in (DataType.CLOB, DataType.BLOB)

    def convert(self, value: Any) -> Any:
        if self._is_lob and isinstance(value, StoredLob):
            return value
        if isinstance(value, (Collection, Record, bool)):
            raise OracleError(6550, "PLS-00382: expression is of wrong type")
        try:
            converted = self._convert(value)
            if self._checked is not None:
                self._checked.check_row([converted])
        except OracleError as problem:
            if problem.code in _CONVERSIONS:
                raise value_error(_CONVERSIONS[problem.code]) from None
            raise
        return converted


class AnyText(PlType):
    """VARCHAR2 of a parameter or a result, which has no length."""

    def __init__(self, kind: SqlType) -> None:
        self.kind = kind
        name = "RAW" if kind.type == DataType.RAW else "NVARCHAR2" if kind.national else "VARCHAR2"
        self._convert = converter(TableColumn("", name))

    def convert(self, value: Any) -> Any:
        if isinstance(value, (Collection, Record, bool)):
            raise OracleError(6550, "PLS-00382: expression is of wrong type")
        try:
            return self._convert(value)
        except OracleError as problem:
            raise value_error(_CONVERSIONS.get(problem.code, "")) from None


@dataclass(eq=False)
class CollectionOf(PlType):
    """TABLE OF and VARRAY; an associative one is empty, not null, from the start."""

    element: PlType
    by_text: bool = False
    is_associative: bool = False

    def initial(self) -> Collection | None:
        return Collection(self) if self.is_associative else None

    def convert(self, value: Any) -> Collection | None:
        if isinstance(value, Collection):
            return Collection(self, dict(value.elements))
        if isinstance(value, list):
            return Collection(
                self, {index: self.element.convert(item) for index, item in enumerate(value, 1)}
            )
        if value is None:
            return self.initial()
        raise OracleError(6550, "PLS-00382: expression is of wrong type")


@dataclass(eq=False)
class RecordOf(PlType):
    fields: dict[str, PlType]

    def initial(self) -> Record:
        return Record(self, {name: kind.initial() for name, kind in self.fields.items()})

    def convert(self, value: Any) -> Record:
        if isinstance(value, Record):
            items = zip(self.fields.items(), value.values.values(), strict=False)
            return Record(self, {name: kind.convert(item) for (name, kind), item in items})
        if value is None:
            return self.initial()
        raise OracleError(6550, "PLS-00382: expression is of wrong type")


@dataclass(eq=False)
class Collection:
    type: CollectionOf
    elements: dict[Any, Any] = field(default_factory=dict)

    def indexes(self) -> list[Any]:
        """The indexes in use, in order."""
        return sorted(self.elements)

    def element(self, index: Any) -> Any:
        """Raises ORA-01403, as Oracle does for an index that is not there."""
        if index not in self.elements:
            if not self.type.is_associative:
                raise OracleError(6533, "Subscript beyond count")
            raise OracleError(1403, "no data found")
        return self.elements[index]

    def method(self, name: str, arguments: Sequence[Any]) -> Any:
        """COUNT, FIRST, LAST, NEXT, PRIOR, EXISTS, DELETE, EXTEND, TRIM. Raises ORA-06550 for others."""
        keys = self.indexes()
        match name:
            case "COUNT":
                return len(keys)
            case "FIRST":
                return keys[0] if keys else None
            case "LAST":
                return keys[-1] if keys else None
            case "NEXT":
                return next((key for key in keys if key > arguments[0]), None)
            case "PRIOR":
                return next((key for key in reversed(keys) if key < arguments[0]), None)
            case "EXISTS":
                return arguments[0] in self.elements
            case "DELETE":
                self._delete(arguments)
            case "EXTEND":
                last = keys[-1] if keys else 0
                for step in range(int(arguments[0]) if arguments else 1):
                    self.elements[last + step + 1] = self.type.element.initial()
            case "TRIM":
                for key in keys[len(keys) - (int(arguments[0]) if arguments else 1) :]:
                    del self.elements[key]
            case _:
                raise OracleError(6550, f"PLS-00302: component '{name}' must be declared")
        return None

    def _delete(self, arguments: Sequence[Any]) -> None:
        if not arguments:
            self.elements.clear()
            return
        low, high = arguments[0], arguments[-1]
        for key in self.indexes():
            if low <= key <= high:
                del self.elements[key]


@dataclass(eq=False)
class Record:
    type: RecordOf
    values: dict[str, Any]

    def field(self, name: str) -> Any:
        """Raises ORA-06550 with PLS-00302."""
        if name not in self.values:
            raise OracleError(6550, f"PLS-00302: component '{name}' must be declared")
        return self.values[name]


@dataclass(eq=False)
class OpenCursor:
    """A cursor that is open: the rest of its rows, and what its attributes tell."""

    result: Result
    found: bool | None = None
    row_count: int = 0
    is_open: bool = True

    def next_row(self) -> Sequence[Any] | None:
        """Raises ORA-01001 when it is closed."""
        if not self.is_open:
            raise OracleError(1001, "invalid cursor")
        rows: Iterator[Sequence[Any]] = self.result.rows
        row = next(rows, None)
        self.found = row is not None
        self.row_count += row is not None
        return row


def scalar_type(name: TypeName, zone: Callable[[], tzinfo], *, unsized: bool = False) -> PlType | None:
    """A type that is built in, None for any other name. ``unsized``: of a parameter or a result."""
    base = name.name.removeprefix("SYS.").removeprefix("STANDARD.")
    if base == "BOOLEAN":
        return Boolean()
    if base in ("SYS_REFCURSOR", "REFCURSOR"):
        return RefCursor()
    if base in _UNSIZED and not name.arguments and (unsized or base.startswith("LONG")):
        data_type = DataType.RAW if base.endswith("RAW") else DataType.VARCHAR2
        return AnyText(SqlType(data_type, _MOST_TEXT, national=base.startswith("N")))
    if base == "STRING":
        base = "VARCHAR2"
    if base in _UNSIZED and name.arguments:
        return _sized(base, name, zone)
    spec = TypeSpecification(base, name.arguments, name.time_zone)
    try:
        return Scalar(column_of_specification("", spec), zone)
    except OracleError as problem:
        if problem.code == 902:
            return None
        raise


def _sized(base: str, name: TypeName, zone: Callable[[], tzinfo]) -> PlType:
    """Text and RAW up to 32767 bytes. Raises ORA-06550 with PLS-00215."""
    size = name.arguments[0] or 0
    if not 1 <= size <= _MOST_TEXT:
        raise OracleError(6550, f"PLS-00215: String length constraints must be in range (1 .. {_MOST_TEXT})")
    known = {"VARCHAR": "VARCHAR2", "LONG": "VARCHAR2"}.get(base, base)
    national = known in ("NVARCHAR2", "NCHAR")
    return Scalar(TableColumn("", known, 2 * size if national else size), zone)
