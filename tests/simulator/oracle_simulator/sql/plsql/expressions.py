# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of PL/SQL expressions.

References to variables, binds, cursors and the results of calls become binds of a query on DUAL, so all operators
and functions are the SQL engine's. What is no scalar (a collection, a record, a cursor, a truth value) never gets
there: an expression is then that reference alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from oracle_simulator.errors import OracleError
from oracle_simulator.intervals import IntervalYM
from oracle_simulator.net.backend import Bind, DataType, Result
from oracle_simulator.sql.plsql.datatypes import (
    Boolean,
    Collection,
    CollectionOf,
    OpenCursor,
    PlType,
    Record,
)
from oracle_simulator.sql.plsql.exceptions import sql_code, sql_errm
from oracle_simulator.sql.plsql.scopes import Cell, DeclaredCursor, DeclaredRoutine, Scope
from oracle_simulator.sql.plsql.tokens import Token, compile_error
from oracle_simulator.sql.plsql.tree import Expression
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.queries import execute_query
from oracle_simulator.sql.query.types import SqlType

if TYPE_CHECKING:
    from oracle_simulator.sql.plsql.interpreter import Interpreter

_CONDITION_WORDS = frozenset({"AND", "OR", "NOT", "LIKE", "BETWEEN", "IN", "IS"})
_CONDITION_SYMBOLS = frozenset({"=", "<", ">", "<=", ">=", "<>", "!=", "^=", "~="})
_TRUTH_SQL = {"TRUE": "(1 = 1)", "FALSE": "(1 = 0)"}
_TRUTH: dict[str, bool | None] = {"TRUE": True, "FALSE": False, "NULL": None}


class Found(NamedTuple):
    """A value, its type if it is known, and the number of tokens it was written in."""

    value: Any
    type: PlType | None
    length: int


class Substituted(NamedTuple):
    """A text of SQL with binds in place of what was PL/SQL's."""

    text: str
    binds: list[Bind]
    values: list[Any]


def matching(tokens: Sequence[Token], start: int) -> int:
    """The place of the parenthesis that closes the one at ``start``."""
    depth = 0
    for place in range(start, len(tokens)):
        depth += (tokens[place].word == "(") - (tokens[place].word == ")")
        if depth == 0:
            return place
    return len(tokens)


def split_arguments(tokens: Sequence[Token]) -> list[Expression]:
    """Arguments between parentheses, at their commas."""
    if not tokens:
        return []
    items: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.word == "(" and token.kind == "symbol") - (
            token.word == ")" and token.kind == "symbol"
        )
        if depth == 0 and token.kind == "symbol" and token.word == ",":
            items.append([])
        else:
            items[-1].append(token)
    return [Expression(tuple(item)) for item in items]


def sql_kind(value: Any, declared: PlType | None) -> SqlType:
    """The SQL type of a scalar."""
    if declared is not None and declared.kind is not None:
        return declared.kind
    if isinstance(value, (bool, int)) or value is None:
        return types.NUMBER if value is not None else types.VARCHAR2
    if isinstance(value, bytes):
        return types.RAW
    if isinstance(value, str):
        return types.VARCHAR2
    if isinstance(value, float):
        return types.BINARY_DOUBLE
    if isinstance(value, IntervalYM):
        return types.INTERVAL_YM
    named = {"datetime": types.TIMESTAMP, "timedelta": types.INTERVAL}
    return named.get(type(value).__name__, types.NUMBER)


class Evaluator:
    """Evaluates for one interpreter."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter

    # ------------------------------------------------------------ expressions

    def value(self, expression: Expression, scope: Scope) -> Any:
        """The value of an expression."""
        return self.typed_value(expression, scope)[0]

    def condition(self, expression: Expression, scope: Scope) -> bool:
        """Whether a condition is true: null is not."""
        return self.value(expression, scope) is True

    def typed_value(self, expression: Expression, scope: Scope) -> tuple[Any, PlType | None]:
        """The value and, of a variable or call, its type."""
        tokens = _bare(expression.tokens)
        if not tokens:
            raise compile_error(scope.source, expression.start, "PLS-00103: an expression is missing")
        if len(tokens) == 1:
            token = tokens[0]
            if token.kind == "name" and token.word in _TRUTH:
                return _TRUTH[token.word], None
            if token.kind == "number" and token.text.isdigit():
                return int(token.text), None
        found = self.reference(tokens, 0, scope)
        if found is not None and found.length == len(tokens):
            return found.value, found.type
        sql = self.substitute(tokens, scope)
        if _is_condition(tokens):
            text = f"SELECT CASE WHEN ({sql.text}) THEN 1 WHEN NOT ({sql.text}) THEN 0 END FROM DUAL"
            answer = self._scalar(text, [*sql.binds, *sql.binds], [*sql.values, *sql.values])
            return None if answer is None else bool(answer), Boolean()
        return self._scalar(f"SELECT {sql.text} FROM DUAL", sql.binds, sql.values), None

    def _scalar(self, text: str, binds: Sequence[Bind], values: Sequence[Any]) -> Any:
        result = execute_query(self._interpreter.session, text, binds, [values])
        return next(result.rows)[0]

    # ------------------------------------------------------------ SQL

    def substitute(
        self, tokens: Sequence[Token], scope: Scope, columns: frozenset[str] = frozenset()
    ) -> Substituted:
        """Tokens as a text of SQL; ``columns`` are names that are columns there, whatever else they are. The
        VALUES of an INSERT know no columns."""
        parts: list[str] = []
        hiding = columns
        result = Substituted("", [], [])
        place = end = 0
        while place < len(tokens):
            token = tokens[place]
            if place and token.start != end:
                parts.append(" ")
            after_dot = place > 0 and tokens[place - 1].word == "." and tokens[place - 1].kind == "symbol"
            found = None
            if token.kind == "name" and tokens[0].word == "INSERT" and token.word in ("VALUES", "RETURNING"):
                hiding = columns if token.word == "RETURNING" else frozenset()
            if not after_dot and not (token.kind == "name" and token.word in hiding):
                found = self.reference(tokens, place, scope)
            if found is not None:
                parts.append(self._placed(found, result, token, scope))
                place += found.length
            else:
                parts.append(_TRUTH_SQL.get(token.word, token.text) if token.kind == "name" else token.text)
                place += 1
            end = tokens[place - 1].end
        return result._replace(text="".join(parts))

    def _placed(self, found: Found, result: Substituted, token: Token, scope: Scope) -> str:
        if isinstance(found.value, (Collection, Record, OpenCursor)):
            raise compile_error(scope.source, token.start, "PLS-00382: expression is of wrong type")
        kind = sql_kind(found.value, found.type)
        result.values.append(int(found.value) if isinstance(found.value, bool) else found.value)
        name = f":P{len(result.values)}"
        if isinstance(found.value, bool) or isinstance(found.type, Boolean):
            result.binds.append(Bind(DataType.NUMBER))
            return f"({name} = 1)"
        result.binds.append(Bind(kind.type, kind.size, national=kind.national))
        return name

    # ------------------------------------------------------------ references

    def reference(self, tokens: Sequence[Token], place: int, scope: Scope) -> Found | None:
        """What PL/SQL knows at a place of the tokens: a variable, a bind, a call. None for what is left to SQL."""
        token = tokens[place]
        if token.kind == "bind":
            cell = scope.bind(token.word)
            if cell is None:
                raise OracleError(1008, "not all variables bound")
            return self._path(tokens, place, place + 1, cell.value, cell.type, scope)
        if token.kind != "name":
            return None
        following = tokens[place + 1].word if place + 1 < len(tokens) else ""
        if token.word == "SQL" and following == "%":
            return Found(self._interpreter.sql_attribute(tokens[place + 2].word), None, 3)
        if token.word in ("SQLCODE", "SQLERRM") and scope.find(token.word) is None:
            error = self._interpreter.current_error
            value = sql_code(error) if token.word == "SQLCODE" else sql_errm(error)
            return Found(value, None, 1)
        known = scope.find(token.word)
        length = 1
        if known is None:
            resolved = self._interpreter.units.resolve(tokens, place, scope)
            if resolved is None:
                return None
            known, length = resolved
        return self._known(known, tokens, place, place + length, scope)

    def _known(
        self, known: Any, tokens: Sequence[Token], place: int, after: int, scope: Scope
    ) -> Found | None:
        if isinstance(known, Scope):  # a package named from inside, or a label
            return None
        if isinstance(known, Cell):
            return self._path(tokens, place, after, known.value, known.type, scope)
        if isinstance(known, DeclaredCursor):
            return self._path(tokens, place, after, known.open, None, scope)
        if isinstance(known, CollectionOf) and after < len(tokens) and tokens[after].word == "(":
            end = matching(tokens, after)
            items = [self.value(item, scope) for item in split_arguments(tokens[after + 1 : end])]
            return Found(known.convert(items), known, end + 1 - place)
        if isinstance(known, list) and all(isinstance(item, DeclaredRoutine) for item in known):
            return self._call(known, tokens, place, after, scope)
        return None

    def _call(
        self, routines: list[DeclaredRoutine], tokens: Sequence[Token], place: int, after: int, scope: Scope
    ) -> Found | None:
        arguments: list[Expression] = []
        end = after
        if after < len(tokens) and tokens[after].word == "(":
            close = matching(tokens, after)
            arguments = split_arguments(tokens[after + 1 : close])
            end = close + 1
        value, kind = self._interpreter.calls.call(
            routines, arguments, scope, tokens[place], wants_value=True
        )
        return self._path(tokens, place, end, value, kind, scope)

    def _path(
        self, tokens: Sequence[Token], place: int, after: int, value: Any, kind: PlType | None, scope: Scope
    ) -> Found:
        """Follow ``.field``, ``(index)``, ``.METHOD`` and ``%ATTRIBUTE`` behind a value."""
        while after < len(tokens):
            word = tokens[after].word if tokens[after].kind == "symbol" else ""
            if word == "%" and after + 1 < len(tokens):
                return Found(_attribute(value, tokens[after + 1].word), None, after + 2 - place)
            if word == "." and isinstance(value, Record):
                name = tokens[after + 1].word
                kind, value, after = value.type.fields.get(name), value.field(name), after + 2
            elif word == "." and isinstance(value, Collection):
                name, after = tokens[after + 1].word, after + 2
                arguments: list[Any] = []
                if after < len(tokens) and tokens[after].word == "(":
                    end = matching(tokens, after)
                    arguments = [self.value(item, scope) for item in split_arguments(tokens[after + 1 : end])]
                    after = end + 1
                element = (
                    value.type.element if name not in ("COUNT", "FIRST", "LAST", "NEXT", "PRIOR") else None
                )
                kind, value = (Boolean() if name == "EXISTS" else element), value.method(name, arguments)
            elif word == "(" and isinstance(value, Collection):
                end = matching(tokens, after)
                index = self.value(Expression(tuple(tokens[after + 1 : end])), scope)
                kind, value, after = value.type.element, value.element(index), end + 1
            elif word == "(" and value is None and isinstance(kind, CollectionOf):
                raise OracleError(6531, "Reference to uninitialized collection")
            else:
                break
        return Found(value, kind, after - place)

    # ------------------------------------------------------------ targets

    def assign(self, target: Expression, value: Any, scope: Scope) -> None:
        """Give a variable, bind, element or field a value. Raises ORA-06502, ORA-06550."""
        tokens = target.tokens
        cell, after = self.target_cell(target, scope)
        if cell.constant:
            name = tokens[0].text
            message = f"PLS-00363: expression '{name.upper()}' cannot be used as an assignment target"
            raise compile_error(scope.source, tokens[0].start, message)
        if after == len(tokens):
            cell.assign(value)
            return
        cell.written = True
        container = cell.value
        while True:
            word = tokens[after].word
            if word == "(" and isinstance(container, Collection):
                end = matching(tokens, after)
                index = self.value(Expression(tokens[after + 1 : end]), scope)
                after = end + 1
                if after == len(tokens):
                    _store(container, index, value)
                    return
                if index not in container.elements and container.type.is_associative:
                    container.elements[index] = container.type.element.initial()
                container = container.element(index)
            elif word == "." and isinstance(container, Record):
                name = tokens[after + 1].word
                after += 2
                if after == len(tokens):
                    container.field(name)
                    container.values[name] = container.type.fields[name].convert(value)
                    return
                container = container.field(name)
            elif container is None:
                raise OracleError(6531, "Reference to uninitialized collection")
            else:
                raise compile_error(scope.source, target.start, "PLS-00302: component must be declared")

    def target_cell(self, target: Expression, scope: Scope) -> tuple[Cell, int]:
        """The variable at the root of a target, and the number of tokens it is named with."""
        token = target.tokens[0]
        found: Any = scope.bind(token.word) if token.kind == "bind" else scope.find(token.word)
        length = 1
        if found is None and token.kind == "name":
            resolved = self._interpreter.units.resolve(target.tokens, 0, scope)
            if resolved is not None:
                found, length = resolved
        if not isinstance(found, Cell):
            message = f"PLS-00201: identifier '{token.text.upper()}' must be declared"
            raise compile_error(scope.source, token.start, message)
        return found, length


def _store(collection: Collection, index: Any, value: Any) -> None:
    if index is None:
        raise OracleError(6502, "PL/SQL: numeric or value error: NULL index table key value")
    if not collection.type.is_associative and index not in collection.elements:
        raise OracleError(6533, "Subscript beyond count")
    collection.elements[index] = collection.type.element.convert(value)


def _attribute(value: Any, name: str) -> Any:
    """%FOUND, %NOTFOUND, %ISOPEN and %ROWCOUNT of a cursor. Raises ORA-01001."""
    if isinstance(value, Result):
        value = OpenCursor(value)
    is_open = isinstance(value, OpenCursor) and value.is_open
    if name == "ISOPEN":
        return is_open
    if not is_open:
        raise OracleError(1001, "invalid cursor")
    if name == "FOUND":
        return value.found
    if name == "NOTFOUND":
        return None if value.found is None else not value.found
    return value.row_count


def _bare(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    while len(tokens) > 2 and tokens[0].word == "(" and matching(tokens, 0) == len(tokens) - 1:
        if tokens[1].word in ("SELECT", "WITH"):
            break
        tokens = tokens[1:-1]
    return tokens


def _is_condition(tokens: Sequence[Token]) -> bool:
    depth = cases = 0
    for token in tokens:
        if token.kind == "symbol":
            depth += (token.word == "(") - (token.word == ")")
        elif token.kind == "name":
            cases += (token.word == "CASE") - (token.word == "END" and cases > 0)
        if depth or cases:
            continue
        if token.kind == "symbol" and token.word in _CONDITION_SYMBOLS:
            return True
        if token.kind == "name" and token.word in _CONDITION_WORDS:
            return True
    return False
