# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first rows of the dictionary of a new container: tablespaces, files, users, properties, containers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from oracle_simulator.data.definition import DatabaseDefinition, autoextend_blocks
from oracle_simulator.data.dictionary import DEFAULT_PERMANENT, DEFAULT_TEMPORARY, NEXT_OBJECT_ID
from oracle_simulator.data.layout import NewContainer, PlannedFile
from oracle_simulator.data.system_tables import (
    FIRST_USER_ID,
    FIRST_USER_OBJECT_ID,
    ContainerRow,
    FileRow,
    PrivilegeRow,
    PropertyRow,
    SystemRow,
    TablespaceRow,
    UserRow,
)
from oracle_simulator.instance.container import NON_CDB, ROOT, SEED
from oracle_simulator.net.verifier import make_verifier

LOCAL_UNDO = "LOCAL_UNDO_ENABLED"


def dictionary_rows(
    container: NewContainer, files: Sequence[PlannedFile], definition: DatabaseDefinition, now: datetime
) -> dict[str, Sequence[SystemRow]]:
    """The rows by table of SYS; ``files`` are those of the container."""
    tablespaces = [
        TablespaceRow(
            number,
            tablespace.name,
            tablespace.contents,
            tablespace.bigfile,
            tablespace.block_size or definition.block_size,
            "READ ONLY" if tablespace.read_only else "ONLINE",
            tablespace.logging,
            tablespace.force_logging,
            tablespace.encryption,
        )
        for number, tablespace in enumerate(container.tablespaces)
    ]
    file_rows = [
        FileRow(
            file.file_number,
            file.relative_file_number,
            file.tablespace_number,
            *autoextend_blocks(file.definition, file.block_size, file.tablespace.bigfile),
        )
        for file in files
        if not file.temporary
    ]
    users, privileges = _users(container, definition.verifier_rounds, now)
    return {
        "TS$": tablespaces,
        "FILE$": file_rows,
        "USER$": users,
        "SYSAUTH$": privileges,
        "PROPS$": _properties(container, definition),
    }


def container_rows(
    containers: Sequence[NewContainer], creation_scn: int, now: datetime
) -> list[ContainerRow]:
    """CONTAINER$ of the root: all containers but the root itself."""
    return [
        ContainerRow(each.con_id, each.name, each.dbid, each.guid, creation_scn, now, True, each.saved_mode)
        for each in containers
        if each.con_id >= SEED
    ]


def _users(container: NewContainer, rounds: int, now: datetime) -> tuple[list[UserRow], list[PrivilegeRow]]:
    common = container.con_id == ROOT
    users: list[UserRow] = []
    privileges: list[PrivilegeRow] = []
    for number, user in enumerate(container.users, start=FIRST_USER_ID):
        verifier = make_verifier(user.password, rounds=rounds)
        secret = (verifier.salt, verifier.pw_key, verifier.rounds)
        name = user.name.upper()
        users.append(
            UserRow(
                number, name, *secret, user.default_tablespace, "TEMP", False, now, common, user.container_data
            )
        )  # fmt: skip
        privileges += [PrivilegeRow(name, privilege, None, None, common) for privilege in user.privileges]
    return users, privileges


def _properties(container: NewContainer, definition: DatabaseDefinition) -> list[PropertyRow]:
    permanent = "USERS" if any(each.name == "USERS" for each in container.tablespaces) else "SYSTEM"
    global_name = definition.unique_name or definition.name
    properties = {
        DEFAULT_PERMANENT: permanent,
        DEFAULT_TEMPORARY: "TEMP",
        "GLOBAL_DB_NAME": container.name if container.con_id >= SEED else global_name,
        "NLS_CHARACTERSET": definition.character_set,
        "NLS_NCHAR_CHARACTERSET": "AL16UTF16",
        "DBTIMEZONE": "00:00",
        NEXT_OBJECT_ID: str(FIRST_USER_OBJECT_ID),
    }
    if container.con_id != NON_CDB:
        properties[LOCAL_UNDO] = "TRUE" if definition.local_undo else "FALSE"
    return [PropertyRow(name, value) for name, value in properties.items()]
