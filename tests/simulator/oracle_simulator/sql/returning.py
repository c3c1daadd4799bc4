# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RETURNING ... INTO of DML: plain columns only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oracle_simulator.data.tables import Table
from oracle_simulator.errors import OracleError
from oracle_simulator.sql.dialect import BIND_FUNCTION

_CLAUSE = re.compile(
    rf"\bRETURN(?:ING)?\b(?P<columns>[^']*?)\bINTO\b(?P<binds>(?:\s*,?\s*{BIND_FUNCTION}\(\d+\))+)\s*$",
    re.IGNORECASE,
)
_BIND = re.compile(rf"{BIND_FUNCTION}\((\d+)\)")
_COLUMN = re.compile(r"(?:\w+\.)?(?:\"([^\"]+)\"|([A-Za-z][\w$#]*))")


@dataclass(frozen=True)
class Returning:
    """Column positions in the table, and the binds they go to."""

    columns: tuple[int, ...]
    binds: tuple[int, ...]

    def values(self, rows: Sequence[Sequence[Sequence[Any]]]) -> dict[int, Any]:
        """Values by bind from the changed rows of each execution: a list, or a list per execution."""
        found: dict[int, Any] = {}
        for column, bind in zip(self.columns, self.binds, strict=True):
            lists = [[row[column] for row in execution] for execution in rows]
            found[bind] = lists[0] if len(lists) == 1 else lists
        return found


def split_returning(text: str) -> tuple[str, str, tuple[int, ...]]:
    """A statement without its RETURNING clause, the clause's columns as text, and its binds.

    The clause is taken off before parsing: the parser knows only one INTO target.
    """
    found = _CLAUSE.search(text)
    if found is None:
        return text, "", ()
    binds = tuple(int(number) for number in _BIND.findall(found["binds"]))
    return text[: found.start()], found["columns"], binds


def returning_clause(columns: str, binds: tuple[int, ...], table: Table) -> Returning | None:
    """The clause for a table. Raises ORA-00904, ORA-00947, ORA-03001 for anything but columns."""
    if not binds:
        return None
    positions: list[int] = []
    for item in columns.split(","):
        found = _COLUMN.fullmatch(item.strip())
        if not found:
            raise OracleError(3001, "unimplemented feature (RETURNING of an expression)")
        name = found[1] if found[1] is not None else found[2].upper()
        if name not in table.column_names:
            raise OracleError(904, f'"{name}": invalid identifier')
        positions.append(table.column_names.index(name))
    if len(binds) != len(positions):
        raise OracleError(947, "not enough values")
    return Returning(tuple(positions), binds)
