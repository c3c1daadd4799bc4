# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls: arguments to parameters, the routine's own scope, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import StoredLob
from oracle_simulator.sql.plsql import tree
from oracle_simulator.sql.plsql.control_flow import Returned
from oracle_simulator.sql.plsql.datatypes import PlType
from oracle_simulator.sql.plsql.declarations import resolve_type
from oracle_simulator.sql.plsql.expressions import matching, split_arguments
from oracle_simulator.sql.plsql.packages import PROCEDURES
from oracle_simulator.sql.plsql.scopes import Cell, DeclaredRoutine, Scope
from oracle_simulator.sql.plsql.tokens import Token, compile_error

if TYPE_CHECKING:
    from oracle_simulator.sql.plsql.interpreter import Interpreter

_MOST_CALLS = 50


class RoutineCalls:
    """The calls of one interpreter."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._depth = 0

    def statement(self, call: tree.Expression, scope: Scope) -> None:
        """A call that stands for itself: of a routine, a collection's method or one of Oracle's procedures."""
        tokens = call.tokens
        name, after = _dotted(tokens)
        known = scope.find(tokens[0].word)
        if isinstance(known, Cell):
            self._interpreter.evaluator.reference(tokens, 0, scope)
            return
        arguments = []
        if after < len(tokens) and tokens[after].word == "(":
            arguments = split_arguments(tokens[after + 1 : matching(tokens, after)])
        length = 1
        if known is None:
            resolved = self._interpreter.units.resolve(tokens, 0, scope)
            if resolved is not None:
                known, length = resolved
        if isinstance(known, list) and length == after:
            self.call(known, arguments, scope, tokens[0], wants_value=False)
            return
        self._built_in(name.removeprefix("SYS."), arguments, scope, tokens[0])

    def _built_in(self, name: str, arguments: Sequence[tree.Expression], scope: Scope, token: Token) -> None:
        procedure = PROCEDURES.get(name)
        if procedure is None:
            message = f"PLS-00201: identifier '{name}' must be declared"
            raise compile_error(scope.source, token.start, message)
        names = [parameter.lstrip("*") for parameter in procedure.parameters]
        given = _by_parameter(arguments, names)
        if given is None or len(given) < procedure.least:
            message = f"PLS-00306: wrong number or types of arguments in call to '{name.rpartition('.')[2]}'"
            raise compile_error(scope.source, token.start, message)
        values = [
            self._interpreter.evaluator.value(given[each], scope) if each in given else None for each in names
        ]
        outs = [each for each in procedure.parameters if each.startswith("*")]
        results = procedure.run(self._interpreter.session, values)
        for parameter, value in zip(outs, results or (), strict=True):
            if parameter[1:] in given:
                self._interpreter.evaluator.assign(given[parameter[1:]], value, scope)

    def call(
        self,
        routines: Sequence[DeclaredRoutine],
        arguments: Sequence[tree.Expression],
        scope: Scope,
        token: Token,
        *,
        wants_value: bool,
    ) -> tuple[Any, PlType | None]:
        """Call a routine, the first of those of the name that takes the arguments. Raises ORA-06550 with
        PLS-00306 when none does."""
        for declared in routines:
            routine = declared.routine
            if (routine.returns is None) == wants_value:
                continue
            given = _by_parameter(arguments, [parameter.name for parameter in routine.parameters])
            if given is None:
                continue
            if any(p.default is None and p.name not in given for p in routine.parameters):
                continue
            if len(routines) > 1 and not self._fits(declared, given, scope):
                continue
            return self._invoke(declared, given, scope)
        message = f"PLS-00306: wrong number or types of arguments in call to '{token.word}'"
        raise compile_error(scope.source, token.start, message)

    def _fits(self, declared: DeclaredRoutine, given: dict[str, tree.Expression], scope: Scope) -> bool:
        for parameter in declared.routine.parameters:
            if parameter.mode != "IN" or parameter.name not in given:
                continue
            kind = resolve_type(self._interpreter, parameter.type, declared.scope, unsized=True)
            value = self._interpreter.evaluator.value(given[parameter.name], scope)
            try:
                converted = kind.convert(value)
            except OracleError:
                return False
            content = getattr(value, "content", value)
            if isinstance(content, (str, bytes)) and type(content) is not type(
                getattr(converted, "content", converted)
            ):
                return False
        return True

    def _invoke(
        self, declared: DeclaredRoutine, given: dict[str, tree.Expression], scope: Scope
    ) -> tuple[Any, PlType | None]:
        routine = declared.routine
        if routine.body is None:
            raise OracleError(4067, f'not executed, package body "{declared.unit}" does not exist')
        if self._depth >= _MOST_CALLS:
            raise OracleError(36, f"maximum number of recursive SQL levels ({_MOST_CALLS}) exceeded")
        inner = Scope(declared.scope.source, declared.scope, unit=declared.unit)
        for parameter in routine.parameters:
            kind = resolve_type(self._interpreter, parameter.type, declared.scope, unsized=True)
            argument = given.get(parameter.name)
            cell = Cell(kind, kind.initial())
            if parameter.mode != "OUT":
                if argument is not None:
                    cell.value = kind.convert(self._interpreter.evaluator.value(argument, scope))
                elif parameter.default is not None:
                    cell.value = kind.convert(self._interpreter.evaluator.value(parameter.default, inner))
                cell.constant = parameter.mode == "IN"
            else:
                assert argument is not None  # an OUT parameter has no default
                self._interpreter.evaluator.target_cell(argument, scope)
            inner.names[parameter.name] = cell
        returned, kind_returned = self._run_routine(declared, inner)
        for parameter in routine.parameters:
            if parameter.mode != "IN" and parameter.name in given:
                self._interpreter.evaluator.assign(
                    given[parameter.name], inner.names[parameter.name].value, scope
                )
        return returned, kind_returned

    def _run_routine(self, declared: DeclaredRoutine, inner: Scope) -> tuple[Any, PlType | None]:
        routine = declared.routine
        assert routine.body is not None
        kind = None
        if routine.returns is not None:
            kind = resolve_type(self._interpreter, routine.returns, declared.scope, unsized=True)
        self._depth += 1
        error, self._interpreter.current_error = self._interpreter.current_error, None
        try:
            with self._interpreter.units.as_owner(declared.unit), self._interpreter.located(inner):
                if routine.autonomous:
                    with self._interpreter.session.autonomous_transaction():
                        self._interpreter.run_block(routine.body, inner)
                else:
                    self._interpreter.run_block(routine.body, inner)
        except Returned as returned:
            return (None, None) if kind is None else (kind.convert(returned.value), kind)
        finally:
            self._depth -= 1
            self._interpreter.current_error = error
        if kind is not None:
            raise OracleError(6503, "PL/SQL: Function returned without value")
        return None, None


def _content(value: Any) -> Any:
    return value.content if isinstance(value, StoredLob) else value


def _dotted(tokens: Sequence[Token]) -> tuple[str, int]:
    """A dotted name at the start of tokens, and how many of them it is."""
    name, place = tokens[0].word, 1
    while place + 1 < len(tokens) and tokens[place].word == "." and tokens[place + 1].kind == "name":
        name += "." + tokens[place + 1].word
        place += 2
    return name, place


def _by_parameter(
    arguments: Sequence[tree.Expression], names: Sequence[str]
) -> dict[str, tree.Expression] | None:
    """Arguments by the names of their parameters, None when they do not go together."""
    given: dict[str, tree.Expression] = {}
    for number, argument in enumerate(arguments):
        tokens = argument.tokens
        if len(tokens) > 2 and tokens[1].word == "=>" and tokens[0].kind == "name":
            name, argument = tokens[0].word, tree.Expression(tokens[2:])
        elif number < len(names):
            name = names[number]
        else:
            return None
        if name in given or name not in names:
            return None
        given[name] = argument
    return given
