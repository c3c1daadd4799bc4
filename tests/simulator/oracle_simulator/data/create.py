# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CREATE DATABASE: all files of a new database, cleanly closed, in a fraction of a second.

The files are written directly, not through an instance; what they say is what an instance would have
left behind after creating the same things and shutting down in order.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from oracle_simulator.data.bootstrap import write_dictionary
from oracle_simulator.data.create_redo import create_redo_logs, redo_group_records, redo_thread_records
from oracle_simulator.data.definition import (
    DatabaseDefinition,
    KeystoreDefinition,
    autoextend_blocks,
    derive_dbid,
)
from oracle_simulator.data.filled_files import fill
from oracle_simulator.data.first_rows import container_rows, dictionary_rows
from oracle_simulator.data.layout import NewContainer, PlannedFile, lay_out, plan_containers
from oracle_simulator.data.space import SPACE_HEADER_BLOCK, space_header
from oracle_simulator.data.system_tables import ROOT_BLOCK_NUMBER
from oracle_simulator.data.user_names import require_common_name, require_local_name
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.archiving.archive_destinations import configured_destinations
from oracle_simulator.instance.cache.buffer_pools import BLOCK_SIZES, pool_parameter
from oracle_simulator.instance.container import NON_CDB, ROOT, ContainerRecord
from oracle_simulator.instance.control_file.control import (
    ControlState,
    DatabaseRecord,
    DatafileRecord,
    IncarnationRecord,
    TablespaceRecord,
    TempfileRecord,
)
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.keystore import keystore_folder, new_master_key
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.instance.release import compatible_default, release_of
from oracle_simulator.instance.standby import make_standby
from oracle_simulator.net.verifier import make_verifier
from oracle_simulator.storage.block import (
    BlockType,
    BlockVersion,
    make_rdba,
)
from oracle_simulator.storage.control_file import write_control_file
from oracle_simulator.storage.datafile import Checkpoint, Datafile, DatafileHeader, HeaderStatus
from oracle_simulator.storage.keystore_file import (
    AUTO_LOGIN_FILE,
    PASSWORD_FILE,
    write_auto_login_keystore,
    write_password_keystore,
)
from oracle_simulator.storage.oracle_time import encode_time
from oracle_simulator.storage.password_file import PasswordFileEntry, write_password_file
from oracle_simulator.storage.slotted import SlottedBlock

CREATION_SCN = 7
"""SCN of everything CREATE DATABASE makes, as in a database fresh from Oracle."""
RESETLOGS_SCN = 1
CHECKPOINT_SCN = 1000
_FIRST_RECORD_BLOCK = 2
_RECORD_OFFSET = 16
_POOL_BYTES = 4 << 20
"""Buffers for each block size besides the standard one, unless the definition's parameters say otherwise."""
_ADMINISTRATOR = frozenset({"SYSDBA", "SYSOPER"})


def create_database(home: Home, definition: DatabaseDefinition) -> int:
    """Create the database and everything in its home that an instance needs; returns the DBID.

    The folders of the home are made as needed. Raises ORA-01501 (CREATE DATABASE failed) above ORA-01119
    with ORA-27038 when a file exists, ORA-03214 for a file too small, ORA-02236 for a definition that makes
    no sense.
    """
    _check(definition)
    now = datetime.now().replace(microsecond=0)
    seed = f"{home.root}:{datetime.now().isoformat()}"
    dbid = definition.dbid or derive_dbid(definition.name, seed)
    for folder in home.folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    parameters = _parameters(home, definition)
    for path in parameters.control_files:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if parameters.get("db_recovery_file_dest"):
        Path(parameters.get("db_recovery_file_dest")).mkdir(mode=0o700, parents=True, exist_ok=True)
    for destination in configured_destinations(parameters):
        if not destination.in_recovery_area:
            Path(destination.location).mkdir(mode=0o700, parents=True, exist_ok=True)
    containers = plan_containers(home, definition, dbid, seed)
    managed = None
    if definition.managed_files:
        managed = Path(parameters.get("db_create_file_dest")) / parameters.db_unique_name.upper()
    files = lay_out(containers, definition.block_size, managed)
    control = _control_state(home, definition, dbid, containers, files, now)
    if definition.keystore is not None:
        _encrypt(control, definition.keystore, keystore_folder(home, parameters))
    if definition.standby:
        make_standby(control)
    try:
        for file in files:
            _create_file(file, control)
        for container in containers:
            _write_dictionary(container, containers, files, definition, now)
        create_redo_logs(control)
        write_control_file(
            parameters.control_files,
            control.to_dict(),
            control.database.sequence,
            dbid=dbid,
            db_name=definition.name,
        )
    except FileExistsError as exc:
        raise OracleError(
            1501,
            "CREATE DATABASE failed",
            (1119, f"error in creating database file '{exc.filename}'"),
            (27038, "created file already exists"),
        ) from exc
    verifier = make_verifier(definition.sys_password, rounds=definition.verifier_rounds)
    write_password_file(
        home.password_file,
        [
            PasswordFileEntry(
                "SYS", _administrator(parameters), verifier.salt, verifier.pw_key, verifier.rounds
            )
        ],
    )
    parameters.write(home.parameter_file)
    return dbid


def _administrator(parameters: Parameters) -> frozenset[str]:
    return _ADMINISTRATOR | ({"SYSBACKUP"} if release_of(parameters) >= (12, 1) else set())


def _check(definition: DatabaseDefinition) -> None:
    name = definition.name
    if not name.isascii() or not name.isalnum() or len(name) > 8 or name != name.upper():
        raise OracleError(2236, f"invalid file name (database name '{name}')")
    if any(thread.groups < 2 for thread in definition.redo_threads):
        raise OracleError(1517, "log member or group missing: a redo thread needs two log groups")
    for tablespace in definition.every_tablespace():
        if tablespace.encryption and (definition.keystore is None or tablespace.contents != "PERMANENT"):
            raise OracleError(28365, "wallet is not open", (1501, f"tablespace {tablespace.name}"))
        size = tablespace.block_size or definition.block_size
        if size not in BLOCK_SIZES:
            raise OracleError(25157, f"Specified block size {size} is not valid")
        if size != definition.block_size and (
            tablespace.name in ("SYSTEM", "SYSAUX") or tablespace.contents != "PERMANENT"
        ):
            text = f"tablespace block size {size} does not match configured block sizes"
            raise OracleError(
                29339, text, (1501, f"tablespace {tablespace.name} has the standard block size")
            )
    if definition.pluggables and not definition.cdb:
        raise OracleError(65090, "operation only allowed in a container database")
    for user in definition.users if definition.cdb else ():
        require_common_name(user.name)
    for pluggable in definition.pluggables:
        for user in pluggable.users:
            require_local_name(user.name)


def _write_dictionary(
    container: NewContainer,
    containers: list[NewContainer],
    files: list[PlannedFile],
    definition: DatabaseDefinition,
    now: datetime,
) -> None:
    own = [file for file in files if file.container is container]
    rows = dictionary_rows(container, own, definition, now)
    if container.con_id == ROOT:
        rows["CONTAINER$"] = container_rows(containers, CREATION_SCN, now)
    with Datafile.open(own[0].path) as system:
        write_dictionary(system, rows, BlockVersion(CREATION_SCN, 1), now)


def _parameters(home: Home, definition: DatabaseDefinition) -> Parameters:
    archive = definition.archive_folder or home.archive_folder
    parameters = Parameters(
        {
            "db_name": definition.name,
            "control_files": [str(path) for path in home.control_files],
            "db_block_size": str(definition.block_size),
            "compatible": compatible_default(release_of(Parameters(definition.parameters))),
            "undo_tablespace": "UNDOTBS1",
            "log_archive_dest_1": f"LOCATION={archive}",
            "remote_login_passwordfile": "EXCLUSIVE",
        }
    )
    for size in {file.block_size for file in definition.every_tablespace() if file.block_size}:
        if size != definition.block_size:
            parameters.set(pool_parameter(size), str(_POOL_BYTES))
    if definition.cdb:
        parameters.set("enable_pluggable_database", "TRUE")
    if definition.managed_files:
        parameters.set("db_create_file_dest", str(home.datafile_folder.parent))
    if definition.unique_name:
        parameters.set("db_unique_name", definition.unique_name)
    for name, value in definition.parameters.items():
        parameters.set(name, value)
    return parameters


def _control_state(
    home: Home,
    definition: DatabaseDefinition,
    dbid: int,
    containers: list[NewContainer],
    files: list[PlannedFile],
    now: datetime,
) -> ControlState:
    resetlogs_id = encode_time(now)
    enabled = sum(
        1 << number
        for number, thread in enumerate(definition.redo_threads, start=1)
        if thread.enabled != "DISABLED"
    )
    checkpoint = Checkpoint(CHECKPOINT_SCN, now, 1, 1, _FIRST_RECORD_BLOCK, _RECORD_OFFSET, enabled)
    database = DatabaseRecord(
        dbid=dbid,
        name=definition.name,
        log_mode="ARCHIVELOG" if definition.archive_mode else "NOARCHIVELOG",
        created=now,
        resetlogs_scn=RESETLOGS_SCN,
        resetlogs_id=resetlogs_id,
        checkpoint=checkpoint,
        sequence=1,
        controlfile_created=now,
        character_set=definition.character_set,
        force_logging=definition.force_logging,
        block_size=definition.block_size,
    )
    return ControlState(
        database=database,
        threads=redo_thread_records(home, definition.redo_threads, checkpoint),
        redo_groups=redo_group_records(home, definition.redo_threads, RESETLOGS_SCN, now),
        tablespaces=[
            TablespaceRecord(
                number,
                tablespace.name,
                tablespace.bigfile,
                tablespace.contents,
                "READ ONLY" if tablespace.read_only else "ONLINE",
                container.con_id,
                tablespace.encryption,
            )
            for container in containers
            for number, tablespace in enumerate(container.tablespaces)
        ],
        datafiles=[_datafile_record(file, checkpoint, now) for file in files if not file.temporary],
        tempfiles=[_tempfile_record(file, now) for file in files if file.temporary],
        incarnations=[IncarnationRecord(1, RESETLOGS_SCN, resetlogs_id)],
        containers=[
            ContainerRecord(each.con_id, each.name, each.dbid, each.guid, CREATION_SCN, now)
            for each in containers
            if each.con_id != NON_CDB
        ],
    )


def _datafile_record(file: PlannedFile, checkpoint: Checkpoint, now: datetime) -> DatafileRecord:
    return DatafileRecord(
        file_number=file.file_number,
        relative_file_number=file.relative_file_number,
        tablespace_number=file.tablespace_number,
        path=str(file.path),
        blocks=file.blocks,
        block_size=file.block_size,
        create_blocks=file.blocks,
        status="SYSTEM" if file.tablespace_number == 0 else "ONLINE",
        enabled="READ ONLY" if file.tablespace.read_only else "READ WRITE",
        creation_scn=CREATION_SCN,
        creation_time=now,
        checkpoint=checkpoint,
        checkpoint_count=1,
        stop_scn=CHECKPOINT_SCN,
        stop_time=now,
        con_id=file.con_id,
    )


def _tempfile_record(file: PlannedFile, now: datetime) -> TempfileRecord:
    increment, most = autoextend_blocks(file.definition, file.block_size, file.tablespace.bigfile)
    return TempfileRecord(
        file_number=file.file_number,
        relative_file_number=file.relative_file_number,
        tablespace_number=file.tablespace_number,
        path=str(file.path),
        blocks=file.blocks,
        block_size=file.block_size,
        creation_scn=CREATION_SCN,
        creation_time=now,
        autoextend_blocks=increment,
        max_blocks=most,
        con_id=file.con_id,
    )


def _encrypt(control: ControlState, definition: KeystoreDefinition, folder: Path) -> None:
    """Make the keystore; its master key is that of all tablespaces which are to be encrypted."""
    name, key = new_master_key()
    write_password_keystore(folder / PASSWORD_FILE, {name: key}, definition.password)
    if definition.auto_login:
        write_auto_login_keystore(folder / AUTO_LOGIN_FILE, {name: key})
    for tablespace in control.tablespaces:
        if tablespace.encryption:
            for record in control.files_of(tablespace):
                record.encryption_key = name


def _create_file(file: PlannedFile, control: ControlState) -> None:
    database = control.database
    record = None if file.temporary else control.datafile(file.file_number)
    first = next(each for each in control.datafiles if each.con_id == file.con_id)
    system = not file.temporary and file.file_number == first.file_number
    header = DatafileHeader(
        dbid=database.dbid,
        db_name=database.name,
        file_number=file.file_number,
        relative_file_number=file.relative_file_number,
        tablespace_number=file.tablespace_number,
        tablespace_name=file.tablespace.name,
        blocks=file.blocks,
        block_size=file.block_size,
        bigfile=file.tablespace.bigfile,
        temporary=file.temporary,
        creation_scn=CREATION_SCN,
        creation_time=database.created,
        resetlogs_scn=database.resetlogs_scn,
        resetlogs_id=database.resetlogs_id,
        checkpoint=database.checkpoint,
        checkpoint_count=1,
        control_file_sequence=database.sequence,
        status=HeaderStatus.ROOT_DBA if system else HeaderStatus.NONE,
        root_dba=make_rdba(file.relative_file_number, ROOT_BLOCK_NUMBER) if system else 0,
        con_id=file.con_id,
        container_dbid=file.container.dbid if file.con_id != NON_CDB else 0,
        encryption_key=record.encryption_key if record else "",
    )
    with Datafile.create(file.path, header) as datafile:
        if not file.temporary:
            block = SlottedBlock(BlockType.SPACE_HEADER, version=BlockVersion(CREATION_SCN, 1))
            block.put(0, space_header(header.relative_file_number, file.blocks))
            datafile.write_block(
                SPACE_HEADER_BLOCK,
                block.to_bytes(header.rdba(SPACE_HEADER_BLOCK), header.block_size),
                pieces=1,
            )
        if file.definition.fill_bytes:
            version = BlockVersion(CREATION_SCN, 1)
            fill(datafile, header, version, fill_bytes=file.definition.fill_bytes, seed=file.file_number)
