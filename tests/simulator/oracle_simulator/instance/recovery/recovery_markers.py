# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What file-level redo does to files and control file during media recovery."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container import ContainerRecord
from oracle_simulator.instance.control_file.control import CURRENT, DatafileRecord, TablespaceRecord
from oracle_simulator.instance.recovery.recovering_files import RecoveringFile
from oracle_simulator.instance.recovery.recovery_apply import RecoveryApplier
from oracle_simulator.instance.redo.thread_states import note_thread
from oracle_simulator.storage.block import BIGFILE_RELATIVE_NUMBER
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.oracle_time import decode_time
from oracle_simulator.storage.redo_log import LogRecord
from oracle_simulator.storage.redo_record import (
    BeginBackup,
    CleanClose,
    CrashRecovered,
    EndBackup,
    FileCreated,
    FileDropped,
    FileResized,
    Marker,
    PluggableClosed,
    PluggableCreated,
    PluggableDropped,
    RedoRecord,
    TablespaceCreated,
    TablespaceDropped,
    TablespaceState,
    ThreadDisabled,
    ThreadEnabled,
    UnloggedBlocks,
)

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


ENABLED = {
    "read_only": "READ ONLY",
    "read_write": "READ WRITE",
    "offline": "DISABLED",
    "online": "READ WRITE",
}
"""``V$DATAFILE.ENABLED`` of the files of a tablespace by the state a marker gives it."""
_OF_ONE_FILE = (BeginBackup, EndBackup, CleanClose, CrashRecovered, UnloggedBlocks)
"""Markers that say something of the state of files, and nothing to the control file."""
QUIET_STATES = ("read_only", "offline")


class UnnamedFiles(Exception):
    """Redo created files the control file did not know: they have entries UNNAMEDnnnnn now.

    The error names the files as they were created; V$DATAFILE shows the new entries (Backup and Recovery
    Advanced User's Guide 10.2, Recovering Through an Added Datafile with a Backup Control File).
    """

    def __init__(self, created: list[FileCreated]) -> None:
        lines = [(1110, f"data file {marker.file_number}: '{marker.path}'") for marker in created]
        self.error = OracleError(1244, "unnamed datafile(s) added to control file by media recovery", *lines)
        super().__init__(self.error.message)


class TrialEnds(Exception):
    """A trial comes to redo that would change the control file."""


class MarkerEffects:
    """Applies markers. With ``whole_database`` off (recovery of single files) structure is left alone.

    With ``older_control_file`` (a backup, or made anew) the redo may know files the control file does not;
    to the current one a file it does not know is one that was dropped later in the redo. A ``trial`` changes
    nothing but files in memory.
    """

    def __init__(
        self, instance: Instance, applier: RecoveryApplier, whole_database: bool, older_control_file: bool
    ) -> None:
        self._instance = instance
        self._applier = applier
        self._whole_database = whole_database
        self._older_control_file = older_control_file
        self.trial = False
        self.on_thread: Callable[[ThreadEnabled | ThreadDisabled, RedoRecord], None] | None = None
        applier.on_marker = self.apply

    def apply(self, marker: Marker, record: RedoRecord) -> None:
        """Apply one marker of a record. Raises TrialEnds."""
        if self.trial and not isinstance(marker, _OF_ONE_FILE):
            raise TrialEnds
        if isinstance(marker, EndBackup):
            file = self._file(marker.file_number)
            if file is not None and record.scn >= file.from_scn:
                file.end_backup(marker.begin_scn)
        elif isinstance(marker, CleanClose | PluggableClosed):
            every = tuple(self._applier.targets)
            for number in marker.file_numbers if isinstance(marker, PluggableClosed) else every:
                file = self._file(number)
                if file is not None and record.scn >= file.from_scn:
                    file.closed_clean()
        elif isinstance(marker, FileResized):
            self._resize(marker, record.scn)
        elif isinstance(marker, ThreadEnabled | ThreadDisabled):
            if self._whole_database and self._older_control_file:
                note_thread(self._instance, marker, record.scn)
            if self.on_thread is not None:
                self.on_thread(marker, record)
        elif self._whole_database:
            self._change_structure(marker, record)

    def refuse_unknown_files(self, entry: LogRecord, stop_before: Callable[[LogRecord], None]) -> None:
        """Before a record that creates files the control file does not know: make entries for them and end
        the recovery. Raises UnnamedFiles."""
        if self.trial or not (self._whole_database and self._older_control_file):
            return
        control = self._instance.control
        created = [
            marker
            for marker in entry.record.vectors
            if isinstance(marker, FileCreated) and control.datafile(marker.file_number) is None
        ]
        if not created:
            return
        stop_before(entry)
        with self._instance.latch:
            for vector in entry.record.vectors:
                if isinstance(vector, PluggableCreated):
                    self._add_container(vector)
                elif isinstance(vector, TablespaceCreated):
                    self._add_tablespace(vector)
            for marker in created:
                self._unnamed(marker, entry)
        self._instance.save_control()
        raise UnnamedFiles(created)

    def _file(self, file_number: int) -> RecoveringFile | None:
        target = self._applier.targets.get(file_number)
        return target if isinstance(target, RecoveringFile) else None

    def _resize(self, marker: FileResized, scn: int) -> None:
        file = self._file(marker.file_number)
        if file is None or scn < file.from_scn or marker.blocks == file.file.datafile.blocks:
            return
        if marker.blocks < file.file.datafile.blocks:
            self._applier.flush()
            self._applier.forget_blocks(marker.file_number, marker.blocks + 1)
        file.resize(marker.blocks)
        with self._instance.latch:
            file.file.record.blocks = marker.blocks

    def _change_structure(self, marker: Marker, record: RedoRecord) -> None:
        control = self._instance.control
        with self._instance.latch:
            if isinstance(marker, TablespaceCreated):
                if self._older_control_file:
                    self._add_tablespace(marker)
            elif isinstance(marker, PluggableCreated):
                if self._older_control_file:
                    self._add_container(marker)
            elif isinstance(marker, PluggableDropped):
                for file in [each for each in control.datafiles if each.con_id == marker.con_id]:
                    self._applier.forget_file(file.file_number)
                control.forget_container(marker.con_id)
            elif isinstance(marker, TablespaceDropped):
                tablespace = control.tablespace(marker.tablespace_number, marker.con_id)
                if tablespace is not None and tablespace.name == marker.tablespace_name:
                    for file in control.files_of(tablespace):
                        self._drop_file(file)
                    control.tablespaces.remove(tablespace)
            elif isinstance(marker, FileDropped):
                found = control.datafile(marker.file_number)
                if found is not None and found.creation_scn < record.scn:
                    self._drop_file(found)
            elif isinstance(marker, TablespaceState) and control.database.control_file_type != CURRENT:
                self._change_state(marker, record)

    def _add_container(self, marker: PluggableCreated) -> None:
        control = self._instance.control
        if control.container(marker.con_id) is None:
            identity = (marker.con_id, marker.container_name, marker.dbid, marker.guid)
            created = decode_time(marker.creation_time)
            control.containers.append(
                ContainerRecord(*identity, marker.creation_scn, created, ever_opened=False)
            )

    def _add_tablespace(self, marker: TablespaceCreated) -> None:
        control = self._instance.control
        if control.tablespace(marker.tablespace_number, marker.con_id) is None:
            control.tablespaces.append(
                TablespaceRecord(
                    marker.tablespace_number,
                    marker.tablespace_name,
                    marker.bigfile,
                    marker.contents,
                    con_id=marker.con_id,
                    encryption=marker.encryption,
                )
            )

    def _drop_file(self, record: DatafileRecord) -> None:
        self._applier.forget_file(record.file_number)
        self._instance.control.datafiles.remove(record)

    def _change_state(self, marker: TablespaceState, record: RedoRecord) -> None:
        """An older control file learns that a tablespace became read only or offline, or came back."""
        tablespace = self._instance.control.tablespace(marker.tablespace_number, marker.con_id)
        if tablespace is None:
            return
        quiet = marker.state in QUIET_STATES
        tablespace.status = {"read_only": "READ ONLY", "offline": "OFFLINE"}.get(marker.state, "ONLINE")
        for number in marker.file_numbers:
            file = self._file(number)
            found = self._instance.control.datafile(number)
            if found is None:
                continue
            found.enabled = ENABLED[marker.state]
            if marker.state in ("offline", "online"):
                found.status = "OFFLINE" if quiet else "ONLINE"
            found.stop_scn = record.scn if quiet else None
            if file is not None:
                file.stop_scn = found.stop_scn
                if not quiet:
                    file.from_scn = max(file.from_scn, record.scn)

    def _unnamed(self, marker: FileCreated, entry: LogRecord) -> None:
        control = self._instance.control
        if control.tablespace(marker.tablespace_number, marker.con_id) is None:
            control.tablespaces.append(
                TablespaceRecord(
                    marker.tablespace_number,
                    f"TS{marker.tablespace_number}",
                    marker.relative_file_number == BIGFILE_RELATIVE_NUMBER,
                    con_id=marker.con_id,
                )
            )
        created = decode_time(marker.creation_time)
        checkpoint = Checkpoint(
            marker.creation_scn, created, entry.record.thread, entry.address.sequence, 2, 16,
            control.enabled_threads,
        )  # fmt: skip
        record = DatafileRecord(
            file_number=marker.file_number,
            relative_file_number=marker.relative_file_number,
            tablespace_number=marker.tablespace_number,
            path=str(self._instance.home.dbs / f"UNNAMED{marker.file_number:05d}"),
            blocks=marker.blocks,
            block_size=marker.block_size,
            create_blocks=marker.blocks,
            creation_scn=marker.creation_scn,
            creation_time=created,
            checkpoint=checkpoint,
            con_id=marker.con_id,
            encryption_key=marker.encryption_key,
        )
        control.datafiles.append(record)
