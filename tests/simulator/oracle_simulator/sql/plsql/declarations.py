# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations: what they put into a scope."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oracle_simulator.sql.plsql import tree
from oracle_simulator.sql.plsql.datatypes import (
    CollectionOf,
    PlType,
    RecordOf,
    Scalar,
    scalar_type,
    value_error,
)
from oracle_simulator.sql.plsql.scopes import Cell, DeclaredCursor, DeclaredException, DeclaredRoutine, Scope
from oracle_simulator.sql.plsql.tokens import compile_error, tokenize

if TYPE_CHECKING:
    from oracle_simulator.data.tables import Table
    from oracle_simulator.sql.plsql.interpreter import Interpreter


def declare(interpreter: Interpreter, declarations: Sequence[tree.Statement], scope: Scope) -> None:
    """Put declarations into a scope, one after the other. Raises ORA-06550, ORA-06502."""
    for declaration in declarations:
        match declaration:
            case tree.Variable():
                _declare_variable(interpreter, declaration, scope)
            case tree.CollectionType(_, name, element, by_text, associative):
                kind = resolve_type(interpreter, element, scope)
                scope.names[name] = CollectionOf(kind, by_text, associative)
            case tree.RecordType(_, name, fields):
                kinds = {each.name: resolve_type(interpreter, each.type, scope) for each in fields}
                scope.names[name] = RecordOf(kinds)
            case tree.Subtype(_, name, base):
                scope.names[name] = resolve_type(interpreter, base, scope)
            case tree.CursorName(_, name):
                scope.names[name] = DeclaredCursor(declaration)
            case tree.ExceptionName(_, name):
                scope.names[name] = DeclaredException(name)
            case tree.ExceptionCode(_, name, code):
                scope.names[name] = DeclaredException(name, code)
            case tree.Routine():
                _declare_routine(declaration, scope)


def _declare_variable(interpreter: Interpreter, declaration: tree.Variable, scope: Scope) -> None:
    kind = resolve_type(interpreter, declaration.type, scope)
    cell = Cell(kind, kind.initial())
    if declaration.default is not None:
        cell.assign(interpreter.evaluator.value(declaration.default, scope))
    if declaration.not_null and cell.value is None:
        raise value_error()
    cell.constant, cell.written = declaration.constant, False
    scope.names[declaration.name] = cell


def _declare_routine(routine: tree.Routine, scope: Scope) -> None:
    """Routines of one name are told apart by their parameters; a body takes the place of its announcement."""
    present = scope.names.get(routine.name)
    known = list(present) if isinstance(present, list) else []
    shape = _shape(routine)
    kept = [declared for declared in known if _shape(declared.routine) != shape]
    scope.names[routine.name] = [*kept, DeclaredRoutine(routine, scope, scope.unit)]


def _shape(routine: tree.Routine) -> tuple[object, ...]:
    return (
        routine.returns is None,
        *((p.name, p.type.name, p.mode.replace(" ", "")) for p in routine.parameters),
    )


def resolve_type(
    interpreter: Interpreter, name: tree.TypeName, scope: Scope, *, unsized: bool = False
) -> PlType:
    """The type of a name. Raises ORA-06550 with PLS-00201."""
    if name.attribute is not None:
        found = _attribute_type(interpreter, name, scope)
        if found is not None:
            return found
    else:
        known = _named(interpreter, name, scope)
        if isinstance(known, PlType):
            return known
        built_in = scalar_type(name, lambda: interpreter.session.zone, unsized=unsized)
        if built_in is not None:
            return built_in
    raise compile_error(scope.source, name.start, f"PLS-00201: identifier '{name.name}' must be declared")


def _named(interpreter: Interpreter, name: tree.TypeName, scope: Scope) -> object:
    first, _dot, _rest = name.name.partition(".")
    known = scope.find(name.name if name.name == first else first)
    if known is not None and name.name == first:
        return known
    tokens = tokenize(name.name)
    resolved = interpreter.units.resolve(tokens, 0, scope)
    return resolved[0] if resolved is not None and resolved[1] == len(tokens) else None


def _attribute_type(interpreter: Interpreter, name: tree.TypeName, scope: Scope) -> PlType | None:
    """``variable%TYPE``, ``table.column%TYPE`` and ``table%ROWTYPE``."""
    parts = name.name.split(".")
    known = scope.find(parts[0])
    if name.attribute == "TYPE" and len(parts) == 1 and isinstance(known, Cell):
        return known.type
    if name.attribute == "ROWTYPE":
        table = _table(interpreter, parts)
        if table is None:
            return None
        return RecordOf(
            {column.name: Scalar(column, lambda: interpreter.session.zone) for column in table.columns}
        )
    table = _table(interpreter, parts[:-1])
    if table is None or parts[-1] not in table.column_names:
        return None
    column = table.columns[table.column_names.index(parts[-1])]
    return Scalar(column, lambda: interpreter.session.zone)


def _table(interpreter: Interpreter, parts: Sequence[str]) -> Table | None:
    data = interpreter.session.open_data
    if data is None or not 1 <= len(parts) <= 2:
        return None
    owner = parts[0] if len(parts) == 2 else interpreter.session.schema
    return data.dictionary.get_table(owner, parts[-1])
