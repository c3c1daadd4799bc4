# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new database is to look like, as values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

MEBIBYTE = 1 << 20
DEFAULT_FILE_BYTES = 16 * MEBIBYTE
UNLIMITED_BLOCKS = 4194302
"""Most blocks of a smallfile datafile (Oracle Reference, Physical Database Limits)."""
UNLIMITED_BIGFILE_BLOCKS = 0xFFFFFFFC


@dataclass(frozen=True)
class FileDefinition:
    """A datafile or tempfile. ``path`` None: a default name in the database's folder (at creation only).

    ``increment_bytes`` 0 means one that does not grow by itself; ``max_bytes`` None is unlimited.
    ``size_bytes`` 0 with ``reuse`` keeps the size of the file that is there. The first ``fill_bytes`` of the
    extents are filled with random blocks (of a new database only).
    """

    size_bytes: int = DEFAULT_FILE_BYTES
    path: Path | None = None
    increment_bytes: int = 0
    max_bytes: int | None = None
    reuse: bool = False
    fill_bytes: int = 0


@dataclass(frozen=True)
class TablespaceDefinition:
    """``contents`` is PERMANENT, UNDO or TEMPORARY; ``block_size`` in bytes, None for the database's own."""

    name: str
    files: tuple[FileDefinition, ...] = (FileDefinition(),)
    bigfile: bool = False
    contents: str = "PERMANENT"
    read_only: bool = False
    block_size: int | None = None
    logging: bool = True
    force_logging: bool = False
    encryption: str = ""


@dataclass(frozen=True)
class KeystoreDefinition:
    """A keystore with one master key; with ``auto_login`` it opens by itself."""

    password: str
    auto_login: bool = False


@dataclass(frozen=True)
class UserDefinition:
    """A user with its password in clear, as in CREATE USER.

    ``container_data`` is for common users of a CDB: "ALL", or "" for what the current container shows anyway.
    """

    name: str
    password: str
    default_tablespace: str = "USERS"
    privileges: tuple[str, ...] = ("CREATE SESSION", "CREATE TABLE", "UNLIMITED TABLESPACE")
    container_data: str = ""


@dataclass(frozen=True)
class RedoThreadDefinition:
    """A redo thread, numbered by its place. ``enabled`` is PUBLIC, PRIVATE or DISABLED.

    ``size_bytes`` is that of each log, ``members`` the copies of each.
    """

    groups: int = 3
    size_bytes: int = 4 * MEBIBYTE
    members: int = 1
    enabled: str = "PUBLIC"


def standard_tablespaces() -> tuple[TablespaceDefinition, ...]:
    """What every database has: SYSTEM, SYSAUX, UNDOTBS1, TEMP, USERS. SYSTEM must be the first."""
    growing = FileDefinition(DEFAULT_FILE_BYTES, increment_bytes=MEBIBYTE)
    return (
        TablespaceDefinition("SYSTEM", (growing,)),
        TablespaceDefinition("SYSAUX", (growing,)),
        TablespaceDefinition("UNDOTBS1", (growing,), contents="UNDO"),
        TablespaceDefinition("TEMP", (growing,), contents="TEMPORARY"),
        TablespaceDefinition("USERS", (growing,)),
    )


@dataclass(frozen=True)
class PluggableDefinition:
    """A pluggable database to be created with its CDB.

    ``tablespaces`` are added to SYSTEM, SYSAUX, UNDOTBS1 (with local undo), TEMP and USERS, or replace the one
    of the same name. ``saved_mode`` (READ WRITE, READ ONLY or "") is what SAVE STATE has kept.
    """

    name: str
    tablespaces: tuple[TablespaceDefinition, ...] = ()
    users: tuple[UserDefinition, ...] = ()
    saved_mode: str = ""


@dataclass(frozen=True)
class DatabaseDefinition:
    """A database to be created.

    ``name`` (DB_NAME, up to 8 characters) and ``unique_name`` are upper-cased where Oracle does so;
    ``dbid`` None derives one from name and time of creation. ``tablespaces`` are added to the standard
    ones, or replace the one of the same name. ``archive_folder`` None is the default of the home.
    With ``managed_files`` files without a path get Oracle-managed names, later ones too (DB_CREATE_FILE_DEST).
    ``parameters`` are further lines of init.ora, which win. ``verifier_rounds`` is the cost of checking a password.
    A container database (``cdb``) has PDB$SEED and ``pluggables``, and its own ``tablespaces`` and ``users`` are
    those of the root, the users therefore common ones. A ``standby`` has a standby control file.
    """

    name: str
    unique_name: str | None = None
    dbid: int | None = None
    block_size: int = 8192
    tablespaces: tuple[TablespaceDefinition, ...] = ()
    redo_threads: tuple[RedoThreadDefinition, ...] = (RedoThreadDefinition(),)
    archive_folder: Path | None = None
    archive_mode: bool = True
    force_logging: bool = False
    managed_files: bool = False
    keystore: KeystoreDefinition | None = None
    sys_password: str = "oracle"
    users: tuple[UserDefinition, ...] = ()
    character_set: str = "AL32UTF8"
    parameters: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    standby: bool = False
    verifier_rounds: int = 4096
    cdb: bool = False
    pluggables: tuple[PluggableDefinition, ...] = ()
    local_undo: bool = True

    def all_tablespaces(self) -> tuple[TablespaceDefinition, ...]:
        """Standard and own tablespaces, in order of their numbers."""
        return _merged(standard_tablespaces(), self.tablespaces)

    def every_tablespace(self) -> tuple[TablespaceDefinition, ...]:
        """Those of the pluggable databases, too."""
        return self.all_tablespaces() + tuple(
            tablespace for each in self.pluggables for tablespace in each.tablespaces
        )

    def seed_tablespaces(self) -> tuple[TablespaceDefinition, ...]:
        """What PDB$SEED has, in the sizes of the root."""
        names = ["SYSTEM", "SYSAUX", "TEMP", *(["UNDOTBS1"] if self.local_undo else [])]
        return tuple(_elsewhere(each) for each in self.all_tablespaces() if each.name in names)

    def tablespaces_of(self, pluggable: PluggableDefinition) -> tuple[TablespaceDefinition, ...]:
        """A copy of the seed's tablespaces, USERS, and its own."""
        users = next(each for each in self.all_tablespaces() if each.name == "USERS")
        return _merged((*self.seed_tablespaces(), _elsewhere(users)), pluggable.tablespaces)


def _merged(
    standard: tuple[TablespaceDefinition, ...], own: tuple[TablespaceDefinition, ...]
) -> tuple[TablespaceDefinition, ...]:
    by_name = {tablespace.name: tablespace for tablespace in own}
    first = tuple(by_name.pop(tablespace.name, tablespace) for tablespace in standard)
    return (*first, *by_name.values())


def _elsewhere(tablespace: TablespaceDefinition) -> TablespaceDefinition:
    """The same again, its files in the default place."""
    return replace(tablespace, files=tuple(replace(file, path=None) for file in tablespace.files))


def derive_dbid(name: str, seed: str) -> int:
    """A 32-bit database identifier from a name and something unique."""
    digest = hashlib.sha256(f"{name}:{seed}".encode()).digest()
    return int.from_bytes(digest[:4], "little") | 1 << 30


def autoextend_blocks(file: FileDefinition, block_size: int, bigfile: bool) -> tuple[int, int]:
    """(increment, largest size) in blocks; (0, 0) for a file that does not grow."""
    if not file.increment_bytes:
        return 0, 0
    limit = UNLIMITED_BIGFILE_BLOCKS if bigfile else UNLIMITED_BLOCKS
    most = limit if file.max_bytes is None else min(limit, file.max_bytes // block_size)
    return max(1, file.increment_bytes // block_size), most
