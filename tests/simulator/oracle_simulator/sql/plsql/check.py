# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the compiler refuses before a block runs: targets and procedures that are not declared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oracle_simulator.sql.plsql import tree
from oracle_simulator.sql.plsql.packages import PROCEDURES
from oracle_simulator.sql.plsql.scopes import Scope
from oracle_simulator.sql.plsql.tokens import Token, compile_error

if TYPE_CHECKING:
    from oracle_simulator.sql.plsql.interpreter import Interpreter


def check_block(interpreter: Interpreter, block: tree.Block, scope: Scope) -> None:
    """Raises ORA-06550 with PLS-00201. Bodies of routines are checked when they run."""
    _Checker(interpreter, scope).block(block, frozenset())


class _Checker:
    def __init__(self, interpreter: Interpreter, scope: Scope) -> None:
        self._interpreter = interpreter
        self._scope = scope

    def block(self, block: tree.Block, outer: frozenset[str]) -> None:
        names = outer | {str(getattr(declared, "name", "")) for declared in block.declarations}
        self._all(block.body, names)
        for handler in block.handlers:
            self._all(handler.body, names)

    def _all(self, statements: Sequence[tree.Statement], names: frozenset[str]) -> None:
        for statement in statements:
            self._statement(statement, names)

    def _statement(self, statement: tree.Statement, names: frozenset[str]) -> None:
        match statement:
            case tree.Assign(_, target):
                self._known(target.tokens, names)
            case tree.Call(_, call):
                self._known(call.tokens, names)
            case tree.If(_, branches, default):
                for _condition, body in branches:
                    self._all(body, names)
                self._all(default, names)
            case tree.Case(_, _operand, branches, default):
                for _condition, body in branches:
                    self._all(body, names)
                self._all(default or (), names)
            case tree.Loop(_, body):
                self._all(body, names)
            case tree.RangeLoop() | tree.QueryLoop():
                self._all(statement.body, names | {statement.variable})
            case tree.Block():
                self.block(statement, names)

    def _known(self, tokens: Sequence[Token], names: frozenset[str]) -> None:
        token = tokens[0]
        if token.kind == "bind" or token.word in names or self._scope.find(token.word) is not None:
            return
        dotted = token.text
        for place in range(1, len(tokens) - 1, 2):
            if tokens[place].word != "." or tokens[place + 1].kind != "name":
                break
            dotted += "." + tokens[place + 1].word
        if dotted.upper().removeprefix("SYS.") in PROCEDURES:
            return
        if self._interpreter.units.resolve(tokens, 0, self._scope) is not None:
            return
        message = f"PLS-00201: identifier '{dotted.upper()}' must be declared"
        raise compile_error(self._scope.source, token.start, message)
