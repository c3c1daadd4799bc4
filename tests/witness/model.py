# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rows exist after transaction n: the client's own memory of what it did."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

LOADED = 0
"""The transaction number to which initially loaded rows belong."""


@dataclass(frozen=True)
class TableSpec:
    """A table the client works on: its name, its tablespace and the rows it starts with."""

    name: str
    tablespace: str
    rows: int

    @property
    def create_statement(self) -> str:
        """The DDL of the table."""
        return (
            f"CREATE TABLE {self.name} (id NUMBER(12) PRIMARY KEY, amount NUMBER(14) NOT NULL, "
            f"note VARCHAR2(200)) TABLESPACE {self.tablespace}"
        )


WITNESS_TABLE = "WITNESS"
"""One row per transaction, written in that transaction: column ``id`` is the transaction's number."""


@dataclass(frozen=True)
class Operation:
    """One change of one row: ``kind`` is insert, update or delete."""

    kind: str
    table: str
    row_id: int
    amount: int = 0


Row = tuple[int, str]
"""What a row holds beside its key: amount and note."""


def note_of(table: str, row_id: int, transaction: int) -> str:
    """The text that transaction leaves in that row: 40 to 103 characters which nobody else would write."""
    digest = hashlib.sha256(f"{table}/{row_id}/{transaction}".encode()).hexdigest()
    return f"{table} {row_id} by {transaction}: {digest}"[: 40 + int(digest[:2], 16) // 4]


def loaded_rows(table: TableSpec) -> Iterator[tuple[int, int, str]]:
    """The rows a table starts with: id, amount, note."""
    for row_id in range(1, table.rows + 1):
        yield row_id, row_id * 7 % 100_003, note_of(table.name, row_id, LOADED)


@dataclass
class Model:
    """The expected contents of all tables, and the number of the last transaction they contain."""

    tables: dict[str, dict[int, Row]] = field(default_factory=dict)
    last_transaction: int = 0

    @classmethod
    def loaded(cls, tables: Iterable[TableSpec]) -> Model:
        """The model right after the initial load."""
        contents = {
            table.name: {row_id: (amount, note) for row_id, amount, note in loaded_rows(table)}
            for table in tables
        }
        return cls(tables=contents)

    def apply(self, transaction: int, operations: Iterable[Operation]) -> None:
        """Make the changes of one committed transaction."""
        for operation in operations:
            rows = self.tables[operation.table]
            if operation.kind == "delete":
                del rows[operation.row_id]
            else:
                note = note_of(operation.table, operation.row_id, transaction)
                rows[operation.row_id] = (operation.amount, note)
        self.last_transaction = transaction
