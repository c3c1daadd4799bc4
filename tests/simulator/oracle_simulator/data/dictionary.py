# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data dictionary: what tables, users, tablespaces and properties exist, read from SYSTEM's blocks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oracle_simulator.data.heap import Heap
from oracle_simulator.data.plan import ChangePlan
from oracle_simulator.data.segment import Segment
from oracle_simulator.data.space import Autoextend, SpaceManager
from oracle_simulator.data.system_tables import (
    FIRST_USER_OBJECT_ID,
    ROOT_BLOCK_NUMBER,
    SYSTEM_TABLES,
    SYSTEM_TABLESPACE_NUMBER,
    ColumnRow,
    ContainerRow,
    FileRow,
    KeyRow,
    PrivilegeRow,
    PropertyRow,
    SourceRow,
    SystemTable,
    TableRow,
    TablespaceRow,
    UserRow,
)
from oracle_simulator.data.tables import Table, TableColumn, TableKey, table_missing
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container_modes import require_container_read_write

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

DEFAULT_PERMANENT = "DEFAULT_PERMANENT_TABLESPACE"
DEFAULT_TEMPORARY = "DEFAULT_TEMP_TABLESPACE"
NEXT_OBJECT_ID = "_NEXT_OBJECT_ID"


class Dictionary:
    """The dictionary of an open container, or of a database that is none. Make a new one, and :meth:`load` it,
    each time it opens.

    ``root`` is the dictionary of the root of the CDB for that of a pluggable database: common users and what
    was granted commonly stand there.

    All methods take the latch themselves, so values read one after the other may be of different moments
    unless the caller holds it. Changes are functions of the modules ``table_ddl``, ``users`` and
    ``tablespaces``. ``on_table_gone`` is called, under the latch, with each table that is dropped or
    truncated (its ``data_object_id`` will never come back); ``in_use`` says whether an open transaction
    has changed a table. ``structure_lock`` lets one change of tablespaces or files happen at a time; take it
    before the latch.
    """

    def __init__(self, instance: Instance, con_id: int | None = None, root: Dictionary | None = None) -> None:
        self.instance = instance
        self.con_id = instance.control.root_id if con_id is None else con_id
        self.root = root
        self.space = SpaceManager(instance, self.con_id)
        # Containers share the numbers of files, so they change files one after the other.
        self.structure_lock: threading.Lock = root.structure_lock if root else threading.Lock()
        self.on_table_gone: list[Callable[[Table], None]] = []
        self.in_use: Callable[[Table], bool] = lambda _table: False
        self.table_rows: SystemTable[TableRow]
        self.column_rows: SystemTable[ColumnRow]
        self.key_rows: SystemTable[KeyRow]
        self.tablespace_rows: SystemTable[TablespaceRow]
        self.file_rows: SystemTable[FileRow]
        self.user_rows: SystemTable[UserRow]
        self.privilege_rows: SystemTable[PrivilegeRow]
        self.property_rows: SystemTable[PropertyRow]
        self.source_rows: SystemTable[SourceRow]
        self.container_rows: SystemTable[ContainerRow]
        self._tables: dict[tuple[str, str], Table] = {}
        self._heaps: dict[int, Heap] = {}

    def load(self) -> None:
        """Read everything. Raises ORA-01578 and its like when SYSTEM cannot be read."""
        with self.instance.latch:
            self.table_rows = SystemTable(self._system_heap(1, "TAB$", self._root_block()), TableRow)
            self.table_rows.load()
            loaded: list[SystemTable[Any]] = []
            for object_id, name, row_class in SYSTEM_TABLES[1:]:
                row = self.table_rows.find(object_id=object_id)
                if row is None:
                    raise OracleError(
                        604, "error occurred at recursive SQL level 1", (942, f"no {name} in TAB$")
                    )
                heap = self._system_heap(object_id, name, (row.header_file, row.header_block))
                table: SystemTable[Any] = SystemTable(heap, row_class)
                table.load()
                loaded.append(table)
            self.column_rows, self.key_rows, self.tablespace_rows, self.file_rows = loaded[:4]
            self.user_rows, self.privilege_rows, self.property_rows, self.container_rows = loaded[4:8]
            (self.source_rows,) = loaded[8:]
            self.refresh()

    def _root_block(self) -> tuple[int, int]:
        """(file, block) of the segment header of TAB$."""
        system = self.instance.control.datafiles_in(SYSTEM_TABLESPACE_NUMBER, self.con_id)
        return (system[0].file_number, ROOT_BLOCK_NUMBER)

    def require_open_read_write(self) -> None:
        """As the instance's, and the same errors when the container is closed or open read only."""
        self.instance.require_open_read_write()
        require_container_read_write(self.instance, self.con_id)

    def refresh(self) -> None:
        """Derive tables and file limits from the rows again; whoever changed rows calls it."""
        self.space.autoextend = {
            row.file_number: Autoextend(row.increment_blocks, row.max_blocks)
            for row in self.file_rows
            if row.increment_blocks
        }
        columns: dict[int, list[ColumnRow]] = {}
        for column in self.column_rows:
            columns.setdefault(column.object_id, []).append(column)
        keys: dict[int, list[KeyRow]] = {}
        for key in self.key_rows:
            keys.setdefault(key.object_id, []).append(key)
        self._tables = {
            (row.owner, row.name): _table(row, columns.get(row.object_id, []), keys.get(row.object_id, []))
            for row in self.table_rows
            if row.object_id >= FIRST_USER_OBJECT_ID
        }
        living = {table.data_object_id for table in self._tables.values()}
        self._heaps = {number: heap for number, heap in self._heaps.items() if number in living}

    # ------------------------------------------------------------ tables

    def get_table(self, owner: str, name: str) -> Table | None:
        """A table of a user, None if there is none."""
        with self.instance.latch:
            return self._tables.get((owner, name))

    def find_table(self, owner: str, name: str) -> Table:
        """A table of a user. Raises ORA-00942."""
        table = self.get_table(owner, name)
        if table is None:
            raise table_missing()
        return table

    def tables(self, owner: str | None = None) -> list[Table]:
        """All tables of users (of one user), by owner and name."""
        with self.instance.latch:
            found = [table for table in self._tables.values() if owner in (None, table.owner)]
        return sorted(found, key=lambda table: (table.owner, table.name))

    def heap(self, table: Table) -> Heap:
        """The rows of a table. Raises ORA-08103 for one dropped or truncated meanwhile."""
        with self.instance.latch:
            present = self._tables.get((table.owner, table.name))
            if present is None or present.data_object_id != table.data_object_id:
                raise OracleError(8103, "object no longer exists")
            heap = self._heaps.get(table.data_object_id)
            if heap is None:
                heap = self.make_heap(self.segment(table))
                self._heaps[table.data_object_id] = heap
            return heap

    def segment(self, table: Table) -> Segment:
        """The segment of a table, read anew."""
        return Segment(
            self.instance,
            self.space,
            table.tablespace_number,
            table.data_object_id,
            table.header,
            table.qualified_name,
        )

    def make_heap(self, segment: Segment) -> Heap:
        """A heap on a segment, in the block size of its file."""
        return Heap(segment, self.instance.files.get(segment.header[0]).block_size)

    def find_source(self, owner: str, name: str, types: Sequence[str]) -> SourceRow | None:
        """A stored program unit of one of these types."""
        with self.instance.latch:
            return next(
                (row for row in self.source_rows.where(owner=owner, name=name) if row.type in types), None
            )

    # ------------------------------------------------------------ users, tablespaces, properties

    def find_user(self, name: str) -> UserRow | None:
        """A local or common user; not SYS, who is in the password file only."""
        with self.instance.latch:
            found = self.user_rows.find(name=name)
            return self.root.user_rows.find(name=name) if found is None and self.root else found

    def users(self) -> list[UserRow]:
        """All local and common users, by name."""
        with self.instance.latch:
            common = self.root.user_rows if self.root else ()
            return sorted((*self.user_rows, *common), key=lambda user: user.name)

    def privileges_of(self, grantee: str) -> list[PrivilegeRow]:
        """What was granted to a user, in this container or commonly."""
        with self.instance.latch:
            common = self.root.privilege_rows.where(grantee=grantee, common=True) if self.root else ()
            return [*self.privilege_rows.where(grantee=grantee), *common]

    def find_tablespace(self, name: str) -> TablespaceRow:
        """A tablespace. Raises ORA-00959."""
        with self.instance.latch:
            row = self.tablespace_rows.find(name=name)
        if row is None:
            raise OracleError(959, f"tablespace '{name}' does not exist")
        return row

    def tablespaces(self) -> list[TablespaceRow]:
        """All tablespaces, by number."""
        with self.instance.latch:
            return sorted(self.tablespace_rows, key=lambda row: row.number)

    def files(self) -> list[FileRow]:
        """All datafiles the dictionary knows, by number."""
        with self.instance.latch:
            return sorted(self.file_rows, key=lambda row: row.file_number)

    def properties(self) -> dict[str, str]:
        """DATABASE_PROPERTIES: names to values, without our internal ones."""
        with self.instance.latch:
            return {row.name: row.value for row in self.property_rows if not row.name.startswith("_")}

    def property(self, name: str, default: str = "") -> str:
        """One property of the database."""
        with self.instance.latch:
            row = self.property_rows.find(name=name)
        return row.value if row else default

    def set_property(self, plan: ChangePlan, name: str, value: str) -> None:
        """Plan a property's value."""
        old = self.property_rows.find(name=name)
        if old is None:
            self.property_rows.insert(plan, PropertyRow(name, value))
        else:
            self.property_rows.replace(plan, old, replace(old, value=value))

    def next_object_ids(self, plan: ChangePlan, count: int = 1) -> int:
        """Reserve object ids, never to be used again; the first of them."""
        first = int(self.property(NEXT_OBJECT_ID, str(FIRST_USER_OBJECT_ID)))
        self.set_property(plan, NEXT_OBJECT_ID, str(first + count))
        return first

    def table_gone(self, table: Table) -> None:
        """Tell whoever keeps something of a table that its rows are no more."""
        for listener in self.on_table_gone:
            listener(table)

    def _system_heap(self, object_id: int, name: str, header: tuple[int, int]) -> Heap:
        segment = Segment(
            self.instance, self.space, SYSTEM_TABLESPACE_NUMBER, object_id, header, f"SYS.{name}"
        )
        return self.make_heap(segment)


def _table(row: TableRow, columns: list[ColumnRow], keys: list[KeyRow]) -> Table:
    ordered = sorted(columns, key=lambda column: column.position)
    return Table(
        owner=row.owner,
        name=row.name,
        object_id=row.object_id,
        data_object_id=row.data_object_id,
        tablespace_number=row.tablespace_number,
        header=(row.header_file, row.header_block),
        columns=tuple(
            TableColumn(c.name, c.type, c.size, c.precision, c.scale, c.nullable, c.default) for c in ordered
        ),
        keys=tuple(TableKey(key.kind, tuple(key.columns.split(",")), key.name) for key in keys),
        created=row.created,
        logging=row.logging,
    )
