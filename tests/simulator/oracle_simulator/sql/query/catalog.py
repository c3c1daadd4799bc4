# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names in a query can stand for, and what a compiled query needs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from oracle_simulator.sql.query.types import SqlType

ROW_ADDRESS = "$ROWID"
"""The integer primary key of a mirrored table: the row's address."""


@dataclass(frozen=True)
class Relation:
    """A table or view as queries see it. ``object_id`` and ``data_object_id`` are None for a view."""

    name: str
    engine_name: str
    columns: tuple[tuple[str, SqlType], ...]
    object_id: int | None = None
    overlay_name: str | None = None
    """Where the session keeps its own uncommitted rows of this table, if it has any."""
    data_object_id: int | None = None

    @property
    def is_table(self) -> bool:
        return self.object_id is not None


class Catalog(Protocol):
    """Finds relations for one session at one moment."""

    def view_query(self, owner: str | None, name: str) -> tuple[str, str] | None:
        """Owner and query of a view that a user made, None if there is none of that name."""

    def as_owner(self, owner: str) -> AbstractContextManager[None]:
        """Names and rights of a view's owner while its query is compiled."""

    def relation(self, owner: str | None, name: str) -> Relation | None:
        """The relation of that name, None if there is none. Raises OracleError when it exists and cannot be
        read in this state (1507, 1219, 376, ...)."""


@dataclass(frozen=True)
class RowLock:
    """FOR UPDATE of one table: ``sql`` selects the addresses of the rows. ``wait`` None: for ever."""

    relation: Relation
    sql: str
    wait: int | None = None


@dataclass(frozen=True)
class LobColumn:
    """A result column that is a LOB column of a table: ``column`` is its name there, ``address`` the place in
    the result, behind its columns, of the address of the row it comes from."""

    place: int
    address: int
    relation: Relation
    column: str


@dataclass(frozen=True)
class CompiledQuery:
    """``columns`` pairs names with types, None where only the values can tell."""

    sql: str
    columns: tuple[tuple[str, SqlType | None], ...]
    relations: tuple[Relation, ...] = ()
    lock: RowLock | None = None
    bind_count: int = 0
    lobs: tuple[LobColumn, ...] = ()
    sorts: bool = False

    @property
    def tables(self) -> tuple[Relation, ...]:
        return tuple(relation for relation in self.relations if relation.is_table)

    @property
    def views(self) -> tuple[Relation, ...]:
        return tuple(relation for relation in self.relations if not relation.is_table)
