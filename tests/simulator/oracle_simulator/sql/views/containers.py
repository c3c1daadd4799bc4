# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of the containers of a CDB (Oracle Database Reference, V$CONTAINERS, V$PDBS, DBA_PDBS and their like)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from oracle_simulator.data.system_tables import ContainerRow, UserRow
from oracle_simulator.instance.container import NON_CDB, ROOT, ContainerRecord
from oracle_simulator.instance.container_modes import MOUNTED, open_mode
from oracle_simulator.instance.instance import Instance
from oracle_simulator.sql.views.definition import (
    MULTITENANT,
    Needs,
    View,
    ViewContext,
    container,
    number,
    raw,
    text,
    timestamp,
    yes_no,
)


@dataclass(frozen=True)
class _Container:
    instance: Instance
    record: ContainerRecord

    @property
    def open_mode(self) -> str:
        return open_mode(self.instance, self.record.con_id)

    @property
    def restricted(self) -> str | None:
        if self.open_mode == MOUNTED:
            return None
        mode = self.instance.container_modes.get(self.record.con_id)
        return yes_no(mode is not None and mode.restricted)

    @property
    def total_size(self) -> int:
        files = [file for file in self.instance.control.datafiles if file.con_id == self.record.con_id]
        return sum(file.bytes for file in files) if self.open_mode != MOUNTED else 0


def _containers(context: ViewContext) -> Iterator[_Container]:
    control = context.instance.control
    database = control.database
    whole = ContainerRecord(NON_CDB, database.name, database.dbid, "0" * 32, creation_time=database.created)
    for record in sorted(control.containers or [whole], key=lambda each: each.con_id):
        yield _Container(context.instance, record)


def _pluggables(context: ViewContext) -> list[_Container]:
    return [each for each in _containers(context) if each.record.con_id > ROOT]


def _recovery_status(each: _Container) -> str:
    return "ENABLED" if each.record.recovery_enabled else "DISABLED"


_CONTAINER_COLUMNS: list[Any] = [
    container(lambda c: c.record.con_id),
    number("DBID", lambda c: c.record.dbid),
    number("CON_UID", lambda c: c.record.dbid if c.record.con_id > ROOT else c.record.con_id),
    raw("GUID", lambda c: bytes.fromhex(c.record.guid)),
    text("NAME", 128, lambda c: c.record.name),
    text("OPEN_MODE", 10, lambda c: c.open_mode),
    text("RESTRICTED", 3, lambda c: c.restricted),
    timestamp("OPEN_TIME", lambda c: c.instance.opened_at if c.open_mode != MOUNTED else None),
    number("CREATE_SCN", lambda c: c.record.creation_scn),
    number("TOTAL_SIZE", lambda c: c.total_size),
    number("BLOCK_SIZE", lambda c: c.instance.control.database.block_size),
    text("RECOVERY_STATUS", 8, _recovery_status, since=(12, 1, 0, 2)),
    number("LOCAL_UNDO", lambda c: int(c.instance.control.local_undo), since=(12, 2)),
]
CONTAINERS = View("V$CONTAINERS", Needs.CONTROL_FILE, _containers, _CONTAINER_COLUMNS, since=MULTITENANT)
PDBS = View("V$PDBS", Needs.CONTROL_FILE, _pluggables, _CONTAINER_COLUMNS, since=MULTITENANT)


def _root_rows(context: ViewContext) -> list[ContainerRow]:
    """CONTAINER$ as the root has it; a pluggable database knows of itself."""
    root = next((each for each in context.dictionaries if each.con_id == ROOT), None)
    if root is None:
        return []
    own = context.open_dictionary.con_id
    rows = [row for row in root.container_rows if own in (ROOT, row.con_id)]
    return sorted(rows, key=lambda row: row.con_id)


_PDB_COLUMNS: list[Any] = [
    number("PDB_ID", lambda p: p.con_id),
    text("PDB_NAME", 128, lambda p: p.name),
    number("DBID", lambda p: p.dbid),
    number("CON_UID", lambda p: p.dbid),
    raw("GUID", lambda p: bytes.fromhex(p.guid)),
    text("STATUS", 10, lambda p: "NORMAL" if p.ever_opened else "NEW"),
    number("CREATION_SCN", lambda p: p.creation_scn),
]
DBA_PDBS = View("DBA_PDBS", Needs.DICTIONARY, _root_rows, _PDB_COLUMNS, since=MULTITENANT)
# The rows stand in the root's dictionary, and CON_ID says where a row of a CDB_ view stands.
CDB_PDBS = replace(DBA_PDBS, name="CDB_PDBS", columns=[*_PDB_COLUMNS, container(lambda _row: ROOT)])


def _saved_states(context: ViewContext) -> Iterator[tuple[str, ContainerRow]]:
    for row in _root_rows(context):
        if row.saved_mode:
            yield context.instance.home.sid, row


SAVED_STATES = View(
    "DBA_PDB_SAVED_STATES",
    Needs.DICTIONARY,
    _saved_states,
    [
        container(lambda s: s[1].con_id),
        text("CON_NAME", 128, lambda s: s[1].name),
        text("INSTANCE_NAME", 128, lambda s: s[0]),
        number("CON_UID", lambda s: s[1].dbid),
        raw("GUID", lambda s: bytes.fromhex(s[1].guid)),
        text("STATE", 14, lambda s: "OPEN" if s[1].saved_mode == "READ WRITE" else "OPEN READ ONLY"),
        text("RESTRICTED", 3, lambda s: yes_no(s[1].saved_restricted)),
    ],
    since=MULTITENANT,
)


def _container_data(context: ViewContext) -> Iterator[tuple[UserRow, str | None]]:
    for user in context.open_dictionary.users():
        if user.container_data == "ALL":
            yield user, None
        elif user.container_data:
            for name in user.container_data.split(","):
                yield user, name


CONTAINER_DATA = View(
    "DBA_CONTAINER_DATA",
    Needs.DICTIONARY,
    _container_data,
    [
        text("USERNAME", 128, lambda d: d[0].name),
        text("DEFAULT_ATTR", 1, lambda d: "Y"),
        text("OWNER", 128, lambda d: None),
        text("OBJECT_NAME", 128, lambda d: None),
        text("ALL_CONTAINERS", 1, lambda d: "N" if d[1] else "Y"),
        text("CONTAINER_NAME", 128, lambda d: d[1]),
    ],
    since=MULTITENANT,
)

VIEWS: tuple[View[Any], ...] = (CONTAINERS, PDBS, DBA_PDBS, CDB_PDBS, SAVED_STATES, CONTAINER_DATA)
