# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What we know of a database, as values. Private to the collection.

Read by the gateway, reasoned about by plans, chains and verdicts. SCNs and sequences are exact
integers, sizes are bytes, times are aware datetimes in UTC unless a field says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple


class BackupMethod(str, Enum):
    """How a tablespace's files must be backed up."""

    BACKUP_MODE = "backup_mode"
    PLAIN_COPY = "plain_copy"
    SKIP = "skip"
    BROKEN = "broken"


@dataclass(frozen=True)
class Incarnation:
    """One branch of a database's history (V$DATABASE_INCARNATION)."""

    resetlogs_id: int
    resetlogs_scn: int
    prior_resetlogs_scn: int | None
    status: str


@dataclass(frozen=True)
class Instance:
    """One row of GV$INSTANCE."""

    number: int
    name: str
    host_name: str
    version: str
    startup_time: str
    status: str
    archiver: str
    log_switch_wait: str | None


@dataclass(frozen=True)
class RedoThread:
    """One row of V$THREAD. ``last_redo_scn`` is the SCN of the last redo a closed thread wrote."""

    number: int
    status: str
    enabled: str
    current_sequence: int
    current_group: int
    last_redo_scn: int | None = None

    @property
    def is_enabled(self) -> bool:
        """A thread that may write redo, be it closed at the moment."""
        return self.enabled != "DISABLED"


@dataclass(frozen=True)
class ArchiveDestination:
    """One configured row of GV$ARCHIVE_DEST."""

    dest_id: int
    name: str
    status: str
    binding: str
    target: str
    path: str
    error: str | None


@dataclass(frozen=True)
class ArchivedLog:
    """One archived copy of one redo log; covers ``first_scn <= scn < next_scn``.

    ``gone``: it was complete and has been removed since, as far as the control file knows.
    """

    resetlogs_id: int
    thread: int
    sequence: int
    first_scn: int
    next_scn: int
    dest_id: int
    path: str | None
    blocks: int
    block_size: int
    available: bool
    gone: bool = False

    @property
    def size_bytes(self) -> int:
        """Size of the file on disk: block 0 is not counted in BLOCKS."""
        return (self.blocks + 1) * self.block_size


@dataclass(frozen=True)
class OnlineLog:
    """One online redo log group with its members."""

    group: int
    thread: int
    sequence: int
    status: str
    archived: bool
    first_scn: int
    next_scn: int | None
    size_bytes: int
    block_size: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Tempfile:
    """A temporary file: never copied, recorded for re-creation."""

    file_number: int
    tablespace: str
    path: str
    size_bytes: int
    autoextend: bool
    con_id: int = 0


class BackupStatus(NamedTuple):
    """One row of V$BACKUP. STATUS alone tells backup mode: CHANGE# and TIME keep their last value after END
    BACKUP.
    """

    status: str
    scn: int
    time: datetime | None

    @property
    def active(self) -> bool:
        """True while the file is in backup mode."""
        return self.status == "ACTIVE"


class CurrentLog(NamedTuple):
    """The log a thread was writing: what must become archived for all redo up to now to be safe."""

    thread: int
    sequence: int
    first_scn: int


@dataclass(frozen=True)
class LiveSession:
    """A database session of this collection, as GV$SESSION shows it. ``action`` is a set id or a module's
    name.
    """

    instance: int
    sid: int
    serial: int
    action: str
    machine: str
    program: str


@dataclass(frozen=True)
class Datafile:
    """One datafile as the control file, its own header and V$BACKUP describe it."""

    file_number: int
    con_id: int
    tablespace_number: int
    tablespace: str
    path: str | None
    status: str
    enabled: str
    size_bytes: int
    block_size: int
    bigfile: bool
    creation_scn: int
    unrecoverable_scn: int
    last_scn: int | None
    checkpoint_scn: int
    backup_status: str
    backup_scn: int
    backup_time: datetime | None
    header_error: str | None
    header_fuzzy: str | None
    header_recover: str | None
    header_checkpoint_scn: int | None
    recover_error: str | None
    needs_recovery: bool

    @property
    def in_backup_mode(self) -> bool:
        """V$BACKUP.STATUS alone decides: CHANGE# keeps its last value after END BACKUP."""
        return self.backup_status == "ACTIVE"

    @property
    def size_on_disk(self) -> int:
        """Bytes on a file system: V$DATAFILE.BYTES leaves the operating-system header block out.
        0 when the size is unknown to the database (inaccessible file)."""
        return self.size_bytes + self.block_size if self.size_bytes else 0


@dataclass(frozen=True)
class Tablespace:
    """A tablespace, its datafiles, and how it must be backed up with the reason."""

    name: str
    number: int
    con_id: int
    container: str | None
    bigfile: bool
    temporary: bool
    undo: bool | None
    block_size: int
    datafiles: tuple[Datafile, ...]
    method: BackupMethod
    reason: str

    @property
    def label(self) -> str:
        """How people name it: the tablespace, preceded by its container in a container database."""
        return f"{self.container}:{self.name}" if self.container else self.name

    @property
    def size_bytes(self) -> int:
        """Bytes its datafiles occupy on disk."""
        return sum(datafile.size_on_disk for datafile in self.datafiles)


@dataclass(frozen=True)
class RecoveryArea:
    """The fast recovery area: what fills it and is not reclaimable can stop the archiver."""

    path: str
    limit_bytes: int
    used_bytes: int
    reclaimable_bytes: int


@dataclass(frozen=True)
class Container:
    """One row of V$CONTAINERS; 1 is the root, 2 the seed."""

    con_id: int
    name: str
    open_mode: str


@dataclass(frozen=True)
class Database:
    """Identity and state of one database at one moment."""

    dbid: int
    name: str
    unique_name: str
    log_mode: str
    open_mode: str
    role: str
    control_file_type: str
    open_resetlogs: str
    resetlogs_scn: int
    resetlogs_time: str | None
    current_scn: int | None
    force_logging: str
    cdb: bool
    platform: str
    incarnations: tuple[Incarnation, ...]
    instances: tuple[Instance, ...]
    threads: tuple[RedoThread, ...]
    destinations: tuple[ArchiveDestination, ...]
    control_files: tuple[str, ...]
    tempfiles: tuple[Tempfile, ...]
    parameters: tuple[tuple[str, str], ...]
    wallet_status: str | None
    containers: tuple[Container, ...] = ()
    recovery_area: RecoveryArea | None = None
    version: str = ""
    block_size: int = 0

    @property
    def resetlogs_id(self) -> int:
        """Identifier of the current incarnation; sequences are unique only within it."""
        current = [item.resetlogs_id for item in self.incarnations if item.status == "CURRENT"]
        return current[0] if current else 0

    @property
    def startup_times(self) -> tuple[str, ...]:
        """Start times of the instances, in order of their numbers; another value means that one was
        restarted.
        """
        return tuple(item.startup_time for item in sorted(self.instances, key=lambda item: item.number))

    @property
    def enabled_threads(self) -> tuple[RedoThread, ...]:
        """The threads whose redo a backup needs."""
        return tuple(thread for thread in self.threads if thread.is_enabled)

    def parameter(self, name: str) -> str:
        """Value of an initialisation parameter, empty when unset."""
        return dict(self.parameters).get(name, "")
