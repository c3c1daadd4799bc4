# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backup mode: ALTER TABLESPACE and ALTER DATABASE ... BEGIN and END BACKUP.

From BEGIN on, first changes of blocks log whole images (see ``changes``), a checkpoint brings the files
to one SCN, and that SCN is frozen in their headers. END writes a redo record per file, by which recovery
of a copy knows where it is consistent, and lets the header go on with the last checkpoint of the
database. Sources: Oracle SQL Reference, ALTER TABLESPACE and ALTER DATABASE; Oracle Backup and Recovery
User's Guide, user-managed backups.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.changes import write_markers
from oracle_simulator.instance.cache.checkpoint import own_header
from oracle_simulator.instance.container_modes import (
    MOUNTED,
    READ_WRITE,
    open_mode,
    require_container_read_write,
)
from oracle_simulator.instance.faults import Step
from oracle_simulator.instance.headers import WrongFile, identify
from oracle_simulator.instance.media_failure import header_of
from oracle_simulator.instance.messages import cannot_identify, datafile_line
from oracle_simulator.instance.open_files import OpenFile
from oracle_simulator.instance.standby import refuse_backup_mode
from oracle_simulator.storage.block import BIGFILE_RELATIVE_NUMBER
from oracle_simulator.storage.datafile import Datafile, HeaderStatus
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.redo_record import BeginBackup, EndBackup

if TYPE_CHECKING:
    from oracle_simulator.instance.control_file.control import DatafileRecord, TablespaceRecord
    from oracle_simulator.instance.instance import Instance

Cancelled = Callable[[], bool] | None


def begin_tablespace(
    instance: Instance, name: str, cancelled: Cancelled = None, con_id: int | None = None
) -> int:
    """ALTER TABLESPACE ... BEGIN BACKUP, in the root or in the given container; returns the begin-backup SCN.

    Raises ORA-00959 unknown there, ORA-03217 temporary, ORA-01642 read only, ORA-01232 about to be,
    ORA-01128 a file is offline, ORA-01146 a file is in backup already, ORA-01123 NOARCHIVELOG, ORA-01109 not
    open, ORA-16000 open read only;
    on a standby what the reading of that says.
    """
    with instance.checkpointer.headers:
        with instance.latch:
            refuse_backup_mode(instance)
            tablespace = _backup_tablespace(instance, name, con_id)
            _require_archivelog(instance)
            files = instance.control.files_of(tablespace)
            for record in files:
                if record.file_number in instance.turning_read_only:
                    text = f"cannot start online backup - file {record.file_number} is being made read-only"
                    raise OracleError(1232, text, datafile_line(record))
                if not record.online:
                    text = f"cannot start online backup - file {record.file_number} is offline"
                    raise OracleError(1128, text, datafile_line(record))
            for record in files:
                _refuse_in_backup(record)
        return _begin(instance, files, cancelled)


def end_tablespace(instance: Instance, name: str, con_id: int | None = None) -> None:
    """ALTER TABLESPACE ... END BACKUP, in the root or in the given container.

    Raises ORA-00959, ORA-03217, ORA-01642, ORA-01140 all files offline, ORA-01142 none in backup,
    ORA-01109 not open, and, when some were not in backup, after ending the others ORA-01260 (unless
    ``Readings.partial_end_backup_is_an_error`` is off).
    """
    with instance.checkpointer.headers:
        with instance.latch:
            tablespace = _backup_tablespace(instance, name, con_id)
            files = instance.control.files_of(tablespace)
            if not any(record.online for record in files):
                raise OracleError(
                    1140,
                    "cannot end online backup - all files are offline or readonly",
                    datafile_line(files[0]),
                )
            active = [record for record in files if record.in_backup]
            if not active:
                raise OracleError(
                    1142,
                    "cannot end online backup - none of the files are in backup",
                    datafile_line(files[0]),
                )
        _end(instance, active)
        some_were_not = len(active) < len([record for record in files if record.online])
        if some_were_not and instance.readings.partial_end_backup_is_an_error:
            raise OracleError(
                1260, "warning: END BACKUP succeeded but some files found not to be in backup mode"
            )


def begin_database(instance: Instance, cancelled: Cancelled = None, con_id: int | None = None) -> int:
    """ALTER DATABASE BEGIN BACKUP: every online file of a read-write tablespace; returns the SCN.

    In the root (``con_id`` None) of all containers that are open read write, and of closed ones with
    ``Readings.begin_backup_covers_closed_pluggables``; in a pluggable database its own. The seed is read only
    and never among them. Raises ORA-01146 when any file is in backup, ORA-01123, ORA-01109, ORA-16000.
    """
    with instance.checkpointer.headers:
        with instance.latch:
            refuse_backup_mode(instance)
            instance.require_open_read_write()
            if con_id is not None:
                require_container_read_write(instance, con_id)
            _require_archivelog(instance)
            files = [
                record
                for record in _in_scope(instance, con_id)
                if record.online and record.enabled == "READ WRITE" and _can_begin(instance, record)
            ]
            for record in files:
                _refuse_in_backup(record)
        return _begin(instance, files, cancelled)


def _in_scope(instance: Instance, con_id: int | None) -> list[DatafileRecord]:
    return [record for record in instance.control.datafiles if con_id in (None, record.con_id)]


def _can_begin(instance: Instance, record: DatafileRecord) -> bool:
    mode = open_mode(instance, record.con_id)
    closed_too = instance.readings.begin_backup_covers_closed_pluggables
    return mode == READ_WRITE or (mode == MOUNTED and closed_too)


def end_database(instance: Instance, con_id: int | None = None) -> None:
    """ALTER DATABASE END BACKUP, of all containers or of the given one.

    Open: as END BACKUP of every tablespace. Mounted: headers only, without redo; each file in backup
    mode takes the checkpoint the control file has for it. That is right for the originals after a crash.
    For a file restored from a backup it claims changes the file does not have: Oracle warns against it,
    and does not notice either. Raises ORA-01142 when no file is in backup, ORA-01507, and, when the others
    are ended, ORA-01235 over the errors of files that cannot be read.
    """
    if instance.is_open:
        with instance.checkpointer.headers:
            with instance.latch:
                instance.require_open_read_write()
                active = [record for record in _in_scope(instance, con_id) if record.in_backup]
                if not active:
                    raise OracleError(1142, "cannot end online backup - none of the files are in backup")
            _end(instance, active)
        return
    instance.require_mounted()
    with instance.checkpointer.headers:
        ended = 0
        failures: list[OracleError] = []
        for record in _in_scope(instance, con_id):
            try:
                ended += record.online and _repair_header(instance, record)
            except OracleError as exc:
                failures.append(exc)
        instance.save_control()
        if failures:
            text = f"END BACKUP failed for {len(failures)} file(s) and succeeded for {ended}"
            raise OracleError(
                1235,
                text,
                *(line for failure in failures for line in ((failure.code, failure.text), *failure.more)),
            )
        if not ended:
            raise OracleError(1142, "cannot end online backup - none of the files are in backup")


def end_files(instance: Instance, records: Sequence[DatafileRecord]) -> None:
    """ALTER DATABASE DATAFILE ... END BACKUP.

    Raises ORA-01199 with ORA-01110 for a file that is not in backup mode, ORA-01507, and ORA-01531 on an
    open database when ``Readings.end_backup_of_datafile_when_open`` is off.
    """
    instance.require_mounted()
    with instance.checkpointer.headers:
        if instance.is_open:
            if not instance.readings.end_backup_of_datafile_when_open:
                raise OracleError(1531, "a database already open by the instance")
            instance.require_open_read_write()
            for record in records:
                if not record.in_backup:
                    raise _not_in_backup(record)
            _end(instance, records)
            return
        for record in records:
            if not _repair_header(instance, record):
                raise _not_in_backup(record)
        instance.save_control()


def _begin(instance: Instance, files: Sequence[DatafileRecord], cancelled: Cancelled) -> int:
    now = instance.wall_clock.second()
    with instance.latch:
        # From this moment on first changes log images; the checkpoint below covers everything before.
        scn = instance.clock.next()
        for record in files:
            record.in_backup, record.backup_scn, record.backup_time = True, scn, now
        position = instance.redo.appended_position
        write_markers(instance, [BeginBackup(record.file_number, scn) for record in files])
    numbers = frozenset(record.file_number for record in files)
    try:
        instance.save_control()
        with instance.faults.steps.at(Step.BEGIN_BACKUP_CHECKPOINT):
            instance.database_writer.write_until(position, numbers, cancelled)
            instance.redo.wait_durable(position + 1, cancelled)
    except OracleError:
        with instance.latch:
            for record in files:
                record.in_backup = False
        raise
    with instance.latch:
        frozen = dataclasses.replace(instance.redo.checkpoint_at(position + 1), scn=scn)
    for record in files:
        number = record.file_number
        with (
            _header_of(instance, record) as file,
            instance.faults.steps.at(Step.BEGIN_BACKUP_HEADER, number),
        ):
            _freeze_header(instance, file, frozen)
    instance.save_control()
    instance.log.write(*(f"Begin backup of data file {record.file_number}" for record in files))
    return scn


@contextlib.contextmanager
def _header_of(instance: Instance, record: DatafileRecord) -> Iterator[OpenFile]:
    """A file in use, or one of a closed container, opened for this. Raises ORA-01157, ORA-01114."""
    present = instance.files.find(record.file_number)
    if present is not None:
        with header_of(instance, present):
            yield present
        return
    try:
        datafile = Datafile.open(record.path, disk=instance.disk)
    except OSError as exc:
        raise cannot_identify(record) from exc
    closed = OpenFile(record, datafile, record.relative_file_number == BIGFILE_RELATIVE_NUMBER)
    with datafile, header_of(instance, closed):
        yield closed


def _freeze_header(instance: Instance, file: OpenFile, checkpoint: Checkpoint) -> None:
    header = own_header(instance, file)
    if file.record.stop_scn is not None:
        checkpoint = header.checkpoint  # of a closed container: it stands still anyway
    file.datafile.update_header(
        status=(header.status | HeaderStatus.HOT_BACKUP) & ~HeaderStatus.ONLINE_FUZZY,
        checkpoint=checkpoint,
        backup_checkpoint=checkpoint,
        checkpoint_count=header.checkpoint_count + 1,
        control_file_sequence=instance.control_files.durable_sequence,
        begin_backup_scn=file.record.backup_scn,
        begin_backup_time=file.record.backup_time,
        begin_backup_thread=checkpoint.thread,
        blocks_at_begin_backup=header.blocks,
    )
    file.datafile.fsync()
    with instance.latch:
        file.record.checkpoint = checkpoint
        file.record.checkpoint_count = header.checkpoint_count + 1


def _end(instance: Instance, files: Sequence[DatafileRecord]) -> None:
    with instance.latch:
        markers = [EndBackup(record.file_number, record.backup_scn) for record in files]
        commit = write_markers(instance, markers)
    with instance.faults.steps.at(Step.END_BACKUP_REDO):
        instance.redo.wait_durable(commit.position)
    for record in files:
        if not record.online:
            continue
        with _header_of(instance, record) as file:
            own_header(instance, file)
            fuzzy = HeaderStatus.ONLINE_FUZZY if record.stop_scn is None else HeaderStatus.NONE
            with instance.faults.steps.at(Step.END_BACKUP_HEADER, record.file_number):
                _release_header(instance, file.datafile, record, fuzzy)
    with instance.latch:
        # Not before the headers: a control file that is ahead of them would take them for restored ones.
        for record in files:
            record.in_backup = False
    instance.save_control()
    instance.log.write(*(f"End backup of data file {record.file_number}" for record in files))


def _release_header(
    instance: Instance, datafile: Datafile, record: DatafileRecord, fuzzy: HeaderStatus
) -> None:
    """Out of backup mode, to the checkpoint the control file has; the begin-backup fields stay."""
    header = datafile.read_header()
    datafile.update_header(
        status=(header.status & ~HeaderStatus.HOT_BACKUP) | fuzzy,
        checkpoint=record.checkpoint,
        checkpoint_count=header.checkpoint_count + 1,
        control_file_sequence=instance.control_files.durable_sequence,
    )
    datafile.fsync()
    with instance.latch:
        record.checkpoint_count = header.checkpoint_count + 1


def _repair_header(instance: Instance, record: DatafileRecord) -> bool:
    """END BACKUP of a mounted file; False when it is not in backup mode."""
    try:
        header = identify(instance, record)
    except WrongFile as exc:
        raise exc.error from exc
    if not header.in_backup:
        return False
    try:
        with Datafile.open(record.path, disk=instance.disk) as datafile:
            fuzzy = HeaderStatus.ONLINE_FUZZY if record.stop_scn is None else HeaderStatus.NONE
            _release_header(instance, datafile, record, fuzzy)
    except OSError as exc:
        raise cannot_identify(record) from exc
    with instance.latch:
        record.in_backup = False
    return True


def _backup_tablespace(instance: Instance, name: str, con_id: int | None) -> TablespaceRecord:
    instance.require_open_read_write()
    if con_id is not None:
        require_container_read_write(instance, con_id)
    tablespace = instance.control.tablespace_named(name, con_id)
    if tablespace is None:
        raise OracleError(959, f"tablespace '{name}' does not exist")
    if tablespace.contents == "TEMPORARY":
        raise OracleError(3217, "invalid option for alter of TEMPORARY TABLESPACE")
    if tablespace.status == "READ ONLY":
        raise OracleError(1642, f"begin backup not needed for read only tablespace '{name}'")
    return tablespace


def _refuse_in_backup(record: DatafileRecord) -> None:
    if record.in_backup:
        text = f"cannot start online backup - file {record.file_number} is already in backup"
        raise OracleError(1146, text, datafile_line(record))


def _require_archivelog(instance: Instance) -> None:
    if instance.control.database.log_mode != "ARCHIVELOG":
        raise OracleError(1123, "cannot start online backup; media recovery not enabled")


def _not_in_backup(record: DatafileRecord) -> OracleError:
    return OracleError(1199, f"file {record.file_number} is not in online backup mode", datafile_line(record))
