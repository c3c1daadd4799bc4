# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Anonymous blocks: bind variables in, bind variables out, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from oracle_simulator.data.tables import TableColumn
from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Bind, DataType, Result
from oracle_simulator.sql.plsql import tree
from oracle_simulator.sql.plsql.check import check_block
from oracle_simulator.sql.plsql.datatypes import (
    AnyText,
    Boolean,
    Collection,
    CollectionOf,
    OpenCursor,
    PlType,
    RefCursor,
    Scalar,
    value_error,
)
from oracle_simulator.sql.plsql.interpreter import Interpreter
from oracle_simulator.sql.plsql.parser import parse_block
from oracle_simulator.sql.plsql.scopes import Cell, Scope
from oracle_simulator.sql.query.bind_values import bind_value
from oracle_simulator.sql.query.dialect import rewrite_binds
from oracle_simulator.sql.query.types import SqlType

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession

_NAMES = {
    DataType.NUMBER: "NUMBER",
    DataType.BINARY_DOUBLE: "BINARY_DOUBLE",
    DataType.BINARY_FLOAT: "BINARY_FLOAT",
    DataType.DATE: "DATE",
    DataType.TIMESTAMP: "TIMESTAMP",
    DataType.TIMESTAMP_TZ: "TIMESTAMP WITH TIME ZONE",
    DataType.TIMESTAMP_LTZ: "TIMESTAMP WITH LOCAL TIME ZONE",
    DataType.INTERVAL_DS: "INTERVAL DAY TO SECOND",
    DataType.INTERVAL_YM: "INTERVAL YEAR TO MONTH",
    DataType.CLOB: "CLOB",
    DataType.BLOB: "BLOB",
}
_SIZED = frozenset({DataType.VARCHAR2, DataType.CHAR, DataType.RAW, DataType.LONG, DataType.LONG_RAW})
_MOST_STRING = 32767


def execute_block(
    session: DatabaseSession, text: str, binds: Sequence[Bind], rows: Sequence[Sequence[Any]]
) -> Result:
    """Run a block once per row of binds. Raises ORA-06550 for what does not compile, and whatever the block does
    not handle: its changes are then undone."""
    block = parse_block(text)
    names = list(dict.fromkeys(rewrite_binds(text).names))
    written: set[int] = set()
    after: list[list[Any]] = []
    for number, row in enumerate(rows or [()]):
        cells = {
            name: Cell(_bind_type(session, bind), _given(bind, value))
            for name, bind, value in zip(names, binds, row, strict=False)
        }
        try:
            _run(session, block, Scope(text, binds=cells))
        except OracleError as problem:
            problem.row_counts = [1] * number
            raise
        written.update(place for place, cell in enumerate(cells.values()) if cell.written)
        after.append([_taken(bind, cell.value) for bind, cell in zip(binds, cells.values(), strict=False)])
    many = len(rows) > 1
    outs = {place: [each[place] for each in after] if many else after[0][place] for place in sorted(written)}
    returned, session.implicit_results = session.implicit_results, []
    return Result(out_values=outs, row_count=max(len(rows), 1), implicit_results=returned)


def _run(session: DatabaseSession, block: tree.Block, scope: Scope) -> None:
    interpreter = Interpreter(session)
    check_block(interpreter, block, scope)
    mark = session.transaction.savepoint() if session.open_data is not None else 0
    ended = session.ended_transactions
    try:
        interpreter.run_top(block, scope)
    except OracleError:
        if session.ended_transactions == ended and session.open_data is not None:
            session.transaction.rollback_to(mark)
            session.overlay.touch_all()
        raise


def _bind_type(session: DatabaseSession, bind: Bind) -> PlType:
    if bind.type is DataType.BOOLEAN:
        kind: PlType = Boolean()
    elif bind.type is DataType.CURSOR:
        kind = RefCursor()
    elif bind.type in _NAMES:
        kind = Scalar(TableColumn("", _NAMES[bind.type], 0), lambda: session.zone)
    else:
        kind = AnyText(SqlType(DataType.RAW if "RAW" in bind.type.name else DataType.VARCHAR2, _MOST_STRING))
    return CollectionOf(kind, is_associative=True) if bind.is_array else kind


def _given(bind: Bind, value: Any) -> Any:
    if bind.is_array:
        kind = CollectionOf(PlType(), is_associative=True)
        return Collection(kind, dict(enumerate(value or (), 1)))
    return OpenCursor(value) if isinstance(value, Result) else value


def _taken(bind: Bind, value: Any) -> Any:
    """The value of a bind on its way out. Raises ORA-06502 when the client has not enough room for it."""
    if isinstance(value, OpenCursor):
        return value.result
    if isinstance(value, Collection):
        element = Bind(bind.type, bind.size, national=bind.national)
        return [bind_value(value.elements[key], element) for key in value.indexes()]
    converted = bind_value(value, bind)
    if bind.type in _SIZED and converted is not None and 0 < bind.size < len(converted):
        raise value_error("character string buffer too small")
    return converted
