# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER, CREATE and DROP TABLESPACE, and the default tablespaces of the database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.data import file_sizes, tablespace_state, tablespaces
from oracle_simulator.data.definition import FileDefinition
from oracle_simulator.data.dictionary import DEFAULT_PERMANENT, DEFAULT_TEMPORARY
from oracle_simulator.data.plan import ChangePlan, make_change
from oracle_simulator.errors import OracleError
from oracle_simulator.instance import backup_mode, datafiles, managed_files
from oracle_simulator.instance.managed_files import new_managed_path, refuse_managed_name
from oracle_simulator.instance.standby import refuse_backup_mode
from oracle_simulator.sql.ddl.database_statements import autoextend_bytes
from oracle_simulator.sql.parser import statements as st

if TYPE_CHECKING:
    from oracle_simulator.sql.engine import OpenData
    from oracle_simulator.sql.session import DatabaseSession


def _open_with(session: DatabaseSession, *privileges: str) -> OpenData:
    """The open database, for a session with one of these privileges."""
    data = session.open_data
    session.privileges.require(data.dictionary if data else None, *privileges)
    return session.require_open()


def _definitions(
    data: OpenData, files: Sequence[st.FileSpecification], tablespace: str, block_size: int, temporary: bool
) -> list[FileDefinition]:
    """The files as they are to be made. Raises ORA-01276, ORA-02236 for one without a name when there is no
    DB_CREATE_FILE_DEST, ORA-01119 for one without a size."""
    found = []
    for file in files:
        autoextend = file.autoextend
        if file.path is None:
            con_id = data.dictionary.con_id
            path = new_managed_path(data.dictionary.instance, tablespace, temporary=temporary, con_id=con_id)
            if path is None:
                raise OracleError(2236, "invalid file name")
            size = file.size_bytes or managed_files.DEFAULT_BYTES
            autoextend = autoextend or st.Autoextend(True, managed_files.DEFAULT_BYTES)
        else:
            refuse_managed_name(file.path)
            path, size = Path(file.path), file.size_bytes or 0
            if not size and not file.reuse and not path.exists():
                missing = (27037, "unable to obtain file status")
                raise OracleError(1119, f"error in creating database file '{path}'", missing)
        increment, most = autoextend_bytes(autoextend, block_size)
        found.append(FileDefinition(size, path, increment, most, file.reuse))
    return found


def _backup_mode(session: DatabaseSession, statement: st.TablespaceBackupMode) -> None:
    if statement.active and session.instance.mounted:
        refuse_backup_mode(session.instance)
    _open_with(session, "MANAGE TABLESPACE", "ALTER TABLESPACE")
    if statement.active:
        backup_mode.begin_tablespace(session.instance, statement.name, session.is_cancelled, session.con_id)
    else:
        backup_mode.end_tablespace(session.instance, statement.name, session.con_id)


def _add_files(session: DatabaseSession, statement: st.AddFiles) -> None:
    data = _open_with(session, "ALTER TABLESPACE")
    block_size = data.dictionary.find_tablespace(statement.name).block_size
    files = _definitions(data, statement.files, statement.name, block_size, statement.temporary)
    tablespaces.add_files(
        data.dictionary,
        statement.name,
        files,
        temporary=statement.temporary,
        cancelled=session.is_cancelled,
    )


def _drop_file(session: DatabaseSession, statement: st.DropFile) -> None:
    data = _open_with(session, "ALTER TABLESPACE")
    if statement.temporary:
        data.dictionary.find_tablespace(statement.name)
        tablespaces.drop_tempfile(data.dictionary, statement.file, including_datafiles=True)
    else:
        tablespaces.drop_datafile(data.dictionary, statement.name, statement.file, session.is_cancelled)


def _offline(session: DatabaseSession, statement: st.TablespaceOffline) -> None:
    data = _open_with(session, "MANAGE TABLESPACE", "ALTER TABLESPACE")
    owner = session.transaction.owner
    tablespace_state.take_offline(
        data.transactions, statement.name, owner, statement.mode, session.is_cancelled
    )


def _online(session: DatabaseSession, statement: st.TablespaceOnline) -> None:
    data = _open_with(session, "MANAGE TABLESPACE", "ALTER TABLESPACE")
    tablespace_state.bring_online(data.dictionary, statement.name, session.is_cancelled)


def _read_only(session: DatabaseSession, statement: st.TablespaceReadOnly) -> None:
    data = _open_with(session, "MANAGE TABLESPACE", "ALTER TABLESPACE")
    owner = session.transaction.owner
    tablespace_state.make_read_only(data.transactions, statement.name, owner, session.is_cancelled)


def _read_write(session: DatabaseSession, statement: st.TablespaceReadWrite) -> None:
    data = _open_with(session, "MANAGE TABLESPACE", "ALTER TABLESPACE")
    tablespace_state.make_read_write(data.dictionary, statement.name, session.is_cancelled)


def _rename_datafile(session: DatabaseSession, statement: st.TablespaceRenameDatafile) -> None:
    data = _open_with(session, "MANAGE TABLESPACE", "ALTER TABLESPACE")
    data.dictionary.find_tablespace(statement.name)
    if len(statement.old) != len(statement.new):
        raise OracleError(1616, "number of old and new file names differ")
    pairs = list(zip(statement.old, statement.new, strict=True))
    datafiles.rename(session.instance, pairs, session.con_id)


def _resize(session: DatabaseSession, statement: st.TablespaceResize) -> None:
    data = _open_with(session, "ALTER TABLESPACE")
    row = data.dictionary.find_tablespace(statement.name)
    if not row.bigfile:
        raise OracleError(32773, f"operation not supported for smallfile tablespace {statement.name}")
    control = session.instance.control
    (record,) = control.datafiles_in(row.number, session.con_id)
    file_sizes.resize_datafile(
        data.dictionary, record.file_number, statement.size_bytes, session.is_cancelled
    )


def _create(session: DatabaseSession, statement: st.CreateTablespace) -> None:
    data = _open_with(session, "CREATE TABLESPACE")
    instance = session.instance
    if not statement.files and not instance.parameters.get("db_create_file_dest"):
        raise OracleError(2199, "missing DATAFILE/TEMPFILE clause")
    block_size = statement.block_size or instance.control.database.block_size
    files = statement.files or (st.FileSpecification(),)
    temporary = statement.contents == "TEMPORARY"
    tablespaces.create_tablespace(
        data.dictionary,
        statement.name,
        _definitions(data, files, statement.name, block_size, temporary),
        contents=statement.contents,
        bigfile=statement.bigfile,
        block_size=statement.block_size,
        logging=statement.logging,
        force_logging=statement.force_logging,
        encryption=statement.encryption,
        cancelled=session.is_cancelled,
    )


def _logging(session: DatabaseSession, statement: st.TablespaceLogging) -> None:
    data = _open_with(session, "ALTER TABLESPACE")
    tablespaces.set_logging(
        data.dictionary, statement.name, statement.logging, statement.force_logging, session.is_cancelled
    )
    if statement.force_logging:
        session.instance.unlogged_writes.wait_for_all(session.instance, session.is_cancelled)


def _drop(session: DatabaseSession, statement: st.DropTablespace) -> None:
    data = _open_with(session, "DROP TABLESPACE")
    tablespaces.drop_tablespace(
        data.dictionary,
        statement.name,
        including_contents=statement.including_contents,
        and_datafiles=statement.and_datafiles,
        keep_datafiles=statement.keep_datafiles,
        cancelled=session.is_cancelled,
    )


def _default(session: DatabaseSession, statement: st.DefaultTablespace) -> None:
    data = _open_with(session, "ALTER DATABASE")
    dictionary = data.dictionary
    row = dictionary.find_tablespace(statement.name)
    wanted = "TEMPORARY" if statement.temporary else "PERMANENT"
    if row.contents != wanted:
        code = 12902 if statement.temporary else 12916
        raise OracleError(code, f"default {wanted.lower()} tablespace must be of {wanted} type")

    def planner(plan: ChangePlan) -> None:
        name = DEFAULT_TEMPORARY if statement.temporary else DEFAULT_PERMANENT
        dictionary.set_property(plan, name, statement.name)

    make_change(session.instance, planner, session.is_cancelled)


HANDLERS = {
    st.TablespaceBackupMode: _backup_mode,
    st.AddFiles: _add_files,
    st.DropFile: _drop_file,
    st.TablespaceOffline: _offline,
    st.TablespaceOnline: _online,
    st.TablespaceReadOnly: _read_only,
    st.TablespaceReadWrite: _read_write,
    st.TablespaceRenameDatafile: _rename_datafile,
    st.TablespaceResize: _resize,
    st.CreateTablespace: _create,
    st.TablespaceLogging: _logging,
    st.DropTablespace: _drop,
    st.DefaultTablespace: _default,
}
