# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the text of a block or program unit to its tree (PL/SQL Language Reference)."""

from __future__ import annotations

import functools
from collections.abc import Callable

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.plsql import tree
from oracle_simulator.sql.plsql.tokens import Token, compile_error, tokenize

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
_END = Token("end", "", "", 0, 0)
_TWO_WORD_TYPES = {("LONG", "RAW"): "LONG RAW", ("DOUBLE", "PRECISION"): "DOUBLE PRECISION"}
_UNIT_KINDS = ("PROCEDURE", "FUNCTION", "PACKAGE")


@functools.lru_cache(maxsize=256)
def parse_block(text: str) -> tree.Block:
    """An anonymous block, or CALL. Raises ORA-06550."""
    return _Parser(text).anonymous_block()


@functools.lru_cache(maxsize=256)
def parse_unit(source: str) -> tree.ProgramUnit:
    """A program unit, from its kind on (``PROCEDURE name ...``). Raises ORA-06550."""
    return _Parser(source).unit()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._place = 0

    # ------------------------------------------------------------ tokens

    @property
    def _next(self) -> Token:
        return self._tokens[self._place] if self._place < len(self._tokens) else _END

    def _ahead(self, count: int = 1) -> Token:
        place = self._place + count
        return self._tokens[place] if place < len(self._tokens) else _END

    def _at(self, *words: str) -> bool:
        return all(self._ahead(i).word == word for i, word in enumerate(words)) and self._is_word()

    def _is_word(self) -> bool:
        return self._next.kind in ("name", "symbol")

    def _take(self) -> Token:
        token = self._next
        self._place += 1
        return token

    def _accept(self, *words: str) -> bool:
        if not self._at(*words):
            return False
        self._place += len(words)
        return True

    def _expect(self, *words: str) -> None:
        for word in words:
            if not self._accept(word):
                raise self._unexpected(word)

    def _unexpected(self, expected: str) -> OracleError:
        token = self._next
        shown = token.text.upper() if token.kind != "end" else "end-of-file"
        place = token.start if token.kind != "end" else len(self._text)
        text = f'PLS-00103: Encountered the symbol "{shown}" when expecting one of the following:\n\n   {expected}'
        return compile_error(self._text, place, text)

    def _name(self) -> str:
        if self._next.kind != "name":
            raise self._unexpected("<an identifier>")
        return self._take().word

    def _dotted_name(self) -> str:
        name = self._name()
        while self._accept("."):
            name += "." + self._name()
        return name

    def _until(self, *ends: str, required: bool = True) -> tree.Expression:
        """The tokens up to one of these words outside parentheses and CASE; that one is not taken."""
        start = self._place
        depth = cases = 0
        while self._next.kind != "end":
            word = self._next.word if self._is_word() else ""
            if depth == 0 and cases == 0 and word in ends:
                break
            if word == "CASE":
                cases += 1
            elif word == "END" and cases:
                cases -= 1
            elif word == "(":
                depth += 1
            elif word == ")":
                depth -= 1
                if depth < 0:
                    break
            elif word == ";":
                break
            self._place += 1
        if required and self._place == start:
            raise self._unexpected("an expression")
        return tree.Expression(self._tokens[start : self._place])

    def _list_until(self, *ends: str) -> tuple[tree.Expression, ...]:
        items = [self._until(",", *ends)]
        while self._accept(","):
            items.append(self._until(",", *ends))
        return tuple(items)

    # ------------------------------------------------------------ whole texts

    def anonymous_block(self) -> tree.Block:
        if self._at("CALL"):
            return self._call_statement()
        block = self._block()
        self._accept(";")
        self._accept("/")
        if self._next.kind != "end":
            raise self._unexpected("end-of-file")
        return block

    def _call_statement(self) -> tree.Block:
        start = self._take().start
        call = self._until("INTO")
        statement: tree.Statement = tree.Call(start, call)
        if self._accept("INTO"):
            statement = tree.Assign(start, self._until(), call)
        return tree.Block(start, (), (statement,))

    def unit(self) -> tree.ProgramUnit:
        kind = self._name()
        if kind not in _UNIT_KINDS:
            raise self._unexpected("PROCEDURE")
        if kind != "PACKAGE":
            self._place -= 1
            routine = self._routine(is_unit=True)
            return tree.ProgramUnit(kind, routine.name, self._text, (routine,))
        if self._accept("BODY"):
            kind = "PACKAGE BODY"
        name = self._dotted_name().rpartition(".")[2]
        if self._accept("AUTHID"):
            self._take()
        if not self._accept("IS"):
            self._expect("AS")
        declarations = self._declarations()
        initialization = None
        if self._at("BEGIN"):
            initialization = self._body(self._next.start, ())
        else:
            self._expect("END")
            if self._next.kind == "name":
                self._take()
        self._accept(";")
        return tree.ProgramUnit(kind, name, self._text, declarations, initialization)

    # ------------------------------------------------------------ declarations

    def _declarations(self) -> tuple[tree.Statement, ...]:
        found: list[tree.Statement] = []
        while not self._at("BEGIN") and not self._at("END") and self._next.kind != "end":
            declaration = self._declaration()
            if declaration is not None:
                found.append(declaration)
        return tuple(found)

    def _declaration(self) -> tree.Statement | None:
        start = self._next.start
        if self._at("PROCEDURE") or self._at("FUNCTION"):
            return self._routine()
        if self._accept("PRAGMA"):
            return self._pragma(start)
        if self._accept("TYPE"):
            return self._type(start)
        if self._accept("SUBTYPE"):
            name = self._name()
            self._expect("IS")
            base = self._type_name()
            self._until()
            self._expect(";")
            return tree.Subtype(start, name, base)
        if self._accept("CURSOR"):
            name = self._name()
            parameters = self._parameters()
            self._expect("IS")
            query = self._until()
            self._expect(";")
            return tree.CursorName(start, name, parameters, query)
        name = self._name()
        if self._accept("EXCEPTION"):
            self._expect(";")
            return tree.ExceptionName(start, name)
        constant = self._accept("CONSTANT")
        variable = self._variable(start, name, constant)
        self._expect(";")
        return variable

    def _variable(self, start: int, name: str, constant: bool = False) -> tree.Variable:
        kind = self._type_name()
        not_null = self._accept("NOT", "NULL")
        default = self._until(",", ")") if self._accept(":=") or self._accept("DEFAULT") else None
        return tree.Variable(start, name, kind, default, not_null, constant)

    def _pragma(self, start: int) -> tree.Statement | None:
        name = self._name()
        if name == "EXCEPTION_INIT":
            self._expect("(")
            exception = self._name()
            self._expect(",")
            sign = -1 if self._accept("-") else 1
            code = sign * int(self._take().text)
            self._expect(")", ";")
            return tree.ExceptionCode(start, exception, code)
        self._until(required=False)
        self._expect(";")
        return (
            tree.ExceptionName(start, "AUTONOMOUS_TRANSACTION") if name == "AUTONOMOUS_TRANSACTION" else None
        )

    def _type(self, start: int) -> tree.Statement:
        name = self._name()
        self._expect("IS")
        if self._accept("RECORD"):
            self._expect("(")
            fields = []
            while True:
                fields.append(self._variable(self._next.start, self._name()))
                if not self._accept(","):
                    break
            self._expect(")", ";")
            return tree.RecordType(start, name, tuple(fields))
        if self._accept("REF", "CURSOR"):
            self._until(required=False)
            self._expect(";")
            return tree.Subtype(start, name, tree.TypeName("SYS_REFCURSOR"))
        if self._accept("TABLE"):
            self._expect("OF")
        elif self._accept("VARRAY") or self._accept("VARYING", "ARRAY"):
            self._expect("(")
            self._take()
            self._expect(")", "OF")
        else:
            raise self._unexpected("TABLE")
        element = self._type_name()
        self._accept("NOT", "NULL")
        by_text = associative = False
        if self._accept("INDEX", "BY"):
            associative = True
            by_text = self._type_name().name in ("VARCHAR2", "VARCHAR", "STRING", "LONG")
        self._expect(";")
        return tree.CollectionType(start, name, element, by_text, associative)

    def _type_name(self) -> tree.TypeName:
        start = self._next.start
        if self._accept("INTERVAL"):
            return self._interval(start)
        name = self._name()
        if (name, self._next.word) in _TWO_WORD_TYPES:
            name = _TWO_WORD_TYPES[name, self._take().word]
        while self._accept("."):
            name += "." + self._name()
        if self._accept("%"):
            return tree.TypeName(name, (), self._name(), None, start)
        arguments = self._numbers()
        zone = None
        if self._accept("WITH"):
            zone = "LOCAL" if self._accept("LOCAL") else "ZONE"
            self._expect("TIME", "ZONE")
        return tree.TypeName(name, arguments, None, zone, start)

    def _interval(self, start: int) -> tree.TypeName:
        first = self._name()
        leading = self._numbers()
        self._expect("TO")
        last = self._name()
        trailing = self._numbers()
        arguments = (leading[0] if leading else None, trailing[0] if trailing else None)
        return tree.TypeName(f"INTERVAL {first} TO {last}", arguments, None, None, start)

    def _numbers(self) -> tuple[int | None, ...]:
        if not self._accept("("):
            return ()
        found: list[int | None] = []
        while not self._accept(")"):
            sign = -1 if self._accept("-") else 1
            token = self._take()
            if token.kind == "number":
                found.append(sign * int(token.text))
            elif token.word == "*":
                found.append(None)
            elif token.kind == "end":
                raise self._unexpected(")")
        return tuple(found)

    def _routine(self, is_unit: bool = False) -> tree.Routine:
        start = self._next.start
        is_function = self._take().word == "FUNCTION"
        name = self._dotted_name().rpartition(".")[2] if is_unit else self._name()
        parameters = self._parameters()
        returns = None
        if is_function:
            self._expect("RETURN")
            returns = self._type_name()
        while self._next.word in ("DETERMINISTIC", "AUTHID", "PARALLEL_ENABLE", "PIPELINED", "RESULT_CACHE"):
            if self._take().word == "AUTHID":
                self._take()
        if self._accept(";"):
            return tree.Routine(start, name, parameters, returns)
        if not self._accept("IS"):
            self._expect("AS")
        declared = self._declarations()
        autonomous = any(
            isinstance(item, tree.ExceptionName) and item.name == "AUTONOMOUS_TRANSACTION"
            for item in declared
        )
        body = self._body(start, declared)
        self._accept(";")
        return tree.Routine(start, name, parameters, returns, body, autonomous)

    def _parameters(self) -> tuple[tree.Parameter, ...]:
        if not self._accept("("):
            return ()
        found: list[tree.Parameter] = []
        while True:
            name = self._name()
            mode = "IN"
            if self._accept("IN", "OUT"):
                mode = "IN OUT"
            elif self._accept("OUT"):
                mode = "OUT"
            else:
                self._accept("IN")
            self._accept("NOCOPY")
            kind = self._type_name()
            default = self._until(",", ")") if self._accept(":=") or self._accept("DEFAULT") else None
            found.append(tree.Parameter(name, mode, kind, default))
            if not self._accept(","):
                break
        self._expect(")")
        return tuple(found)

    # ------------------------------------------------------------ statements

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
