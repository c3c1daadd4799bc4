# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's table as a value: columns, keys, and the checks a row must pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from oracle_simulator.errors import OracleError
from oracle_simulator.storage.values import Value

NATIONAL_TYPES = frozenset({"NVARCHAR2", "NCHAR"})
PRIMARY_KEY, UNIQUE_KEY, PLAIN_INDEX = "P", "U", "I"


@dataclass(frozen=True)
class TableColumn:
    """A column. ``type`` is Oracle's name (VARCHAR2, NUMBER, DATE, TIMESTAMP, RAW, CLOB ...); ``size`` in bytes;
    ``default`` the text of the default expression."""

    name: str
    type: str
    size: int = 0
    precision: int | None = None
    scale: int | None = None
    nullable: bool = True
    default: str | None = None


@dataclass(frozen=True)
class TableKey:
    """A primary key, unique key or plain index over columns. ``name`` is "" until the dictionary gives one."""

    kind: str
    columns: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True)
class Table:
    """A table of a user, as the dictionary says. Values are lists in the order of ``columns``."""

    owner: str
    name: str
    object_id: int
    data_object_id: int
    tablespace_number: int
    header: tuple[int, int]
    columns: tuple[TableColumn, ...]
    keys: tuple[TableKey, ...] = ()
    created: datetime = field(default_factory=datetime.now, compare=False)
    logging: bool = True

    @property
    def qualified_name(self) -> str:
        """OWNER.NAME, as in messages."""
        return f"{self.owner}.{self.name}"

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def unique_keys(self) -> tuple[tuple[TableKey, tuple[int, ...]], ...]:
        """Keys that must be unique, with the positions of their columns."""
        position = {name: index for index, name in enumerate(self.column_names)}
        return tuple(
            (key, tuple(position[name] for name in key.columns))
            for key in self.keys
            if key.kind in (PRIMARY_KEY, UNIQUE_KEY)
        )

    @cached_property
    def _not_null(self) -> tuple[int, ...]:
        return tuple(index for index, column in enumerate(self.columns) if not column.nullable)

    @cached_property
    def _sized(self) -> tuple[tuple[int, int], ...]:
        sized = ("VARCHAR2", "NVARCHAR2", "CHAR", "NCHAR", "RAW")
        return tuple(
            (index, column.size)
            for index, column in enumerate(self.columns)
            if column.size and column.type in sized
        )

    def check_row(self, values: Sequence[Value], *, updating: bool = False) -> None:
        """Raises ORA-01400 (ORA-01407 for an update) for a null, ORA-12899 for a text too long."""
        for index in self._not_null:
            if values[index] is None:
                column = self._column_text(index)
                if updating:
                    raise OracleError(1407, f"cannot update ({column}) to NULL")
                raise OracleError(1400, f"cannot insert NULL into ({column})")
        for index, size in self._sized:
            value = values[index]
            # Four bytes per character at most: most texts are short enough to need no counting.
            if isinstance(value, str) and len(value) * 4 > size:
                national = self.columns[index].type in NATIONAL_TYPES
                actual = len(value.encode("utf-16-be" if national else "utf-8"))
            elif isinstance(value, bytes):
                actual = len(value)
            else:
                continue
            if actual > size:
                column = self._column_text(index)
                text = f"value too large for column {column} (actual: {actual}, maximum: {size})"
                raise OracleError(12899, text)

    def _column_text(self, index: int) -> str:
        return f'"{self.owner}"."{self.name}"."{self.columns[index].name}"'


def table_missing() -> OracleError:
    """ORA-00942."""
    return OracleError(942, "table or view does not exist")
