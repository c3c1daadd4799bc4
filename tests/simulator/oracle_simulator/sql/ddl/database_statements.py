# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER DATABASE (but for RECOVER), CREATE CONTROLFILE and CREATE PFILE."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.data import file_sizes
from oracle_simulator.data.tablespaces import drop_tempfile, find_tempfile
from oracle_simulator.errors import OracleError
from oracle_simulator.instance import backup_mode, datafiles
from oracle_simulator.instance.archiving.archived_log_upkeep import register
from oracle_simulator.instance.control_file import control_file_backup, create_control_file
from oracle_simulator.instance.control_file.control import DatafileRecord
from oracle_simulator.instance.control_file.create_control_file import ControlFileDefinition
from oracle_simulator.instance.control_file.create_control_redo import RedoGroupDefinition
from oracle_simulator.instance.managed_files import new_managed_path, refuse_managed_name
from oracle_simulator.instance.move_datafile import move_datafile
from oracle_simulator.instance.standby import activate, require_standby
from oracle_simulator.sql.parser import statements as st

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def _require(session: DatabaseSession, *privileges: str) -> None:
    data = session.open_data
    session.privileges.require(data.dictionary if data else None, *privileges)


def _mount(session: DatabaseSession, statement: st.MountDatabase) -> None:
    _require(session, "MOUNT")
    session.instance.mount(standby=statement.standby)


def _open(session: DatabaseSession, statement: st.OpenDatabase) -> None:
    _require(session, "MOUNT")
    session.instance.open(
        read_only=statement.read_only, resetlogs=statement.resetlogs, read_write=statement.read_write
    )


def _close(session: DatabaseSession, statement: st.CloseDatabase) -> None:
    _require(session, "MOUNT")
    session.end_transaction(commit=True)
    session.database.close_database(session.record)


def _dismount(session: DatabaseSession, statement: st.DismountDatabase) -> None:
    _require(session, "MOUNT")
    session.instance.dismount()


def _backup_mode(session: DatabaseSession, statement: st.DatabaseBackupMode) -> None:
    _require(session, "ALTER DATABASE")
    session.instance.require_mounted()
    if statement.active:
        backup_mode.begin_database(session.instance, session.is_cancelled, session.scope)
    else:
        backup_mode.end_database(session.instance, session.scope)


def find_files(session: DatabaseSession, files: tuple[st.FileReference, ...]) -> list[DatafileRecord]:
    """The datafiles of the current container that a statement names. Raises ORA-01507, ORA-01516."""
    return [datafiles.find(session.instance, file, session.con_id) for file in files]


def find_files_in_scope(
    session: DatabaseSession, files: tuple[st.FileReference, ...]
) -> list[DatafileRecord]:
    """As :func:`find_files`, but in the root of all containers: restoring is the business of the whole CDB."""
    return [datafiles.find(session.instance, file, session.scope) for file in files]


def _end_backup_files(session: DatabaseSession, statement: st.DatafileEndBackup) -> None:
    _require(session, "ALTER DATABASE")
    backup_mode.end_files(session.instance, find_files(session, statement.files))


def _online(session: DatabaseSession, statement: st.DatafileOnline) -> None:
    _require(session, "ALTER DATABASE")
    datafiles.online(session.instance, find_files(session, statement.files))


def _offline(session: DatabaseSession, statement: st.DatafileOffline) -> None:
    _require(session, "ALTER DATABASE")
    datafiles.offline(session.instance, find_files(session, statement.files), statement.for_drop)


def _resize(session: DatabaseSession, statement: st.DatafileResize) -> None:
    _require(session, "ALTER DATABASE")
    dictionary = session.require_open().dictionary
    file_sizes.resize_datafile(dictionary, statement.file, statement.size_bytes, session.is_cancelled)


def _autoextend(session: DatabaseSession, statement: st.DatafileAutoextend) -> None:
    _require(session, "ALTER DATABASE")
    dictionary = session.require_open().dictionary
    block_size = find_files(session, statement.files)[0].block_size
    increment, most = autoextend_bytes(statement.autoextend, block_size)
    file_sizes.set_autoextend(dictionary, statement.files, increment, most, session.is_cancelled)


def autoextend_bytes(clause: st.Autoextend | None, block_size: int) -> tuple[int, int | None]:
    """(increment, largest size) in bytes as the data layer wants them: 0 for OFF, None for unlimited."""
    if clause is None or not clause.enabled:
        return 0, None
    most = None if clause.max_bytes in (None, st.UNLIMITED) else clause.max_bytes
    return clause.next_bytes or block_size, most


def _drop_tempfile(session: DatabaseSession, statement: st.TempfileDrop) -> None:
    _require(session, "ALTER DATABASE")
    dictionary = session.require_open().dictionary
    for file in statement.files:
        drop_tempfile(dictionary, file, statement.including_datafiles)


def _resize_tempfile(session: DatabaseSession, statement: st.TempfileResize) -> None:
    _require(session, "ALTER DATABASE")
    file_sizes.resize_tempfile(session.require_open().dictionary, statement.file, statement.size_bytes)


def _tempfile_status(session: DatabaseSession, statement: st.TempfileStatus) -> None:
    _require(session, "ALTER DATABASE")
    instance = session.instance
    session.require_open()
    with instance.latch:
        for file in statement.files:
            record = find_tempfile(session.require_open().dictionary, file)
            record.status = "ONLINE" if statement.online else "OFFLINE"
    instance.save_control()


def _backup_controlfile(session: DatabaseSession, statement: st.BackupControlfile) -> None:
    _require(session, "ALTER DATABASE")
    instance = session.instance
    instance.require_mounted()
    if statement.standby:
        control_file_backup.to_standby_file(instance, Path(statement.path or ""), statement.reuse)
        return
    if not statement.trace:
        control_file_backup.to_file(instance, Path(statement.path or ""), statement.reuse)
        return
    control_file_backup.to_trace(instance, statement.path, statement.reuse, statement.resetlogs)


def _register_logfile(session: DatabaseSession, statement: st.RegisterLogfile) -> None:
    _require(session, "ALTER DATABASE")
    session.instance.require_mounted()
    require_standby(session.instance.control)
    register(session.instance, Path(statement.path), "RFS", statement.replace)


def _activate_standby(session: DatabaseSession, statement: st.ActivateStandby) -> None:
    _require(session, "MOUNT")
    activate(session.instance)


def _rename_file(session: DatabaseSession, statement: st.RenameFile) -> None:
    _require(session, "ALTER DATABASE")
    if len(statement.old) != len(statement.new):
        raise OracleError(1616, "number of old and new file names differ")
    pairs = list(zip(statement.old, statement.new, strict=True))
    datafiles.rename(session.instance, pairs, session.scope)


def _create_datafile(session: DatabaseSession, statement: st.CreateDatafile) -> None:
    _require(session, "ALTER DATABASE")
    (record,) = find_files_in_scope(session, (statement.file,))
    path = statement.path
    if path is not None:
        refuse_managed_name(path)
    if statement.managed:
        path = str(_managed_place(session, record))
    datafiles.create_datafile(session.instance, record, path)


def _managed_place(session: DatabaseSession, record: DatafileRecord) -> Path:
    """A new name of Oracle's for a file. Raises ORA-02236 without DB_CREATE_FILE_DEST."""
    tablespace = session.instance.control.tablespace_of(record)
    name = tablespace.name if tablespace else ""
    path = new_managed_path(session.instance, name, con_id=record.con_id)
    if path is None:
        raise OracleError(2236, "invalid file name")
    return path


def _move_datafile(session: DatabaseSession, statement: st.MoveDatafile) -> None:
    _require(session, "ALTER DATABASE")
    (record,) = find_files(session, (statement.file,))
    if statement.path is not None:
        refuse_managed_name(statement.path)
    move_datafile(
        session.instance,
        record,
        Path(statement.path) if statement.path is not None else _managed_place(session, record),
        reuse=statement.reuse,
        keep=statement.keep,
        cancelled=session.is_cancelled,
    )


def _archive_mode(session: DatabaseSession, statement: st.ArchiveMode) -> None:
    _require(session, "ALTER DATABASE")
    instance = session.instance
    instance.require_mounted()
    if instance.is_open:
        raise OracleError(1126, "database must be mounted in this instance and not open in any instance")
    if any(thread.status == "OPEN" for thread in instance.control.threads):
        raise OracleError(265, "instance recovery required, cannot set ARCHIVELOG mode")
    with instance.latch:
        instance.control.database.log_mode = "ARCHIVELOG" if statement.enabled else "NOARCHIVELOG"
        for group in instance.control.redo_groups:
            # Archiving begins with the current logs: what was written before is not archived any more.
            group.archived = group.archived or group.status != "CURRENT"
    instance.save_control()


def _force_logging(session: DatabaseSession, statement: st.ForceLogging) -> None:
    _require(session, "ALTER DATABASE")
    instance = session.instance
    instance.require_mounted()
    with instance.latch:
        if instance.control.database.force_logging == statement.enabled:
            code, word = (12920, "already") if statement.enabled else (12921, "not")
            raise OracleError(code, f"database is {word} in force logging mode")
        instance.control.database.force_logging = statement.enabled
    instance.save_control()
    if statement.enabled:
        instance.unlogged_writes.wait_for_all(instance, session.is_cancelled)


def _create_controlfile(session: DatabaseSession, statement: st.CreateControlfile) -> None:
    _require(session, "CREATE CONTROLFILE")
    if session.instance.mounted:
        raise OracleError(1503, "CREATE CONTROLFILE failed", (1100, "database already mounted"))
    definition = ControlFileDefinition(
        database=statement.database,
        resetlogs=statement.resetlogs,
        groups=tuple(
            RedoGroupDefinition(group.members, group.group, group.size_bytes, group.block_size or 512)
            for group in statement.groups
        ),
        datafiles=tuple(file.path for file in statement.datafiles if file.path is not None),
        archivelog=statement.archivelog,
        reuse=statement.reuse,
        set_name=statement.set_name,
        force_logging=statement.force_logging,
        character_set=statement.character_set or "AL32UTF8",
    )
    create_control_file.create(session.instance, definition)


def _create_parameter_file(session: DatabaseSession, statement: st.CreateParameterFile) -> None:
    _require(session, "CREATE PFILE")
    if statement.server:
        raise OracleError(3001, "unimplemented feature (CREATE SPFILE)")
    if statement.source != "MEMORY":
        source = statement.source_path or "?/dbs/spfile@.ora"
        raise OracleError(
            1565,
            f"error in identifying file '{source}'",
            (27037, "unable to obtain file status"),
        )
    path = Path(statement.path) if statement.path else session.instance.home.parameter_file
    try:
        session.instance.parameters.write(path)
    except OSError as problem:
        raise OracleError(
            9210, f"error opening file '{path}'", (27040, f"file create error ({problem.strerror})")
        ) from None


HANDLERS = {
    st.MountDatabase: _mount,
    st.OpenDatabase: _open,
    st.CloseDatabase: _close,
    st.DismountDatabase: _dismount,
    st.DatabaseBackupMode: _backup_mode,
    st.DatafileEndBackup: _end_backup_files,
    st.DatafileOnline: _online,
    st.DatafileOffline: _offline,
    st.DatafileResize: _resize,
    st.DatafileAutoextend: _autoextend,
    st.TempfileDrop: _drop_tempfile,
    st.TempfileResize: _resize_tempfile,
    st.TempfileStatus: _tempfile_status,
    st.BackupControlfile: _backup_controlfile,
    st.RegisterLogfile: _register_logfile,
    st.ActivateStandby: _activate_standby,
    st.RenameFile: _rename_file,
    st.CreateDatafile: _create_datafile,
    st.MoveDatafile: _move_datafile,
    st.ArchiveMode: _archive_mode,
    st.ForceLogging: _force_logging,
    st.CreateControlfile: _create_controlfile,
    st.CreateParameterFile: _create_parameter_file,
}
