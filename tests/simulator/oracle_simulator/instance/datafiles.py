# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single datafiles: ALTER DATABASE RENAME FILE, DATAFILE OFFLINE and ONLINE, CREATE DATAFILE."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container_modes import MOUNTED, open_mode
from oracle_simulator.instance.control_file.control import REQUIRED, DatafileRecord
from oracle_simulator.instance.headers import Need, WrongFile, check_incarnation, identify, recovery_need
from oracle_simulator.instance.messages import (
    cannot_identify,
    datafile_line,
    file_not_created,
    needs_media_recovery,
    os_lines,
)
from oracle_simulator.instance.open_files import OpenFile
from oracle_simulator.instance.recovery.recovery_logs import sequence_of
from oracle_simulator.instance.redo.log_groups import rename_member
from oracle_simulator.storage.datafile import Datafile, DatafileHeader, HeaderStatus, NotADatafileHeader
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.managed_names import is_managed_name

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


def find(instance: Instance, reference: int | str, con_id: int | None = None) -> DatafileRecord:
    """A datafile by absolute number or by name, of any container or of the given one. Raises ORA-01507, ORA-01516."""
    with instance.latch:
        for record in instance.control.datafiles:
            mine = con_id in (None, record.con_id)
            if mine and reference in (record.file_number, record.path):
                return record
    raise _nonexistent(str(reference))


def rename(instance: Instance, pairs: Sequence[tuple[str, str]], con_id: int | None = None) -> None:
    """ALTER DATABASE RENAME FILE 'old', ... TO 'new', ...: in the control file only; with ``con_id`` files of
    that container only. Oracle-managed files that are there under the old name are deleted.

    Raises ORA-01511 above: ORA-01516 unknown file, ORA-01121 a datafile in use, ORA-01141 or ORA-01512 the
    new file is not there (log files may be missing when RESETLOGS will make them), ORA-01523 name in use.
    """
    with instance.latch:
        instance.require_mounted()
        for old, new in pairs:
            try:
                _rename_one(instance, old, new, con_id)
            except OracleError as exc:
                raise exc.under(1511, "error in renaming log/data files") from exc
    instance.save_control()
    for old, _new in pairs:
        if is_managed_name(old):
            instance.disk.remove(old)


def offline(instance: Instance, records: Sequence[DatafileRecord], for_drop: bool = False) -> None:
    """ALTER DATABASE DATAFILE ... OFFLINE: without a checkpoint, so recovery is needed before ONLINE.

    A file that is offline FOR DROP does not keep RESETLOGS from losing it (Error Messages, ORA-01245).
    Raises ORA-01145 in NOARCHIVELOG mode without FOR DROP, ORA-01541 for a file of SYSTEM in an open
    database, ORA-01150 for one in backup mode.
    """
    instance.require_mounted()
    archiving = instance.control.database.log_mode == "ARCHIVELOG"
    if not archiving and not for_drop:
        raise OracleError(1145, "offline immediate disallowed unless media recovery enabled")
    with instance.checkpointer.headers:
        for record in records:
            is_open = open_mode(instance, record.con_id) != MOUNTED
            if record.status == "SYSTEM" and is_open:
                raise OracleError(1541, "system tablespace cannot be brought offline; shut down if necessary")
            if record.in_backup and is_open:
                raise OracleError(
                    1150, "cannot prevent writes - file is in online backup", datafile_line(record)
                )
        for record in records:
            if record.online:
                _take_offline(instance, record)
            record.given_up = record.given_up or for_drop
    instance.save_control()


def online(instance: Instance, records: Sequence[DatafileRecord]) -> None:
    """ALTER DATABASE DATAFILE ... ONLINE.

    Mounted: only a note in the control file. Open: raises ORA-01157, ORA-01122, ORA-01190 or ORA-01113,
    each with ORA-01110, for a file that is missing, wrong or needs recovery.
    """
    instance.require_mounted()
    with instance.checkpointer.headers:
        for record in records:
            if record.online:
                continue
            if open_mode(instance, record.con_id) != MOUNTED:
                _bring_online(instance, record)
            else:
                record.status = "SYSTEM" if record.tablespace_number == 0 else "ONLINE"
            record.given_up = False
    instance.save_control()


def release_file(instance: Instance, file_number: int) -> None:
    """Stop using a file: forget its blocks, wait for writes that are under way, close it. No latch held."""
    with instance.latch:
        instance.cache.forget_file(file_number)
    instance.wait_for(lambda: all(key[0] != file_number for key in instance.cache.in_flight))
    with instance.latch:
        instance.files.remove(file_number)


def create_datafile(instance: Instance, record: DatafileRecord, path: str | None = None) -> None:
    """ALTER DATABASE CREATE DATAFILE ... [AS 'path']: an empty file that redo since its creation will fill.

    Raises ORA-01180 for file 1, ORA-01178 or ORA-01181 for a file older than the control file or the last
    RESETLOGS, ORA-01182 for one in use, ORA-01119 when it can't be made.
    """
    instance.require_mounted()
    control = instance.control
    database = control.database
    number, line = record.file_number, datafile_line(record)
    if number == 1:
        raise OracleError(1180, "can not create datafile 1")
    if record.creation_scn <= database.resetlogs_scn:
        text = f"file {number} created before last known RESETLOGS, cannot recreate"
        raise OracleError(1181, text, line)
    container = control.container(record.con_id)
    if container is not None and record.creation_scn <= container.creation_scn:
        # It was copied from the seed, so its first contents are in no redo.
        text = f"file {number} created before last CREATE CONTROLFILE, cannot recreate"
        raise OracleError(1178, text, line)
    if number in instance.files:
        raise OracleError(1182, f"cannot create database file {number} - file is in use or recovery", line)
    known = record.checkpoint.sequence if record.checkpoint.scn == record.creation_scn else None
    thread = record.checkpoint.thread if known else control.thread.thread
    sequence = known or sequence_of(control, record.creation_scn, thread)
    if sequence is None:
        text = f"file {number} created before last CREATE CONTROLFILE, cannot recreate"
        raise OracleError(1178, text, line)
    target = path or record.path
    tablespace = control.tablespace_of(record)
    header = DatafileHeader(
        dbid=database.dbid,
        db_name=database.name,
        file_number=number,
        relative_file_number=record.relative_file_number,
        tablespace_number=record.tablespace_number,
        tablespace_name=tablespace.name if tablespace else "",
        blocks=record.create_blocks or record.blocks,
        block_size=record.block_size,
        bigfile=tablespace is not None and tablespace.bigfile,
        con_id=record.con_id,
        container_dbid=container.dbid if container else 0,
        creation_scn=record.creation_scn,
        creation_time=record.creation_time,
        resetlogs_scn=database.resetlogs_scn,
        resetlogs_id=database.resetlogs_id,
        prior_resetlogs_scn=database.prior_resetlogs_scn,
        prior_resetlogs_id=database.prior_resetlogs_id,
        checkpoint=Checkpoint(
            record.creation_scn, record.creation_time, thread, sequence, 2, 16, control.enabled_threads
        ),
        control_file_sequence=instance.control_files.durable_sequence,
        encryption_key=record.encryption_key,
    )
    try:
        with Datafile.create(target, header, reuse=False, disk=instance.disk) as datafile:
            datafile.fsync()
    except OSError as exc:
        raise file_not_created(target, exc) from exc
    with instance.latch:
        record.path = target
    instance.save_control()


def _take_offline(instance: Instance, record: DatafileRecord) -> None:
    if open_mode(instance, record.con_id) == MOUNTED:
        with instance.latch:
            record.status = "SYSOFF" if record.tablespace_number == 0 else "RECOVER"
            if record.stop_scn is not None and record.stop_scn == record.checkpoint.scn:
                record.status = "SYSOFF" if record.tablespace_number == 0 else "OFFLINE"
        return
    with instance.latch:
        record.status = "RECOVER" if record.enabled == "READ WRITE" else "OFFLINE"
        if record.stop_scn is None:
            record.stop_scn, record.stop_time = instance.clock.next(), instance.wall_clock.second()
        position = instance.redo.appended_position
    release_file(instance, record.file_number)
    instance.redo.wait_durable(position)


def _bring_online(instance: Instance, record: DatafileRecord) -> None:
    control = instance.control
    try:
        header = identify(instance, record)
        check_incarnation(control, record, header)
    except WrongFile as exc:
        raise exc.error from exc
    if recovery_need(control, record, header) is not Need.NOTHING:
        raise needs_media_recovery(record)
    tablespace = control.tablespace_of(record)
    try:
        datafile = Datafile.open(record.path, disk=instance.disk)
    except OSError as exc:
        raise cannot_identify(record) from exc
    with instance.latch:
        instance.files.add(OpenFile(record, datafile, tablespace is not None and tablespace.bigfile))
        record.blocks, record.checkpoint_count = header.blocks, header.checkpoint_count
        record.status = "SYSTEM" if record.tablespace_number == 0 else "ONLINE"
        if record.enabled != "READ WRITE":
            return
        record.came_online(instance.clock.next(), instance.wall_clock.second())
    instance.checkpointer.checkpoint([record.file_number], set_bits=HeaderStatus.ONLINE_FUZZY)


def _rename_one(instance: Instance, old: str, new: str, con_id: int | None) -> None:
    control = instance.control
    for record in control.datafiles:
        mine = con_id in (None, record.con_id)
        if mine and (record.path == old or Path(record.path).name == old):
            _rename_datafile(instance, record, new)
            return
    for tempfile in control.tempfiles:
        if tempfile.path == old and con_id in (None, tempfile.con_id):
            tempfile.path = new
            return
    for group in control.redo_groups if con_id in (None, control.root_id) else ():
        if old in group.members:
            must_exist = control.database.open_resetlogs != REQUIRED
            rename_member(instance, group, old, new, must_exist)
            return
    raise _nonexistent(old)


def _rename_datafile(instance: Instance, record: DatafileRecord, new: str) -> None:
    line = datafile_line(record)
    number = record.file_number
    if number in instance.files:
        raise OracleError(1121, f"cannot rename database file {number} - file is in use or recovery", line)
    if any(other.path == new for other in instance.control.datafiles):
        raise OracleError(1523, f"cannot rename data file to '{new}' - file already part of database")
    try:
        with Datafile.open(new, writable=False, disk=instance.disk) as datafile:
            header = datafile.read_header()
    except OSError as exc:
        text = f"error renaming data file {number} - new file '{new}' not found"
        raise OracleError(1141, text, line, *os_lines(exc)) from exc
    except NotADatafileHeader as exc:
        raise OracleError(1210, "data file header is media corrupt", line) from exc
    if (header.dbid, header.file_number) != (instance.control.database.dbid, number):
        raise OracleError(1206, "file is not part of this database - wrong database id", line)
    record.path = new
    if not record.creation_scn:
        _adopt(instance, record, header)


def _adopt(instance: Instance, record: DatafileRecord, header: DatafileHeader) -> None:
    """A MISSINGnnnnn entry knows nothing of its file: take it from the header."""
    tablespace = instance.control.tablespace_of(record)
    status = tablespace.status if tablespace else "ONLINE"
    record.creation_scn, record.creation_time = header.creation_scn, header.creation_time
    record.blocks = record.create_blocks = header.blocks
    record.block_size, record.encryption_key = header.block_size, header.encryption_key
    record.checkpoint, record.checkpoint_count = header.checkpoint, header.checkpoint_count
    if status == "ONLINE" or header.fuzzy:
        record.status = "RECOVER"
        record.stop_scn = instance.clock.current() + 1
        return
    # Quiet since before the control file was made: the header itself says where its redo ends.
    record.status = "OFFLINE"
    record.enabled = "READ ONLY" if status == "READ ONLY" else "DISABLED"
    record.stop_scn, record.stop_time = header.checkpoint.scn, header.checkpoint.time


def _nonexistent(name: str) -> OracleError:
    text = f'nonexistent log file, data file, or temporary file "{name}" in the current container'
    return OracleError(1516, text)
