# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of SYS in which the dictionary is kept, and their rows as values.

They are ordinary heap segments in the SYSTEM tablespace; a restored SYSTEM file therefore decides what
exists. ``TAB$`` describes itself and all others; its segment header is the root, always in the first
extent of the first file of SYSTEM. Every container of a CDB has its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from oracle_simulator.data.heap import Heap
from oracle_simulator.data.plan import ChangePlan
from oracle_simulator.data.space import FIRST_EXTENT_BLOCK
from oracle_simulator.storage.values import decode_row, encode_row

ROOT_BLOCK_NUMBER = FIRST_EXTENT_BLOCK
"""Where the segment header of TAB$ is in the first file of SYSTEM."""
SYSTEM_TABLESPACE_NUMBER = 0
FIRST_USER_OBJECT_ID = 1000
FIRST_USER_ID = 100


@dataclass(frozen=True)
class TableRow:
    """TAB$: a table and its segment. ``data_object_id`` changes with every TRUNCATE; ``logging`` is what
    direct-path loads do."""

    object_id: int
    data_object_id: int
    owner: str
    name: str
    tablespace_number: int
    header_file: int
    header_block: int
    created: datetime
    logging: bool = True


@dataclass(frozen=True)
class ColumnRow:
    """COL$: a column. ``type`` is an Oracle type name; sizes in bytes; None where a type has no such thing."""

    object_id: int
    position: int
    name: str
    type: str
    size: int
    precision: int | None
    scale: int | None
    nullable: bool
    default: str | None


@dataclass(frozen=True)
class KeyRow:
    """CON$: a key or index. ``kind`` is P (primary key), U (unique) or I (an index that is only a name).

    ``columns`` are the names, comma separated.
    """

    object_id: int
    name: str
    kind: str
    columns: str


@dataclass(frozen=True)
class TablespaceRow:
    """TS$: ``contents`` PERMANENT, UNDO or TEMPORARY; ``status`` ONLINE, OFFLINE or READ ONLY.

    ``logging`` is the attribute of new tables, ``force_logging`` overrules that of all tables.
    ``encryption`` is the algorithm, "" for none.
    """

    number: int
    name: str
    contents: str
    bigfile: bool
    block_size: int
    status: str
    logging: bool = True
    force_logging: bool = False
    encryption: str = ""


@dataclass(frozen=True)
class FileRow:
    """FILE$: a datafile and how it grows, in blocks (0: it does not). Its name is in the control file."""

    file_number: int
    relative_file_number: int
    tablespace_number: int
    increment_blocks: int
    max_blocks: int


@dataclass(frozen=True)
class UserRow:
    """USER$: a user; ``salt``, ``pw_key`` and ``rounds`` are the 12c verifier of the password.

    Common users stand in the dictionary of the root only. ``container_data`` says whose rows of V$ and CDB_
    views they see in the root beside its own: "", "ALL" or names, comma separated.
    """

    user_id: int
    name: str
    salt: bytes
    pw_key: bytes
    rounds: int
    default_tablespace: str
    temporary_tablespace: str
    locked: bool
    created: datetime
    common: bool = False
    container_data: str = ""


@dataclass(frozen=True)
class PrivilegeRow:
    """SYSAUTH$: a system privilege or role (``owner`` and ``object`` None), or a privilege on an object.

    What was granted commonly (CONTAINER=ALL) stands in the dictionary of the root only.
    """

    grantee: str
    privilege: str
    owner: str | None
    object: str | None
    common: bool = False


@dataclass(frozen=True)
class PropertyRow:
    """PROPS$: a property of the database."""

    name: str
    value: str


@dataclass(frozen=True)
class ContainerRow:
    """CONTAINER$, filled in the root of a CDB only: its pluggable databases, the seed among them.

    ``saved_mode`` is READ WRITE, READ ONLY or "": how SAVE STATE found it.
    """

    con_id: int
    name: str
    dbid: int
    guid: str
    creation_scn: int
    created: datetime
    ever_opened: bool
    saved_mode: str = ""
    saved_restricted: bool = False


@dataclass(frozen=True)
class SourceRow:
    """SOURCE$: a stored program unit or view. ``type`` is PROCEDURE, FUNCTION, PACKAGE or PACKAGE BODY, with which
    ``text`` begins, or VIEW, whose text is a query; ``errors`` is what the compiler said, "" for a valid one."""

    owner: str
    name: str
    type: str
    text: str
    errors: str
    created: datetime

    @property
    def valid(self) -> bool:
        return not self.errors


SystemRow = (
    TableRow
    | ColumnRow
    | KeyRow
    | TablespaceRow
    | FileRow
    | UserRow
    | PrivilegeRow
    | PropertyRow
    | ContainerRow
    | SourceRow
)

SYSTEM_TABLES: tuple[tuple[int, str, type[SystemRow]], ...] = (
    (1, "TAB$", TableRow),
    (2, "COL$", ColumnRow),
    (3, "CON$", KeyRow),
    (4, "TS$", TablespaceRow),
    (5, "FILE$", FileRow),
    (6, "USER$", UserRow),
    (7, "SYSAUTH$", PrivilegeRow),
    (8, "PROPS$", PropertyRow),
    (9, "CONTAINER$", ContainerRow),
    (10, "SOURCE$", SourceRow),
)
"""Object id, name and row class of each table of SYS."""

R = TypeVar("R", bound=SystemRow)


def encode_system_row(row: SystemRow) -> bytes:
    """A row of SYS as it stands in a block."""
    return encode_row([getattr(row, field.name) for field in dataclasses.fields(row)])


class SystemTable(Generic[R]):
    """One table of SYS, all rows in memory by rowid. Use under the latch."""

    def __init__(self, heap: Heap, row_class: Callable[..., R]) -> None:
        self.heap = heap
        self._row_class = row_class
        self._rows: dict[int, R] = {}

    def load(self) -> None:
        """Read all rows from the blocks."""
        self._rows = {rowid: self._row_class(*decode_row(data)) for rowid, data in self.heap.scan()}

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows.values())

    def find(self, **values: Any) -> R | None:
        """The first row with these column values."""
        return next(self.where(**values), None)

    def where(self, **values: Any) -> Iterator[R]:
        """The rows with these column values."""
        wanted = values.items()
        return (
            row
            for row in list(self._rows.values())
            if all(getattr(row, key) == value for key, value in wanted)
        )

    def insert(self, plan: ChangePlan, row: R) -> None:
        """Plan a new row."""
        rowid = self.heap.insert(plan, encode_system_row(row))
        plan.on_success.append(lambda: self._rows.update({rowid: row}))

    def replace(self, plan: ChangePlan, old: R, new: R) -> None:
        """Plan new contents for a row found before."""
        rowid = self._rowid(old)
        moved = self.heap.update(plan, rowid, encode_system_row(new))

        def done() -> None:
            del self._rows[rowid]
            self._rows[moved] = new

        plan.on_success.append(done)

    def delete(self, plan: ChangePlan, row: R) -> None:
        """Plan the end of a row found before."""
        rowid = self._rowid(row)
        self.heap.delete(plan, rowid)
        plan.on_success.append(lambda: self._rows.__delitem__(rowid))

    def _rowid(self, wanted: R) -> int:
        return next(rowid for rowid, row in self._rows.items() if row is wanted)
