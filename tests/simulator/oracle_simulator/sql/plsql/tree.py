# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a PL/SQL text is made of. Nothing here knows how it is run."""

from __future__ import annotations

from dataclasses import dataclass, field

from oracle_simulator.sql.plsql.tokens import Token


@dataclass(frozen=True)
class Expression:
    """Tokens of the text, to be evaluated where they stand."""

    tokens: tuple[Token, ...]

    @property
    def start(self) -> int:
        return self.tokens[0].start if self.tokens else 0


@dataclass(frozen=True)
class TypeName:
    """A type as written: its name, the numbers behind it, and ``%TYPE`` or ``%ROWTYPE``."""

    name: str
    arguments: tuple[int | None, ...] = ()
    attribute: str | None = None
    time_zone: str | None = None
    start: int = 0


@dataclass(frozen=True)
class Statement:
    """``start`` is its place in the text."""

    start: int


# ---------------------------------------------------------------- declarations


@dataclass(frozen=True)
class Variable(Statement):
    name: str
    type: TypeName
    default: Expression | None = None
    not_null: bool = False
    constant: bool = False


@dataclass(frozen=True)
class CollectionType(Statement):
    """TYPE name IS TABLE OF element [INDEX BY ...] or VARRAY. ``by_text``: indexed by strings."""

    name: str
    element: TypeName
    by_text: bool = False
    is_associative: bool = False


@dataclass(frozen=True)
class RecordType(Statement):
    name: str
    fields: tuple[Variable, ...]


@dataclass(frozen=True)
class Subtype(Statement):
    name: str
    base: TypeName


@dataclass(frozen=True)
class ExceptionName(Statement):
    name: str


@dataclass(frozen=True)
class ExceptionCode(Statement):
    """PRAGMA EXCEPTION_INIT(name, code)."""

    name: str
    code: int


@dataclass(frozen=True)
class Parameter:
    """``mode`` is IN, OUT or IN OUT."""

    name: str
    mode: str
    type: TypeName
    default: Expression | None = None


@dataclass(frozen=True)
class CursorName(Statement):
    name: str
    parameters: tuple[Parameter, ...]
    query: Expression


@dataclass(frozen=True)
class Routine(Statement):
    """A procedure, or a function if it ``returns``; without ``body`` only announced."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: TypeName | None = None
    body: Block | None = None
    autonomous: bool = False


# ---------------------------------------------------------------- statements


@dataclass(frozen=True)
class Handler:
    """WHEN names THEN statements; OTHERS is a name."""

    names: tuple[str, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True)
class Block(Statement):
    declarations: tuple[Statement, ...]
    body: tuple[Statement, ...]
    handlers: tuple[Handler, ...] = ()


@dataclass(frozen=True)
class Assign(Statement):
    target: Expression
    value: Expression


@dataclass(frozen=True)
class Call(Statement):
    call: Expression


@dataclass(frozen=True)
class If(Statement):
    branches: tuple[tuple[Expression, tuple[Statement, ...]], ...]
    default: tuple[Statement, ...] = ()


@dataclass(frozen=True)
class Case(Statement):
    """``operand`` None: the branches are conditions. ``default`` None: ORA-06592 when none applies."""

    operand: Expression | None
    branches: tuple[tuple[Expression, tuple[Statement, ...]], ...]
    default: tuple[Statement, ...] | None = None


@dataclass(frozen=True)
class Loop(Statement):
    """LOOP, or WHILE with a condition."""

    body: tuple[Statement, ...]
    condition: Expression | None = None
    label: str | None = None


@dataclass(frozen=True)
class RangeLoop(Statement):
    variable: str
    low: Expression
    high: Expression
    body: tuple[Statement, ...]
    reverse: bool = False
    label: str | None = None


@dataclass(frozen=True)
class QueryLoop(Statement):
    """FOR record IN (query) or IN cursor(arguments)."""

    variable: str
    query: Expression
    body: tuple[Statement, ...]
    is_cursor: bool = False
    label: str | None = None


@dataclass(frozen=True)
class Exit(Statement):
    """EXIT, or CONTINUE when it ``continues``."""

    condition: Expression | None = None
    label: str | None = None
    continues: bool = False


@dataclass(frozen=True)
class Return(Statement):
    value: Expression | None = None


@dataclass(frozen=True)
class Null(Statement):
    pass


@dataclass(frozen=True)
class Raise(Statement):
    name: str | None = None


@dataclass(frozen=True)
class Sql(Statement):
    """A statement of SQL. ``into`` are the targets of SELECT INTO or RETURNING INTO, taken out of a query's
    tokens, not of a change's."""

    statement: Expression
    into: tuple[Expression, ...] = ()
    bulk: bool = False


@dataclass(frozen=True)
class ExecuteImmediate(Statement):
    text: Expression
    into: tuple[Expression, ...] = ()
    using: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Open(Statement):
    """OPEN cursor; OPEN cursor FOR query or text. ``arguments`` are those of a declared cursor or USING."""

    cursor: Expression
    query: Expression | None = None
    is_text: bool = False
    arguments: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Fetch(Statement):
    cursor: Expression
    into: tuple[Expression, ...]
    bulk: bool = False


@dataclass(frozen=True)
class Close(Statement):
    cursor: Expression


@dataclass(frozen=True)
class ProgramUnit:
    """What CREATE PROCEDURE, FUNCTION, PACKAGE or PACKAGE BODY makes: ``kind`` is Oracle's name for it."""

    kind: str
    name: str
    source: str
    declarations: tuple[Statement, ...] = field(default=())
    initialization: Block | None = None
