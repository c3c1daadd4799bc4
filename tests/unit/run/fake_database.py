# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that exists in memory, as a run sees it, and streams that copy its imaginary files.

It keeps the rules that matter to a run: CHANGE# of a file is the SCN at BEGIN BACKUP and stays after END BACKUP, a
file's header is frozen meanwhile, and a second BEGIN is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    Cancelled,
    OracleErrorInfo,
    OracleRefused,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    BackupMethod,
    BackupStatus,
    Database,
    Datafile,
    Incarnation,
    Instance,
    LiveSession,
    RedoThread,
    Tablespace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import BlockFault
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import BufferRing
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import DatafileHeader
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext

DBID = 1567890123
RESETLOGS_ID = 1093214587
FILE_BYTES = 8 * 8192


def refused(code: int) -> OracleRefused:
    text = f"ORA-{code:05d}: refused"
    return OracleRefused(text, oracle_error=OracleErrorInfo(code, (code,), text))


class FakeCopy:
    """A file task of one unit that does what it is told (the streams' side of :meth:`FakeDatabase.copy`)."""

    def __init__(self, copy: Callable[[], CopyResult]) -> None:
        self._copy = copy

    def begin(self) -> int:
        return 1

    def do(self, _unit: int, _ring: BufferRing) -> None:
        self._result = self._copy()

    def end(self) -> CopyResult:
        return self._result

    def abandon(self) -> None:
        """Nothing was opened."""


class FakeDatabase:
    """``log`` records what was executed. ``before`` is called with the name of each call and may raise.

    ``bad_blocks`` are what copying a file finds, by file number.
    """

    def __init__(self, structure: Mapping[str, int], read_only: Collection[str] = ()) -> None:
        self.scn = 1000
        self.startup = "2026-03-01T00:00:00"
        self.log: list[str] = []
        self.sessions: list[LiveSession] = []
        self.before: Callable[[str], None] = lambda name: None
        self.after_begin: Callable[[str], None] = lambda tablespace: None
        self.read_only = set(read_only)
        self.bad_blocks: dict[int, Sequence[BlockFault]] = {}
        self.files: dict[int, str] = {}
        self.status: dict[int, BackupStatus] = {}
        self.checkpoint: dict[int, int] = {}
        self.unrecoverable: dict[int, int] = {}
        for tablespace, count in structure.items():
            for _ignored in range(count):
                self.add_file(tablespace)

    def add_file(self, tablespace: str) -> int:
        number = len(self.files) + 1
        self.files[number] = tablespace
        self.status[number] = BackupStatus("NOT ACTIVE", 0, None)
        self.checkpoint[number] = 900
        self.unrecoverable[number] = 0
        return number

    def active(self) -> list[int]:
        return [number for number, item in self.status.items() if item.active]

    def discover(self) -> tuple[Database, list[Tablespace]]:
        self.before("discover")
        return self._database(), [self._tablespace(name) for name in dict.fromkeys(self.files.values())]

    def backup_status(self, file_numbers: Collection[int]) -> dict[int, BackupStatus]:
        self.before("backup_status")
        return {number: self.status[number] for number in file_numbers if number in self.status}

    def begin_backup(self, tablespace: str, con_id: int, file_numbers: Collection[int]) -> None:
        self.before("begin_backup")
        if any(self.status[number].active for number in self._numbers(tablespace)):
            raise refused(1146)
        self.begin_by_hand(tablespace)
        self.log.append(f"BEGIN {tablespace}")
        self.after_begin(tablespace)

    def end_backup(self, tablespace: str, con_id: int, file_numbers: Collection[int]) -> None:
        self.before("end_backup")
        self.end_by_hand(tablespace)
        self.log.append(f"END {tablespace}")

    def begin_by_hand(self, tablespace: str) -> None:
        self.scn += 10
        for number in self._numbers(tablespace):
            self.status[number] = BackupStatus("ACTIVE", self.scn, None)
            self.checkpoint[number] = self.scn

    def end_by_hand(self, tablespace: str) -> None:
        self.scn += 10
        for number in self._numbers(tablespace):
            self.status[number] = self.status[number]._replace(status="NOT ACTIVE")

    def restart(self) -> None:
        """Another start time; what was in backup mode was ended by a person at mount."""
        self.startup = "2026-03-01T05:00:00"
        for number, item in self.status.items():
            self.status[number] = item._replace(status="NOT ACTIVE")

    def current_scn(self) -> int:
        self.before("current_scn")
        self.scn += 1
        return self.scn

    def startup_times(self) -> tuple[str, ...]:
        self.before("startup_times")
        return (self.startup,)

    def live_sessions(self) -> list[LiveSession]:
        self.before("live_sessions")
        return self.sessions

    def run_is_connected(self, set_id: str) -> bool:
        return any(session.action == set_id for session in self.live_sessions())

    def close(self) -> None:
        pass

    def copy_task(self, request: CopyRequest, context: IoContext) -> FakeCopy:
        """What a stream is given to do."""
        return FakeCopy(lambda: self.copy(request, context))

    def copy(self, request: CopyRequest, context: IoContext) -> CopyResult:
        """Stand in for the copy engine: a small file, and headers as the database has them at this moment."""
        number = request.file_number
        assert number is not None
        before = self.header(number)
        self.log.append(f"COPY {number}")
        self.before(f"copy {number}")
        if context.cancelled():
            raise Cancelled("stopped")
        content = bytes([number % 256]) * FILE_BYTES
        Path(request.destination).write_bytes(content)
        context.progress(FILE_BYTES)
        if number in self.bad_blocks:
            context.bad_blocks(self.bad_blocks[number])
        digest = hashlib.sha256(content).hexdigest()
        return CopyResult(
            source=request.source,
            destination=request.destination,
            size_bytes=FILE_BYTES,
            digest=digest,
            chunk_digests=(digest,),
            chunk_size_bytes=1 << 26,
            compression=request.compression.name,
            stored_size_bytes=FILE_BYTES,
            stored_digest=None if request.compression.name == "none" else digest,
            blocks_examined=7,
            blocks_empty=0,
            blocks_without_checksum=0,
            faults=(),
            fault_count=0,
            header_before=before,
            header_after=self.header(number),
            seconds=0.01,
            accelerator="none",
            reflinked=False,
            source_inode=number,
            source_mtime_ns=0,
            stored_inode=Path(request.destination).stat().st_ino,
        )

    def header(self, number: int) -> DatafileHeader:
        active = self.status[number].active
        return DatafileHeader(
            dbid=DBID,
            db_name="ORA1",
            file_number=number,
            relative_file_number=number,
            bigfile=False,
            block_size=8192,
            block_count=7,
            tablespace_name=self.files[number],
            tablespace_number=list(dict.fromkeys(self.files.values())).index(self.files[number]),
            creation_scn=number * 10,
            resetlogs_scn=1,
            resetlogs_time=datetime(2022, 1, 1),
            resetlogs_id=RESETLOGS_ID,
            checkpoint_scn=self.checkpoint[number],
            checkpoint_thread=1,
            checkpoint_sequence=1,
            checkpoint_time=datetime(2026, 3, 1),
            begin_backup_scn=self.status[number].scn or None,
            in_backup=active,
            fuzzy=self.files[number] not in self.read_only,
            status_bits=1 if active else 4,
            compatibility=0x13000000,
            file_type=3,
            big_endian=False,
        )

    def _numbers(self, tablespace: str) -> list[int]:
        return [number for number, name in self.files.items() if name == tablespace]

    def _tablespace(self, name: str) -> Tablespace:
        plain_copy = name in self.read_only
        return Tablespace(
            name=name,
            number=list(dict.fromkeys(self.files.values())).index(name),
            con_id=0,
            container=None,
            bigfile=False,
            temporary=False,
            undo=False,
            block_size=8192,
            datafiles=tuple(self._datafile(number) for number in self._numbers(name)),
            method=BackupMethod.PLAIN_COPY if plain_copy else BackupMethod.BACKUP_MODE,
            reason="read only" if plain_copy else "online and read write",
        )

    def _datafile(self, number: int) -> Datafile:
        name = self.files[number]
        return Datafile(
            file_number=number,
            con_id=0,
            tablespace_number=0,
            tablespace=name,
            path=f"/oradata/{name.lower()}{number:02d}.dbf",
            status="ONLINE",
            enabled="READ ONLY" if name in self.read_only else "READ WRITE",
            size_bytes=FILE_BYTES - 8192,
            block_size=8192,
            bigfile=False,
            creation_scn=number * 10,
            unrecoverable_scn=self.unrecoverable[number],
            last_scn=None,
            checkpoint_scn=self.checkpoint[number],
            backup_status=self.status[number].status,
            backup_scn=self.status[number].scn,
            backup_time=None,
            header_error=None,
            header_fuzzy="YES",
            header_recover="NO",
            header_checkpoint_scn=self.checkpoint[number],
            recover_error=None,
            needs_recovery=False,
        )

    def _database(self) -> Database:
        return replace(
            _DATABASE, current_scn=self.scn, instances=(replace(_INSTANCE, startup_time=self.startup),)
        )


_INSTANCE = Instance(1, "ORA1", "dbhost01", "19.22.0.0.0", "", "OPEN", "STARTED", None)
_DATABASE = Database(
    dbid=DBID,
    name="ORA1",
    unique_name="ORA1",
    log_mode="ARCHIVELOG",
    open_mode="READ WRITE",
    role="PRIMARY",
    control_file_type="CURRENT",
    open_resetlogs="NOT ALLOWED",
    resetlogs_scn=1,
    resetlogs_time=None,
    current_scn=None,
    force_logging="NO",
    cdb=False,
    platform="Linux x86 64-bit",
    incarnations=(Incarnation(RESETLOGS_ID, 1, None, "CURRENT"),),
    instances=(_INSTANCE,),
    threads=(RedoThread(1, "OPEN", "PUBLIC", 5, 1),),
    destinations=(),
    control_files=("/oradata/control01.ctl",),
    tempfiles=(),
    parameters=(),
    wallet_status=None,
)
