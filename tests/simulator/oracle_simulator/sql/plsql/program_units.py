# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored procedures, functions and packages: found by name, and brought to life once per session."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from oracle_simulator.data.system_tables import SourceRow
from oracle_simulator.errors import OracleError
from oracle_simulator.sql.plsql.declarations import declare
from oracle_simulator.sql.plsql.parser import parse_unit
from oracle_simulator.sql.plsql.scopes import Scope
from oracle_simulator.sql.plsql.tokens import Token

if TYPE_CHECKING:
    from oracle_simulator.sql.plsql.interpreter import Interpreter

_ROUTINES = ("PROCEDURE", "FUNCTION")


class Units:
    """Program units as one interpreter sees them. What a package's variables hold lasts as long as the session, or
    until the package is compiled again."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._session = interpreter.session

    def resolve(self, tokens: Sequence[Token], place: int, scope: Scope) -> tuple[Any, int] | None:
        """What a dotted name stands for in a program unit, and how many tokens it is; None if in none."""
        names = [tokens[place].word]
        following = place + 1
        while following + 1 < len(tokens) and tokens[following].word == "." and len(names) < 3:
            if tokens[following + 1].kind != "name":
                break
            names.append(tokens[following + 1].word)
            following += 2
        schema = self._session.schema
        for owner, parts, skipped in ((schema, names, 0), (names[0], names[1:], 1)):
            if not parts:
                continue
            found = self._in_schema(owner, parts)
            if found is not None:
                known, used = found
                return known, 2 * (used + skipped) - 1
        return None

    def _in_schema(self, owner: str, names: Sequence[str]) -> tuple[Any, int] | None:
        row = self._source(owner, names[0], *_ROUTINES)
        if row is not None:
            return self._unit_scope(row).names[names[0]], 1
        specification = self._source(owner, names[0], "PACKAGE")
        if specification is None or len(names) < 2:
            return None
        return self._member(specification, names[1])

    def _member(self, specification: SourceRow, name: str) -> tuple[Any, int] | None:
        public = self._unit_scope(specification)
        if name not in public.names:
            return None
        body = self._source(specification.owner, specification.name, "PACKAGE BODY")
        if body is None:
            return public.names[name], 2
        return self._unit_scope(body, public).names.get(name, public.names[name]), 2

    def _source(self, owner: str, name: str, *kinds: str) -> SourceRow | None:
        data = self._session.open_data
        if data is None:
            return None
        row = data.dictionary.find_source(owner, name, kinds)
        if row is None or owner == self._session.user:
            return row
        privileges, dictionary = self._session.privileges, data.dictionary
        if privileges.has(dictionary, "EXECUTE ANY PROCEDURE"):
            return row
        return row if privileges.on_object(dictionary, owner, {name}, ("EXECUTE",)) else None

    def _unit_scope(self, row: SourceRow, public: Scope | None = None) -> Scope:
        """The names a unit declares. Raises ORA-06550 or ORA-04063 for one with errors."""
        key = (row.owner, row.name, row.type)
        present = self._session.packages.get(key)
        if present is not None and present[0] == row.text:
            return present[1]
        if not row.valid:
            raise OracleError(4063, f'{row.type.lower()} "{row.owner}.{row.name}" has errors')
        unit = parse_unit(row.text)
        scope = Scope(row.text, public, unit=f"{row.owner}.{row.name}")
        if public is not None:
            # The body completes what the specification announces.
            scope.names.update(
                {name: known for name, known in public.names.items() if not isinstance(known, list)}
            )
        self._session.packages[key] = (row.text, scope)
        with self.as_owner(scope.unit):
            declare(self._interpreter, unit.declarations, scope)
            if unit.initialization is not None:
                self._interpreter.run_block(unit.initialization, scope)
        return scope

    def as_owner(self, unit: str) -> AbstractContextManager[None]:
        """A unit runs as its owner. An anonymous block's routines run as they are."""
        owner = unit.partition(".")[0]
        return self._session.as_owner(owner) if owner else contextlib.nullcontext()
