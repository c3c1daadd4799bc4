# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CREATE and DROP TABLESPACE, and the files of tablespaces: ADD, DROP. Each is atomic and durable on return.

The session commits its own transaction before it calls one of these, as every DDL statement does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from oracle_simulator.data.definition import FileDefinition
from oracle_simulator.data.dictionary import DEFAULT_PERMANENT, DEFAULT_TEMPORARY, Dictionary
from oracle_simulator.data.new_files import (
    NewFile,
    discard_files,
    make_files,
    number_files,
    plan_files,
    tempfile_record,
    use_files,
)
from oracle_simulator.data.plan import Cancelled, ChangePlan, make_change
from oracle_simulator.data.space import FIRST_EXTENT_BLOCK
from oracle_simulator.data.system_tables import FileRow, TablespaceRow
from oracle_simulator.data.table_ddl import plan_drop
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.buffer_pools import BLOCK_SIZES, pool_bytes
from oracle_simulator.instance.control_file.control import DatafileRecord, TablespaceRecord, TempfileRecord
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.messages import datafile_line
from oracle_simulator.storage.datafile import Datafile
from oracle_simulator.storage.managed_names import is_managed_name
from oracle_simulator.storage.redo_record import FileDropped, TablespaceCreated, TablespaceDropped

FileReference = int | str
"""A file by absolute file number or by path."""


def create_tablespace(
    dictionary: Dictionary,
    name: str,
    files: Sequence[FileDefinition],
    *,
    contents: str = "PERMANENT",
    bigfile: bool = False,
    block_size: int | None = None,
    logging: bool = True,
    force_logging: bool = False,
    encryption: str = "",
    cancelled: Cancelled | None = None,
) -> None:
    """CREATE [BIGFILE] [TEMPORARY | UNDO] TABLESPACE. Every file needs a path.

    Raises ORA-01543 (name in use), ORA-25157 (no block size), ORA-29339 (no buffers of this block size),
    ORA-25139 or ORA-30024 (temporary and undo tablespaces have the standard block size), ORA-32774
    (bigfile with several files), ORA-28365 and ORA-28374 (encrypted: keystore closed, no master key), and as
    :func:`add_files`.
    """
    instance = dictionary.instance
    temporary = contents == "TEMPORARY"
    with dictionary.structure_lock:
        with instance.latch:
            dictionary.require_open_read_write()
            if dictionary.tablespace_rows.find(name=name) is not None:
                raise OracleError(1543, f"tablespace '{name}' already exists")
            size = block_size or instance.control.database.block_size
            _check_block_size(instance, size, contents)
            if bigfile and len(files) > 1:
                raise OracleError(32774, f"more than one file was specified for bigfile tablespace {name}")
            number = _next_tablespace_number(dictionary)
            con_id = dictionary.con_id
            key = _encryption_key(instance, encryption, contents)
            new_files = number_files(instance, files, number, name, bigfile, temporary, size, con_id, key)

        def planner(plan: ChangePlan) -> None:
            row = TablespaceRow(
                number, name, contents, bigfile, size, "ONLINE", logging, force_logging, encryption
            )
            plan.markers.append(TablespaceCreated(number, name, bigfile, contents, con_id, encryption))
            dictionary.tablespace_rows.insert(plan, row)

        record = TablespaceRecord(number, name, bigfile, contents, con_id=con_id, encryption=encryption)
        _make_and_write(dictionary, new_files, planner, cancelled, record)


def add_files(
    dictionary: Dictionary,
    name: str,
    files: Sequence[FileDefinition],
    *,
    temporary: bool = False,
    cancelled: Cancelled | None = None,
) -> None:
    """ALTER TABLESPACE ADD DATAFILE or, with ``temporary``, ADD TEMPFILE. Every file needs a path.

    Raises ORA-00959, ORA-32771 (bigfile), ORA-03217 (datafile for a temporary tablespace or the reverse),
    ORA-01642 (read only), ORA-01539 (offline), ORA-01537 (file in use), ORA-01119 with ORA-27038 (exists),
    ORA-27040 (no such folder), ORA-03214, ORA-01144, ORA-00059.
    """
    instance = dictionary.instance
    with dictionary.structure_lock:
        with instance.latch:
            if not temporary:  # tempfiles may be added to what is open read only, such as the seed
                dictionary.require_open_read_write()
            row = dictionary.find_tablespace(name)
            if row.bigfile:
                raise OracleError(32771, "cannot add file to bigfile tablespace")
            if temporary != (row.contents == "TEMPORARY"):
                raise OracleError(3217, "invalid option for alter of TEMPORARY TABLESPACE")
            if row.status == "READ ONLY":
                raise OracleError(1641, f"tablespace '{name}' is not online - cannot add data file")
            if row.status == "OFFLINE":
                raise OracleError(1539, f"tablespace '{name}' is not online")
            siblings = instance.control.datafiles_in(row.number, dictionary.con_id)
            new_files = number_files(
                instance,
                files,
                row.number,
                name,
                row.bigfile,
                temporary,
                row.block_size,
                dictionary.con_id,
                next((file.encryption_key for file in siblings), ""),
            )
        if temporary:
            _use_tempfiles(instance, new_files, make_files(instance, new_files))
        else:
            _make_and_write(dictionary, new_files, lambda _plan: None, cancelled)


def set_logging(
    dictionary: Dictionary,
    name: str,
    logging: bool | None = None,
    force_logging: bool | None = None,
    cancelled: Cancelled | None = None,
) -> None:
    """ALTER TABLESPACE [NO]LOGGING (for tables made later) and [NO] FORCE LOGGING; None: as it is.

    Raises ORA-00959, ORA-03217 (temporary), ORA-30021 (undo), ORA-12922 and ORA-12923 (is, or is not, in force
    logging mode already).
    """

    def planner(plan: ChangePlan) -> None:
        row = dictionary.find_tablespace(name)
        if row.contents == "TEMPORARY":
            raise OracleError(3217, "invalid option for alter of TEMPORARY TABLESPACE")
        if row.contents == "UNDO":
            raise OracleError(30021, "Operation not allowed on undo tablespace")
        if force_logging is not None and force_logging == row.force_logging:
            code, word = (12922, "already") if force_logging else (12923, "not")
            raise OracleError(code, f"tablespace {name} is {word} in force logging mode")
        new = replace(
            row,
            logging=row.logging if logging is None else logging,
            force_logging=row.force_logging if force_logging is None else force_logging,
        )
        dictionary.tablespace_rows.replace(plan, row, new)

    with dictionary.structure_lock:
        make_change(dictionary.instance, planner, cancelled)


def drop_tablespace(
    dictionary: Dictionary,
    name: str,
    *,
    including_contents: bool = False,
    and_datafiles: bool = False,
    keep_datafiles: bool = False,
    cancelled: Cancelled | None = None,
) -> None:
    """DROP TABLESPACE; the files stay on disk unless ``and_datafiles``, Oracle-managed ones only with
    ``keep_datafiles``.

    Raises ORA-00959, ORA-01550 (SYSTEM), ORA-12919 (default), ORA-12906 (default temporary), ORA-30013
    (undo in use), ORA-01549 (not empty), ORA-01150 (in backup mode), ORA-00054 (tables in use).
    """
    instance = dictionary.instance
    with dictionary.structure_lock:

        def planner(plan: ChangePlan) -> tuple[TablespaceRow, list[DatafileRecord], list[TempfileRecord]]:
            row = dictionary.find_tablespace(name)
            _check_droppable(dictionary, row)
            tables = [table for table in dictionary.tables() if table.tablespace_number == row.number]
            if tables and not including_contents:
                raise OracleError(1549, "tablespace not empty, use INCLUDING CONTENTS option")
            for table in tables:
                if dictionary.in_use(table):
                    text = "resource busy and acquire with NOWAIT specified or timeout expired"
                    raise OracleError(54, text)
                plan_drop(dictionary, plan, table, keep_extents=True)
            dictionary.tablespace_rows.delete(plan, row)
            for file in list(dictionary.file_rows.where(tablespace_number=row.number)):
                dictionary.file_rows.delete(plan, file)
            plan.markers.append(TablespaceDropped(row.number, name, dictionary.con_id))
            plan.on_success.append(dictionary.refresh)
            control = instance.control
            datafiles = control.datafiles_in(row.number, dictionary.con_id)
            tempfiles = control.tempfiles_in(row.number, dictionary.con_id)

            return row, datafiles, tempfiles

        (row, datafiles, tempfiles), _commit = make_change(instance, planner, cancelled)
        # The control file forgets them only now: if the redo had been lost, the files would still be needed.
        with instance.latch:
            record = instance.control.tablespace(row.number, dictionary.con_id)
            if record is not None:
                instance.control.tablespaces.remove(record)
            for tempfile in tempfiles:
                instance.control.tempfiles.remove(tempfile)
            _forget_datafiles(dictionary, datafiles)
        release_files(dictionary, datafiles)
        instance.save_control()
        for path in [file.path for file in datafiles] + [file.path for file in tempfiles]:
            if and_datafiles or (is_managed_name(path) and not keep_datafiles):
                instance.disk.remove(path)


def drop_datafile(
    dictionary: Dictionary, name: str, file: FileReference, cancelled: Cancelled | None = None
) -> None:
    """ALTER TABLESPACE DROP DATAFILE: an empty file, deleted from disk too.

    Raises ORA-00959, ORA-01516 (no such file), ORA-03263 (first file), ORA-03262 (not empty), ORA-03264
    (read only or offline), ORA-01150.
    """
    instance = dictionary.instance
    with dictionary.structure_lock:

        def planner(plan: ChangePlan) -> DatafileRecord:
            row = dictionary.find_tablespace(name)
            record = find_datafile(dictionary, file)
            siblings = [
                file.file_number for file in instance.control.datafiles_in(row.number, dictionary.con_id)
            ]
            if record.file_number not in siblings:
                raise _no_such_file(file)
            if record.file_number == min(siblings):
                raise OracleError(3263, f"cannot drop the first file of tablespace {name}")
            if not record.online or record.enabled != "READ WRITE":
                raise OracleError(3264, "cannot drop offline datafile of locally managed tablespace")
            refuse_in_backup([record])
            space = dictionary.space.file_space(record.file_number)
            if space.used_end_block > FIRST_EXTENT_BLOCK:
                raise OracleError(3262, "the file is non-empty")
            for file_row in list(dictionary.file_rows.where(file_number=record.file_number)):
                dictionary.file_rows.delete(plan, file_row)
            plan.markers.append(FileDropped(record.file_number))
            plan.on_success.append(dictionary.refresh)
            return record

        record, _commit = make_change(instance, planner, cancelled)
        with instance.latch:
            _forget_datafiles(dictionary, [record])
        release_files(dictionary, [record])
        instance.save_control()
        instance.disk.remove(record.path)


def drop_tempfile(dictionary: Dictionary, file: FileReference, including_datafiles: bool = False) -> None:
    """ALTER DATABASE TEMPFILE DROP: control file only, but for an Oracle-managed file. Raises ORA-01516."""
    instance = dictionary.instance
    with dictionary.structure_lock:
        with instance.latch:
            dictionary.require_open_read_write()
            record = find_tempfile(dictionary, file)
            instance.control.tempfiles.remove(record)
        instance.save_control()
        if including_datafiles or is_managed_name(record.path):
            instance.disk.remove(record.path)


def find_datafile(dictionary: Dictionary, file: FileReference) -> DatafileRecord:
    """A datafile by number or path. Raises ORA-01516."""
    for record in dictionary.instance.control.datafiles:
        if record.con_id == dictionary.con_id and file in (record.file_number, record.path):
            return record
    raise _no_such_file(file)


def find_tempfile(dictionary: Dictionary, file: FileReference) -> TempfileRecord:
    """A tempfile by number or path. Raises ORA-01516."""
    for record in dictionary.instance.control.tempfiles:
        if record.con_id == dictionary.con_id and file in (record.file_number, record.path):
            return record
    raise _no_such_file(file)


def release_files(dictionary: Dictionary, records: Sequence[DatafileRecord]) -> None:
    """Close files no longer in use as soon as the database writer is done with them; without the latch."""
    instance = dictionary.instance
    numbers = {record.file_number for record in records}
    with instance.latch:
        for number in numbers:
            instance.cache.forget_file(number)
    instance.wait_for(lambda: not any(key[0] in numbers for key in instance.cache.in_flight))
    with instance.checkpointer.headers, instance.latch:
        for record in records:
            file = instance.files.find(record.file_number)
            if file is not None and file.record is record:
                instance.files.remove(record.file_number)


def _make_and_write(
    dictionary: Dictionary,
    new_files: Sequence[NewFile],
    planner: Callable[[ChangePlan], None],
    cancelled: Cancelled | None,
    tablespace: TablespaceRecord | None = None,
) -> None:
    """Make the files, then the redo of ``planner`` and of the files, in one piece; ``tablespace`` is a new one."""
    instance = dictionary.instance
    control = instance.control
    temporary = new_files[0].temporary
    made = make_files(instance, new_files)
    records: list[DatafileRecord] = []
    written = False

    def plan_all(plan: ChangePlan) -> None:
        planner(plan)
        if not temporary:
            plan_files(plan, new_files)
            for file in new_files:
                row = FileRow(
                    file.file_number,
                    file.relative_file_number,
                    file.tablespace_number,
                    file.increment_blocks,
                    file.max_blocks,
                )
                dictionary.file_rows.insert(plan, row)
        plan.on_success.append(dictionary.refresh)
        plan.on_success.append(note_written)

    def note_written() -> None:
        nonlocal written
        written = True

    try:
        with instance.latch:
            if tablespace is not None:
                control.tablespaces.append(tablespace)
            if not temporary:
                records = use_files(instance, new_files, made)
        instance.save_control()
        make_change(instance, plan_all, cancelled)
    finally:
        # Once the redo is written the files must stay, whatever happens to the instance.
        if not written:
            with instance.latch:
                _forget_datafiles(dictionary, records)
                if tablespace is not None:
                    control.tablespaces.remove(tablespace)
            release_files(dictionary, records)
            discard_files(made, instance.disk)
    if temporary:
        _use_tempfiles(instance, new_files, made)
    else:
        instance.save_control()


def _use_tempfiles(instance: Instance, new_files: Sequence[NewFile], made: Sequence[Datafile]) -> None:
    """Put tempfiles that were made in the control file; no redo knows of them."""
    for datafile in made:
        datafile.close()
    with instance.latch:
        instance.control.tempfiles.extend(tempfile_record(file) for file in new_files)
    instance.save_control()


def _encryption_key(instance: Instance, encryption: str, contents: str) -> str:
    if not encryption:
        return ""
    if contents == "TEMPORARY":
        raise OracleError(25139, "invalid option for CREATE TEMPORARY TABLESPACE")
    if contents == "UNDO":
        raise OracleError(30024, "Invalid specification for CREATE UNDO TABLESPACE")
    return instance.keystore.current_key


def _check_block_size(instance: Instance, size: int, contents: str) -> None:
    if size not in BLOCK_SIZES:
        raise OracleError(25157, f"Specified block size {size} is not valid")
    if size != instance.control.database.block_size and contents == "TEMPORARY":
        raise OracleError(25139, "invalid option for CREATE TEMPORARY TABLESPACE")
    if size != instance.control.database.block_size and contents == "UNDO":
        raise OracleError(30024, "Invalid specification for CREATE UNDO TABLESPACE")
    if not pool_bytes(instance.parameters, size):
        text = f"tablespace block size {size} does not match configured block sizes"
        raise OracleError(29339, text)


def _next_tablespace_number(dictionary: Dictionary) -> int:
    numbers = [row.number for row in dictionary.tablespace_rows]
    numbers += [
        record.number
        for record in dictionary.instance.control.tablespaces
        if record.con_id == dictionary.con_id
    ]
    return max(numbers) + 1


def _check_droppable(dictionary: Dictionary, row: TablespaceRow) -> None:
    if row.name in ("SYSTEM", "SYSAUX"):
        raise OracleError(1550, "cannot drop system tablespace")
    if row.name == dictionary.property(DEFAULT_PERMANENT):
        raise OracleError(12919, "Can not drop the default permanent tablespace")
    if row.name == dictionary.property(DEFAULT_TEMPORARY):
        raise OracleError(12906, "cannot drop default temporary tablespace")
    if row.name == dictionary.instance.parameters.get("undo_tablespace"):
        raise OracleError(30013, f"undo tablespace '{row.name}' is currently in use")
    refuse_in_backup(dictionary.instance.control.datafiles_in(row.number, dictionary.con_id))


def refuse_in_backup(records: Sequence[DatafileRecord]) -> None:
    """Raises ORA-01150 for the first file in backup mode."""
    for record in records:
        if record.in_backup:
            text = f"cannot prevent writes - file {record.file_number} has online backup set"
            raise OracleError(1150, text, datafile_line(record))


def _forget_datafiles(dictionary: Dictionary, records: Sequence[DatafileRecord]) -> None:
    for record in records:
        dictionary.instance.control.datafiles.remove(record)
        dictionary.space.forget(record.file_number)


def _no_such_file(file: FileReference) -> OracleError:
    return OracleError(
        1516, f'nonexistent log file, data file, or temporary file "{file}" in the current container'
    )
