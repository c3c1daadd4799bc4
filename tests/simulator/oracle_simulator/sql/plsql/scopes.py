# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and what they stand for while a block runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from oracle_simulator.sql.plsql import tree
from oracle_simulator.sql.plsql.datatypes import PlType


@dataclass(eq=False)
class Cell:
    """A variable. ``written`` tells of a bind that its value has to go back."""

    type: PlType
    value: Any = None
    constant: bool = False
    written: bool = False

    def assign(self, value: Any) -> None:
        """Raises ORA-06502."""
        self.value = self.type.convert(value)
        self.written = True


@dataclass(eq=False)
class DeclaredCursor:
    declaration: tree.CursorName
    open: Any = None


@dataclass(eq=False)
class DeclaredRoutine:
    """A routine with the scope it was declared in. ``unit`` is OWNER.NAME of the program unit it belongs to, ""
    in an anonymous block."""

    routine: tree.Routine
    scope: Scope
    unit: str = ""


@dataclass(frozen=True, eq=False)
class DeclaredException:
    name: str
    code: int = 1
    """1 is that of every exception that PRAGMA EXCEPTION_INIT has given no other."""


@dataclass(eq=False)
class Scope:
    """The names of one block, routine or package. ``source`` is the text that places in it refer to."""

    source: str
    parent: Scope | None = None
    names: dict[str, Any] = field(default_factory=dict)
    binds: dict[str, Cell] = field(default_factory=dict)
    unit: str = ""

    def find(self, name: str) -> Any:
        """What a name stands for, None if it is not declared."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return None

    def bind(self, name: str) -> Cell | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.binds:
                return scope.binds[name]
            scope = scope.parent
        return None

    def inner(self) -> Scope:
        """A scope of a block within this one."""
        return Scope(self.source, self, unit=self.unit)
