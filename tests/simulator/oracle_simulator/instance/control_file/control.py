# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a control file says, as typed values.

The records are mutable and guarded by the latch of the instance; ``control_file_set`` writes them out.
Their JSON form (times as ISO text) is ours; Oracle does not document its control-file records.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from oracle_simulator.instance.container import NON_CDB, ROOT, SEED, ContainerRecord
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.oracle_time import decode_time

CURRENT, BACKUP, CREATED, STANDBY = "CURRENT", "BACKUP", "CREATED", "STANDBY"
"""``V$DATABASE.CONTROLFILE_TYPE``."""
NOT_ALLOWED, ALLOWED, REQUIRED = "NOT ALLOWED", "ALLOWED", "REQUIRED"
"""``V$DATABASE.OPEN_RESETLOGS``."""

ONLINE_STATUSES = ("SYSTEM", "ONLINE")
AVAILABLE, DELETED, UNAVAILABLE, EXPIRED = "A", "D", "U", "X"
"""``V$ARCHIVED_LOG.STATUS``."""
ARCHIVED_LOG_RECORDS, LOG_HISTORY_RECORDS = 28, 292
"""How many circular records a new control file has room for."""


@dataclass
class DatabaseRecord:
    """The one record of the database itself.

    ``checkpoint`` is the last checkpoint of all files (``V$DATABASE.CHECKPOINT_CHANGE#``).
    ``sequence`` counts the writes of the control file; datafile headers hold the count of their last write.
    ``recovery_stop_scn`` is where an incomplete recovery ended, for the RESETLOGS that follows it.
    ``compatible`` is the highest COMPATIBLE it was ever mounted with; there is no way back.
    ``controlfile_scn`` is only set in a backup (``V$DATABASE.CONTROLFILE_CHANGE#``).
    """

    dbid: int
    name: str
    log_mode: str = "ARCHIVELOG"
    created: datetime | None = None
    resetlogs_scn: int = 1
    resetlogs_id: int = 0
    prior_resetlogs_scn: int = 0
    prior_resetlogs_id: int = 0
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    control_file_type: str = CURRENT
    open_resetlogs: str = NOT_ALLOWED
    recovery_stop_scn: int = 0
    sequence: int = 0
    controlfile_scn: int | None = None
    controlfile_time: datetime | None = None
    controlfile_created: datetime | None = None
    character_set: str = "AL32UTF8"
    national_character_set: str = "AL16UTF16"
    force_logging: bool = False
    block_size: int = 8192
    max_logfiles: int = 16
    max_logmembers: int = 3
    max_datafiles: int = 1024
    max_instances: int = 8
    max_loghistory: int = 292
    compatible: str = ""

    @property
    def is_standby(self) -> bool:
        """Whether this is the control file of a physical standby database."""
        return self.control_file_type == STANDBY


@dataclass
class ThreadRecord:
    """A redo thread. ``status`` is OPEN (crash recovery is due if no instance has it) or CLOSED;
    ``enabled`` is PUBLIC, PRIVATE or DISABLED.

    ``sequence`` is that of the current log, or of the last one of a disabled thread. ``checkpoint`` is where
    crash recovery starts; in a closed thread, where its redo ends. ``enabled_scn`` and ``disabled_scn`` are
    those of the last ENABLE and DISABLE; 0: none since CREATE DATABASE.
    """

    thread: int = 1
    status: str = "CLOSED"
    enabled: str = "PUBLIC"
    instance: str = ""
    sequence: int = 1
    enabled_scn: int = 0
    disabled_scn: int = 0
    open_time: datetime | None = None
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    last_redo_scn: int = 0
    last_redo_time: datetime | None = None


@dataclass
class RedoGroup:
    """An online redo log group. ``status`` is UNUSED, CURRENT, ACTIVE (needed for crash recovery) or INACTIVE.

    ``next_scn`` is None while the log is current. ``size_bytes`` counts all blocks but block 0. ``invalid``
    are the members that lack redo of the log: they could not be written, or are new.
    """

    group: int
    thread: int
    size_bytes: int
    members: list[str]
    block_size: int = 512
    sequence: int = 0
    status: str = "UNUSED"
    archived: bool = True
    first_scn: int = 0
    first_time: datetime | None = None
    next_scn: int | None = 0
    next_time: datetime | None = None
    invalid: list[str] = field(default_factory=list)

    @property
    def valid_members(self) -> list[str]:
        """The members that hold the whole log, if they can be read."""
        return [member for member in self.members if member not in self.invalid]


@dataclass
class TablespaceRecord:
    """``contents`` is PERMANENT, UNDO or TEMPORARY; ``status`` ONLINE, OFFLINE or READ ONLY.

    ``number`` (TS#) is unique in its container only. ``encryption`` is the algorithm, if any.
    """

    number: int
    name: str
    bigfile: bool = False
    contents: str = "PERMANENT"
    status: str = "ONLINE"
    con_id: int = NON_CDB
    encryption: str = ""


@dataclass
class DatafileRecord:
    """The control-file side of a datafile. Sizes in blocks without block 0.

    ``checkpoint`` is the last checkpoint of the file as the database sees it: it advances in backup mode,
    while the one in the header stands still. ``stop_scn`` is None while the file is being changed.
    ``encryption_key`` identifies the master key that its blocks are encrypted with, "" for a plain file.
    ``status`` is SYSTEM, ONLINE, OFFLINE, RECOVER or SYSOFF; ``enabled`` READ WRITE, READ ONLY, DISABLED.
    """

    file_number: int
    relative_file_number: int
    tablespace_number: int
    path: str
    blocks: int
    block_size: int = 8192
    create_blocks: int = 0
    status: str = "ONLINE"
    enabled: str = "READ WRITE"
    creation_scn: int = 0
    creation_time: datetime | None = None
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    checkpoint_count: int = 0
    stop_scn: int | None = None
    stop_time: datetime | None = None
    offline_scn: int = 0
    online_scn: int = 0
    online_time: datetime | None = None
    unrecoverable_scn: int = 0
    unrecoverable_time: datetime | None = None
    in_backup: bool = False
    backup_scn: int = 0
    backup_time: datetime | None = None
    con_id: int = NON_CDB
    encryption_key: str = ""
    given_up: bool = False  # OFFLINE FOR DROP: RESETLOGS may lose it

    @property
    def online(self) -> bool:
        """Whether the file is in use when the database is open."""
        return self.status in ONLINE_STATUSES

    def came_online(self, scn: int, time: datetime) -> None:
        """Changes are made again from ``scn`` on: the time without any is the file's last offline range."""
        self.offline_scn, self.online_scn, self.online_time = self.stop_scn or 0, scn, time
        self.stop_scn = self.stop_time = None

    @property
    def offline_normal(self) -> bool:
        """Taken offline after a checkpoint: no recovery needed."""
        return not self.online and self.stop_scn is not None and self.stop_scn == self.checkpoint.scn

    @property
    def bytes(self) -> int:
        """``V$DATAFILE.BYTES``: without the operating-system header block."""
        return self.blocks * self.block_size


@dataclass
class TempfileRecord:
    """A tempfile; never recovered, never copied."""

    file_number: int
    relative_file_number: int
    tablespace_number: int
    path: str
    blocks: int
    block_size: int = 8192
    status: str = "ONLINE"
    creation_scn: int = 0
    creation_time: datetime | None = None
    autoextend_blocks: int = 0
    max_blocks: int = 0
    con_id: int = NON_CDB

    @property
    def bytes(self) -> int:
        return self.blocks * self.block_size


@dataclass
class ArchivedLogRecord:
    """One archived copy of a log (``V$ARCHIVED_LOG``). ``blocks`` does not count block 0.

    ``name`` is None when the file is deleted, or the log was cleared before it was archived. ``deleted`` is
    what RMAN knows, not what an operating system command did. ``backup_count`` is how often RMAN backed it up.
    ``applied`` is for standby databases.
    """

    recid: int
    stamp: int
    name: str | None
    dest_id: int
    thread: int
    sequence: int
    resetlogs_scn: int
    resetlogs_id: int
    first_scn: int
    first_time: datetime | None
    next_scn: int
    next_time: datetime | None
    blocks: int
    block_size: int
    completion_time: datetime | None
    creator: str = "ARCH"
    registrar: str = "ARCH"
    status: str = AVAILABLE
    deleted: bool = False
    backup_count: int = 0
    in_recovery_area: bool = False
    applied: bool = False

    @property
    def written(self) -> datetime | None:
        """When the record was made."""
        return decode_time(self.stamp)


@dataclass
class LogHistoryRecord:
    """``V$LOG_HISTORY``: written at each log switch, archived or not."""

    recid: int
    stamp: int
    thread: int
    sequence: int
    first_scn: int
    first_time: datetime | None
    next_scn: int
    resetlogs_scn: int
    resetlogs_id: int

    @property
    def written(self) -> datetime | None:
        """When the record was made."""
        return decode_time(self.stamp)


@dataclass
class IncarnationRecord:
    """``V$DATABASE_INCARNATION``. ``status`` is CURRENT, PARENT or ORPHAN."""

    number: int
    resetlogs_scn: int
    resetlogs_id: int
    prior_resetlogs_scn: int = 0
    prior_resetlogs_id: int = 0
    status: str = "CURRENT"
    prior_number: int = 0


@dataclass
class ControlState:
    """Everything a control file holds. ``containers`` is empty in a non-CDB, and begins with the root in a CDB."""

    database: DatabaseRecord
    threads: list[ThreadRecord] = field(default_factory=list)
    redo_groups: list[RedoGroup] = field(default_factory=list)
    tablespaces: list[TablespaceRecord] = field(default_factory=list)
    datafiles: list[DatafileRecord] = field(default_factory=list)
    tempfiles: list[TempfileRecord] = field(default_factory=list)
    archived_logs: list[ArchivedLogRecord] = field(default_factory=list)
    log_history: list[LogHistoryRecord] = field(default_factory=list)
    incarnations: list[IncarnationRecord] = field(default_factory=list)
    containers: list[ContainerRecord] = field(default_factory=list)
    next_recid: int = 1
    archived_log_records: int = ARCHIVED_LOG_RECORDS
    log_history_records: int = LOG_HISTORY_RECORDS

    # ------------------------------------------------------------ finding

    @property
    def thread(self) -> ThreadRecord:
        """The first thread: the only one of most databases."""
        return self.threads[0]

    @property
    def current_group(self) -> RedoGroup:
        """The group the first thread writes. Raises LookupError when there is none."""
        return self.current_group_of(self.thread.thread)

    def thread_record(self, thread: int) -> ThreadRecord:
        """A thread by number. Raises LookupError."""
        for record in self.threads:
            if record.thread == thread:
                return record
        raise LookupError(f"no redo thread {thread}")

    def groups_of(self, thread: int) -> list[RedoGroup]:
        """The log groups of a thread in order of their numbers."""
        found = [group for group in self.redo_groups if group.thread == thread]
        return sorted(found, key=lambda group: group.group)

    def current_group_of(self, thread: int) -> RedoGroup:
        """The group being written by a thread. Raises LookupError when none is current."""
        for group in self.redo_groups:
            if group.thread == thread and group.status == "CURRENT":
                return group
        raise LookupError(f"no current redo log group of thread {thread}")

    def free_groups_of(self, thread: int) -> list[RedoGroup]:
        """The groups of a thread whose redo nobody needs, those idle for longest first."""
        archiving = self.database.log_mode == "ARCHIVELOG"
        free = [
            group
            for group in self.groups_of(thread)
            if group.status == "UNUSED" or (group.status == "INACTIVE" and (group.archived or not archiving))
        ]
        return sorted(free, key=lambda group: (group.sequence, group.group))

    @property
    def enabled_threads(self) -> int:
        """Bit n is set when thread n is enabled (as datafile headers have it)."""
        return sum(1 << record.thread for record in self.threads if record.enabled != "DISABLED")

    def datafile(self, file_number: int) -> DatafileRecord | None:
        """A datafile by absolute number."""
        return next((file for file in self.datafiles if file.file_number == file_number), None)

    @property
    def root_id(self) -> int:
        """The container id of the root; of the whole database when it is not a CDB."""
        return ROOT if self.containers else NON_CDB

    @property
    def local_undo(self) -> bool:
        """Whether every container has its own undo tablespace (the seed tells for all)."""
        return any(ts.con_id == SEED and ts.contents == "UNDO" for ts in self.tablespaces)

    def container(self, con_id: int) -> ContainerRecord | None:
        """A container by id."""
        return next((record for record in self.containers if record.con_id == con_id), None)

    def tablespace(self, number: int, con_id: int | None = None) -> TablespaceRecord | None:
        """A tablespace by number, of the root or of the given container."""
        key = (self.root_id if con_id is None else con_id, number)
        return next((ts for ts in self.tablespaces if (ts.con_id, ts.number) == key), None)

    def tablespace_named(self, name: str, con_id: int | None = None) -> TablespaceRecord | None:
        """A tablespace by exact name, of the root or of the given container."""
        key = (self.root_id if con_id is None else con_id, name)
        return next((ts for ts in self.tablespaces if (ts.con_id, ts.name) == key), None)

    def tablespace_of(self, file: DatafileRecord | TempfileRecord) -> TablespaceRecord | None:
        """The tablespace of a file."""
        return self.tablespace(file.tablespace_number, file.con_id)

    def files_of(self, tablespace: TablespaceRecord) -> list[DatafileRecord]:
        """Datafiles of a tablespace in order of file number (none for a temporary one)."""
        return self.datafiles_in(tablespace.number, tablespace.con_id)

    def datafiles_in(self, tablespace_number: int, con_id: int) -> list[DatafileRecord]:
        """Datafiles of a tablespace by numbers, in order of file number."""
        key = (con_id, tablespace_number)
        found = [file for file in self.datafiles if (file.con_id, file.tablespace_number) == key]
        return sorted(found, key=lambda file: file.file_number)

    def tempfiles_in(self, tablespace_number: int, con_id: int) -> list[TempfileRecord]:
        """Tempfiles of a tablespace by numbers."""
        key = (con_id, tablespace_number)
        return [file for file in self.tempfiles if (file.con_id, file.tablespace_number) == key]

    def incarnation(self, resetlogs_scn: int, resetlogs_id: int) -> IncarnationRecord | None:
        """The incarnation that began with this RESETLOGS."""
        for record in self.incarnations:
            if (record.resetlogs_scn, record.resetlogs_id) == (resetlogs_scn, resetlogs_id):
                return record
        return None

    # ------------------------------------------------------------ growing and shrinking

    def forget_container(self, con_id: int) -> None:
        """A container is no more, with all its tablespaces and files."""
        self.containers = [each for each in self.containers if each.con_id != con_id]
        self.tablespaces = [each for each in self.tablespaces if each.con_id != con_id]
        self.datafiles = [each for each in self.datafiles if each.con_id != con_id]
        self.tempfiles = [each for each in self.tempfiles if each.con_id != con_id]

    def take_recid(self) -> int:
        """The next record id of the circular records."""
        recid = self.next_recid
        self.next_recid += 1
        return recid

    def forget_old_records(self, keep_days: int, now: datetime) -> None:
        """Circular records are reused: in a full section the oldest one, unless it is younger than
        CONTROL_FILE_RECORD_KEEP_TIME days; then the section grows (Database Reference, that parameter)."""
        oldest_kept = now - timedelta(days=keep_days)
        _reuse(self.archived_logs, self.archived_log_records, oldest_kept)
        _reuse(self.log_history, self.log_history_records, oldest_kept)
        self.archived_log_records = max(self.archived_log_records, len(self.archived_logs))
        self.log_history_records = max(self.log_history_records, len(self.log_history))

    # ------------------------------------------------------------ as JSON

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; times as ISO text."""
        plain = _plain(self)
        assert isinstance(plain, dict)
        return plain

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ControlState:
        """The inverse of :meth:`to_dict`. Raises KeyError, TypeError or ValueError for anything else."""
        state = _typed(cls, data)
        assert isinstance(state, ControlState)
        return state


def _reuse(
    records: list[ArchivedLogRecord] | list[LogHistoryRecord], room: int, oldest_kept: datetime
) -> None:
    old = 0
    while len(records) - old > room and (records[old].written or oldest_kept) <= oldest_kept:
        old += 1
    del records[:old]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {name: _plain(item) for name, item in vars(value).items()}
    return value


def _typed(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType):
        return _typed(next(arm for arm in typing.get_args(hint) if arm is not types.NoneType), value)
    if typing.get_origin(hint) is list:
        (item_hint,) = typing.get_args(hint)
        return [_typed(item_hint, item) for item in value]
    if hint is datetime:
        return datetime.fromisoformat(value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        return hint(**{name: _typed(hints[name], item) for name, item in value.items()})
    return value
