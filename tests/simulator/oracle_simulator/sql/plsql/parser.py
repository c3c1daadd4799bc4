# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the text of a block or program unit to its tree (PL/SQL Language Reference)."""

from __future__ import annotations

import functools

from oracle_simulator.sql.plsql import tree
from oracle_simulator.sql.plsql.statement_parser import StatementParser

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


class _Parser(StatementParser):
    """Whole texts and declarations."""

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
