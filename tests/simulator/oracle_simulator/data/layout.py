# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new database will consist of: its containers, and numbers, paths and sizes of their files.

A database that is no CDB is laid out as one container, which is the whole database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oracle_simulator.data.definition import (
    DatabaseDefinition,
    FileDefinition,
    TablespaceDefinition,
    UserDefinition,
    derive_dbid,
)
from oracle_simulator.data.new_files import relative_number
from oracle_simulator.data.space import MIN_FILE_BLOCKS
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container import NON_CDB, ROOT, ROOT_NAME, SEED, SEED_NAME
from oracle_simulator.instance.home import Home
from oracle_simulator.storage.block import BIGFILE_RELATIVE_NUMBER
from oracle_simulator.storage.managed_names import managed_file_name


@dataclass(frozen=True)
class NewContainer:
    """A container about to be made. The ``dbid`` of the root is that of the CDB."""

    con_id: int
    name: str
    dbid: int
    guid: str
    folder: Path
    tablespaces: tuple[TablespaceDefinition, ...]
    users: tuple[UserDefinition, ...] = ()
    saved_mode: str = ""


@dataclass(frozen=True)
class PlannedFile:
    """One datafile or tempfile about to be made, all numbers settled."""

    definition: FileDefinition
    tablespace: TablespaceDefinition
    tablespace_number: int
    file_number: int
    relative_file_number: int
    path: Path
    blocks: int
    block_size: int
    container: NewContainer

    @property
    def temporary(self) -> bool:
        return self.tablespace.contents == "TEMPORARY"

    @property
    def con_id(self) -> int:
        return self.container.con_id


def new_guid(name: str, seed: str) -> str:
    """The globally unique identifier of a container, 32 hexadecimal digits."""
    return hashlib.sha256(f"guid:{name}:{seed}".encode()).hexdigest()[:32].upper()


def plan_containers(home: Home, definition: DatabaseDefinition, dbid: int, seed: str) -> list[NewContainer]:
    """The containers of a new database in order of their ids; one, with id 0, when it is no CDB.

    ``seed`` is something unique, from which identifiers follow.
    """
    folder = home.datafile_folder
    if not definition.cdb:
        whole = (definition.all_tablespaces(), definition.users)
        return [NewContainer(NON_CDB, definition.name, dbid, "0" * 32, folder, *whole)]
    root = NewContainer(
        ROOT, ROOT_NAME, dbid, "0" * 32, folder, definition.all_tablespaces(), definition.users
    )
    identity = (derive_dbid(SEED_NAME, seed), new_guid(SEED_NAME, seed))
    containers = [
        root,
        NewContainer(SEED, SEED_NAME, *identity, folder / "pdbseed", definition.seed_tablespaces()),
    ]
    for con_id, each in enumerate(definition.pluggables, start=SEED + 1):
        identity = (derive_dbid(each.name, seed), new_guid(each.name, seed))
        tablespaces = definition.tablespaces_of(each)
        containers.append(
            NewContainer(
                con_id, each.name, *identity, folder / each.name, tablespaces, each.users, each.saved_mode
            )
        )
    return containers


def lay_out(
    containers: Sequence[NewContainer], standard_block_size: int, managed: Path | None = None
) -> list[PlannedFile]:
    """All datafiles and tempfiles of new containers; temporary ones have their own numbers.

    ``managed`` is the database's folder of Oracle-managed files, None when files are not managed.
    Makes the folders. Raises ORA-03214 for a file too small.
    """
    files: list[PlannedFile] = []
    numbers = {True: 0, False: 0}
    for container in containers:
        relatives: dict[bool, set[int]] = {True: set(), False: set()}
        for tablespace_number, tablespace in enumerate(container.tablespaces):
            temporary = tablespace.contents == "TEMPORARY"
            for position, file in enumerate(tablespace.files, start=1):
                numbers[temporary] += 1
                block_size = tablespace.block_size or standard_block_size
                blocks = file.size_bytes // block_size
                if blocks < MIN_FILE_BLOCKS:
                    raise OracleError(3214, "File Size specified is smaller than minimum required")
                path = file.path or _default_path(container, tablespace, position, managed)
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                relative = BIGFILE_RELATIVE_NUMBER
                if not tablespace.bigfile:
                    relative = relative_number(relatives[temporary], container.con_id, numbers[temporary])
                    relatives[temporary].add(relative)
                number = numbers[temporary]
                files.append(
                    PlannedFile(
                        file, tablespace, tablespace_number, number, relative, path, blocks, block_size, container
                    )
                )  # fmt: skip
    return files


def _default_path(
    container: NewContainer, tablespace: TablespaceDefinition, position: int, managed: Path | None
) -> Path:
    if managed is None:
        stem = "undotbs" if tablespace.name == "UNDOTBS1" else tablespace.name.lower()
        return container.folder / f"{stem}{position:02d}.dbf"
    folder = managed if container.con_id in (NON_CDB, ROOT) else managed / container.guid
    name = managed_file_name(tablespace.name, temporary=tablespace.contents == "TEMPORARY")
    return folder / "datafile" / name
