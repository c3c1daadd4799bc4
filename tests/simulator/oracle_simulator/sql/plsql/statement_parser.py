# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statements of a block (PL/SQL Language Reference)."""

from __future__ import annotations

import abc
from collections.abc import Callable

from oracle_simulator.sql.plsql import tree
from oracle_simulator.sql.plsql.token_stream import TokenStream
from oracle_simulator.sql.plsql.tokens import Token

_SQL_WORDS = frozenset(
    {
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "LOCK",
        "WITH",
        "SET",
    }
)


class StatementParser(TokenStream, abc.ABC):
    """Blocks and their statements; a subclass knows declarations."""

    @abc.abstractmethod
    def _declarations(self) -> tuple[tree.Statement, ...]:
        """All declarations up to BEGIN."""

    def _block(self) -> tree.Block:
        start = self._next.start
        declarations = self._declarations() if self._accept("DECLARE") else ()
        return self._body(start, declarations)

    def _body(self, start: int, declarations: tuple[tree.Statement, ...]) -> tree.Block:
        self._expect("BEGIN")
        body = self._statements("END", "EXCEPTION")
        handlers: list[tree.Handler] = []
        if self._accept("EXCEPTION"):
            while self._accept("WHEN"):
                names = [self._dotted_name()]
                while self._accept("OR"):
                    names.append(self._dotted_name())
                self._expect("THEN")
                handlers.append(tree.Handler(tuple(names), self._statements("WHEN", "END")))
        self._expect("END")
        if self._next.kind == "name":
            self._take()
        return tree.Block(start, declarations, body, tuple(handlers))

    def _statements(self, *ends: str) -> tuple[tree.Statement, ...]:
        found: list[tree.Statement] = []
        while not any(self._at(end) for end in ends):
            if self._next.kind == "end":
                raise self._unexpected("END")
            found.append(self._statement())
            self._expect(";")
        if not found:
            raise self._unexpected("a statement")
        return tuple(found)

    def _statement(self) -> tree.Statement:
        label = None
        if self._accept("<<"):
            label = self._name()
            self._expect(">>")
        start = self._next.start
        word = self._next.word if self._next.kind == "name" else ""
        special: dict[str, Callable[[int], tree.Statement]] = {
            "IF": self._if,
            "CASE": self._case,
            "RETURN": self._return,
            "EXIT": self._exit,
            "CONTINUE": self._exit,
            "RAISE": self._raise,
            "EXECUTE": self._execute_immediate,
            "OPEN": self._open,
            "FETCH": self._fetch,
            "CLOSE": self._close,
        }
        if word in ("BEGIN", "DECLARE"):
            return self._block()
        if word in ("LOOP", "WHILE"):
            return self._loop(start, label)
        if word == "FOR":
            return self._for(start, label)
        if word in special and self._ahead().word not in (":=", ".", "("):
            return special[word](start)
        if word == "NULL":
            self._take()
            return tree.Null(start)
        if word in _SQL_WORDS and self._ahead().word not in (":=", "."):
            return self._sql(start)
        first = self._place
        target = self._until(":=")
        if self._accept(":="):
            return tree.Assign(start, target, self._until())
        self._require_call(first, target.tokens)
        return tree.Call(start, target)

    def _require_call(self, first: int, tokens: tuple[Token, ...]) -> None:
        """A name, dots and parentheses are all that a call consists of. Raises ORA-06550 with PLS-00103."""
        depth = 0
        for place, token in enumerate(tokens):
            depth -= token.word == ")"
            if depth == 0 and token.kind != "symbol" and place and tokens[place - 1].word != ".":
                self._place = first + place
                raise self._unexpected(":= . ( @ % ;")
            depth += token.word == "("

    def _if(self, start: int) -> tree.Statement:
        self._take()
        branches = []
        while True:
            condition = self._until("THEN")
            self._expect("THEN")
            branches.append((condition, self._statements("ELSIF", "ELSE", "END")))
            if not self._accept("ELSIF"):
                break
        default = self._statements("END") if self._accept("ELSE") else ()
        self._expect("END", "IF")
        return tree.If(start, tuple(branches), default)

    def _case(self, start: int) -> tree.Statement:
        self._take()
        operand = None if self._at("WHEN") else self._until("WHEN")
        branches = []
        while self._accept("WHEN"):
            value = self._until("THEN")
            self._expect("THEN")
            branches.append((value, self._statements("WHEN", "ELSE", "END")))
        default = self._statements("END") if self._accept("ELSE") else None
        self._expect("END", "CASE")
        return tree.Case(start, operand, tuple(branches), default)

    def _return(self, start: int) -> tree.Statement:
        self._take()
        return tree.Return(start, None if self._at(";") else self._until())

    def _exit(self, start: int) -> tree.Statement:
        continues = self._take().word == "CONTINUE"
        label = self._take().word if self._next.kind == "name" and not self._at("WHEN") else None
        condition = self._until() if self._accept("WHEN") else None
        return tree.Exit(start, condition, label, continues)

    def _raise(self, start: int) -> tree.Statement:
        self._take()
        return tree.Raise(start, None if self._at(";") else self._dotted_name())

    def _loop_body(self) -> tuple[tree.Statement, ...]:
        self._expect("LOOP")
        body = self._statements("END")
        self._expect("END", "LOOP")
        if self._next.kind == "name":
            self._take()
        return body

    def _loop(self, start: int, label: str | None) -> tree.Statement:
        condition = self._until("LOOP") if self._accept("WHILE") else None
        return tree.Loop(start, self._loop_body(), condition, label)

    def _for(self, start: int, label: str | None) -> tree.Statement:
        self._take()
        variable = self._name()
        self._expect("IN")
        reverse = self._accept("REVERSE")
        first = self._until("..", "LOOP")
        if self._accept(".."):
            last = self._until("LOOP")
            return tree.RangeLoop(start, variable, first, last, self._loop_body(), reverse, label)
        is_query = (
            len(first.tokens) > 1 and first.tokens[0].word == "(" and first.tokens[1].word in _SQL_WORDS
        )
        query = tree.Expression(first.tokens[1:-1]) if is_query else first
        return tree.QueryLoop(start, variable, query, self._loop_body(), not is_query, label)

    def _sql(self, start: int) -> tree.Statement:
        first = self._place
        statement = self._until(required=False)
        tokens = statement.tokens
        word = tokens[0].word
        bulk_into = _into(tokens)
        if bulk_into is None or word not in ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE"):
            return tree.Sql(start, statement)
        begin, end, bulk = bulk_into
        if word == "INSERT" and not _has_returning(tokens[:begin]):
            return tree.Sql(start, statement)
        after_place = self._place
        self._place = first + end
        into = self._list_until("FROM")
        resumed = self._place - first
        self._place = after_place
        rest = tokens[:begin] + tokens[resumed:] if word in ("SELECT", "WITH") else tokens[:begin]
        return tree.Sql(start, tree.Expression(rest), into, bulk)

    def _execute_immediate(self, start: int) -> tree.Statement:
        self._expect("EXECUTE", "IMMEDIATE")
        text = self._until("INTO", "USING", "RETURNING", "BULK")
        into: tuple[tree.Expression, ...] = ()
        using: tuple[tree.Expression, ...] = ()
        self._accept("BULK", "COLLECT")
        if self._accept("INTO"):
            into = self._list_until("USING")
        if self._accept("USING"):
            using = tuple(map(_without_mode, self._list_until("RETURNING", "RETURN")))
        return tree.ExecuteImmediate(start, text, into, using)

    def _open(self, start: int) -> tree.Statement:
        self._take()
        cursor = self._until("FOR")
        if not self._accept("FOR"):
            return tree.Open(start, cursor)
        is_query = self._at("SELECT") or self._at("WITH") or self._at("(", "SELECT")
        query = self._until() if is_query else self._until("USING")
        using = self._list_until() if self._accept("USING") else ()
        return tree.Open(start, cursor, query, not is_query, using)

    def _fetch(self, start: int) -> tree.Statement:
        self._take()
        cursor = self._until("INTO", "BULK")
        bulk = self._accept("BULK", "COLLECT")
        self._expect("INTO")
        into = self._list_until("LIMIT")
        if self._accept("LIMIT"):
            self._until()
        return tree.Fetch(start, cursor, into, bulk)

    def _close(self, start: int) -> tree.Statement:
        self._take()
        return tree.Close(start, self._until())


def _into(tokens: tuple[Token, ...]) -> tuple[int, int, bool] | None:
    """Where [BULK COLLECT] INTO begins and ends outside parentheses, and whether it is BULK COLLECT."""
    depth = 0
    for place, token in enumerate(tokens):
        depth += (token.word == "(") - (token.word == ")")
        if depth == 0 and token.kind == "name" and token.word == "INTO" and place > 1:
            bulk = tokens[place - 1].word == "COLLECT"
            return place - (2 if bulk else 0), place + 1, bulk
    return None


def _has_returning(tokens: tuple[Token, ...]) -> bool:
    return any(token.word in ("RETURNING", "RETURN") for token in tokens)


def _without_mode(expression: tree.Expression) -> tree.Expression:
    tokens = expression.tokens
    while tokens and tokens[0].kind == "name" and tokens[0].word in ("IN", "OUT") and len(tokens) > 1:
        tokens = tokens[1:]
    return tree.Expression(tokens)
