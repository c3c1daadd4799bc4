# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER TABLESPACE READ ONLY, READ WRITE, OFFLINE, ONLINE.

What a tablespace's state is stands in three places: its row in TS$, its files' records in the control
file, and, for what must be recovered, the redo (a marker). The row and the marker are one change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.locks import Owner
from oracle_simulator.data.plan import Cancelled, ChangePlan, make_change
from oracle_simulator.data.system_tables import TablespaceRow
from oracle_simulator.data.tablespaces import refuse_in_backup, release_files
from oracle_simulator.data.transaction import Transactions
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.checkpoint import advance_header, log_end
from oracle_simulator.instance.control_file.control import DatafileRecord, TablespaceRecord
from oracle_simulator.instance.headers import WrongFile, check_incarnation, identify
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.messages import cannot_identify, datafile_line, needs_media_recovery
from oracle_simulator.instance.open_files import OpenFile
from oracle_simulator.storage.datafile import Datafile, HeaderStatus
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.redo_record import TablespaceState

_FUZZY = HeaderStatus.ONLINE_FUZZY | HeaderStatus.MEDIA_RECOVERY_FUZZY


def make_read_only(
    transactions: Transactions, name: str, owner: Owner, cancelled: Cancelled | None = None
) -> None:
    """ALTER TABLESPACE READ ONLY: waits for transactions, then writes everything and closes the headers.

    ``owner`` is the lock owner of the asking session. Raises ORA-00959, ORA-01643 (SYSTEM), ORA-30021
    (undo), ORA-03217 (temporary), ORA-01539 (offline), ORA-01644 (already), ORA-01150 (backup mode),
    ORA-01128 never: a file offline is ORA-01539 too.
    """
    dictionary = transactions.dictionary
    with dictionary.structure_lock:
        row, records = _prepare(dictionary, name)
        if row.name in ("SYSTEM", "SYSAUX"):
            raise OracleError(1643, "system tablespace can not be made read-only")
        _refuse_kinds(row)
        if row.status == "READ ONLY":
            raise OracleError(1644, f"tablespace '{name}' is already read-only")
        _require_online(row, records)
        refuse_in_backup(records)
        _stop_writing(transactions, row, records, "READ ONLY", owner, cancelled)
        _close_headers(dictionary, records, cancelled)
        dictionary.instance.save_control()


def make_read_write(dictionary: Dictionary, name: str, cancelled: Cancelled | None = None) -> None:
    """ALTER TABLESPACE READ WRITE. Raises ORA-00959, ORA-01539 (offline), ORA-01646 (is not read only)."""
    with dictionary.structure_lock:
        row, records = _prepare(dictionary, name)
        if row.status != "READ ONLY":
            raise OracleError(1646, f"tablespace '{name}' is not read-only - cannot make read write")
        _require_online(row, records)
        _start_writing(dictionary, row, records, "read_write", cancelled)


def take_offline(
    transactions: Transactions,
    name: str,
    owner: Owner,
    mode: str = "NORMAL",
    cancelled: Cancelled | None = None,
) -> None:
    """ALTER TABLESPACE OFFLINE. IMMEDIATE writes nothing, so that its files need recovery; NORMAL and
    TEMPORARY write everything first, TEMPORARY of those files that are online.

    Raises ORA-00959, ORA-01541 (SYSTEM), ORA-30042 (undo), ORA-03217 (temporary), ORA-01539 (offline
    already), ORA-01191 (NORMAL with a file offline), ORA-01150 (backup mode), ORA-01145 (IMMEDIATE without
    ARCHIVELOG).
    """
    dictionary = transactions.dictionary
    instance = dictionary.instance
    with dictionary.structure_lock:
        row, records = _prepare(dictionary, name)
        if row.name == "SYSTEM":
            raise OracleError(1541, "system tablespace cannot be brought offline; shut down if necessary")
        if row.name == instance.parameters.get("undo_tablespace"):
            raise OracleError(30042, "Cannot offline the undo tablespace")
        if row.contents == "TEMPORARY":
            raise OracleError(3217, "invalid option for alter of TEMPORARY TABLESPACE")
        if row.status == "OFFLINE":
            raise OracleError(1539, f"tablespace '{name}' is not online")
        if mode == "IMMEDIATE" and instance.control.database.log_mode != "ARCHIVELOG":
            raise OracleError(1145, "offline immediate disallowed unless media recovery enabled")
        refuse_in_backup(records)
        absent = next((record for record in records if not record.online), None)
        if mode == "NORMAL" and absent is not None:
            text = f"file {absent.file_number} is already offline - cannot do a normal offline"
            raise OracleError(1191, text, datafile_line(absent))
        online = [record for record in records if record.online]
        writable = [record for record in online if record.enabled == "READ WRITE"]
        if mode == "IMMEDIATE":
            # Whatever the redo holds before the marker is in need of recovery, and nothing comes after it.
            _write_state(
                dictionary, row, records, "OFFLINE", cancelled, at_once=lambda: _cut_off(instance, online)
            )
        else:
            _stop_writing(transactions, row, online, "OFFLINE", owner, cancelled)
            _close_headers(dictionary, writable, cancelled)
        with instance.latch:
            for record in online:
                record.status = "OFFLINE" if record.status == "ONLINE" else record.status
                record.enabled = "DISABLED"
        release_files(dictionary, online)
        instance.save_control()


def bring_online(dictionary: Dictionary, name: str, cancelled: Cancelled | None = None) -> None:
    """ALTER TABLESPACE ONLINE. A read-only tablespace whose files are offline, as after CREATE CONTROLFILE,
    stays read only.

    Raises ORA-00959, ORA-01540 (is online), ORA-01157 with ORA-01110 (a file is missing), ORA-01113 with
    ORA-01110 (a file needs recovery).
    """
    instance = dictionary.instance
    with dictionary.structure_lock:
        row, records = _prepare(dictionary, name)
        if row.status == "READ ONLY":
            records = [record for record in records if not record.online]
        if row.status == "ONLINE" or not records:
            raise OracleError(1540, f"tablespace '{name}' is not offline")
        opened: list[OpenFile] = []
        complete = False
        try:
            for record in records:
                opened.append(_open_offline_file(instance, record, row.bigfile))
            complete = True
        finally:
            if not complete:
                for file in opened:
                    file.datafile.close()
        with instance.latch:
            for file in opened:
                file.record.status = "ONLINE"
                instance.files.add(file)
        if row.status == "READ ONLY":
            instance.save_control()
        else:
            _start_writing(dictionary, row, records, "online", cancelled)


def _prepare(dictionary: Dictionary, name: str) -> tuple[TablespaceRow, list[DatafileRecord]]:
    dictionary.require_open_read_write()
    row = dictionary.find_tablespace(name)
    control = dictionary.instance.control
    return row, control.datafiles_in(row.number, dictionary.con_id)


def _refuse_kinds(row: TablespaceRow) -> None:
    if row.contents == "UNDO":
        raise OracleError(30021, "Operation not allowed on undo tablespace")
    if row.contents == "TEMPORARY":
        raise OracleError(3217, "invalid option for alter of TEMPORARY TABLESPACE")


def _require_online(row: TablespaceRow, records: list[DatafileRecord]) -> None:
    if row.status == "OFFLINE" or not all(record.online for record in records):
        raise OracleError(1539, f"tablespace '{row.name}' is not online")


def _stop_writing(
    transactions: Transactions,
    row: TablespaceRow,
    records: list[DatafileRecord],
    status: str,
    owner: Owner,
    cancelled: Cancelled | None,
) -> None:
    """Wait for transactions, then refuse changes of the files (ORA-00372) from the same moment on."""
    dictionary = transactions.dictionary
    enabled = "READ ONLY" if status == "READ ONLY" else "DISABLED"
    instance = dictionary.instance
    turning = {record.file_number for record in records} if status == "READ ONLY" else set()
    with instance.latch:
        instance.turning_read_only |= turning
        try:
            transactions.wait_until_idle(owner, row.number, cancelled)
        finally:
            instance.turning_read_only -= turning
        before = [record.enabled for record in records]
        for record in records:
            record.enabled = enabled
    written = False
    try:
        _write_state(dictionary, row, records, status, cancelled)
        written = True
    finally:
        if not written:
            for record, old in zip(records, before, strict=True):
                record.enabled = old


def _start_writing(
    dictionary: Dictionary,
    row: TablespaceRow,
    records: list[DatafileRecord],
    state: str,
    cancelled: Cancelled | None,
) -> None:
    instance = dictionary.instance
    _write_state(dictionary, row, records, "ONLINE", cancelled, state)
    with instance.latch:
        scn = instance.clock.current()
        for record in records:
            record.enabled = "READ WRITE"
            record.came_online(scn, instance.wall_clock.second())
    # First the control file says that the files change, then they may look like it.
    instance.save_control()
    numbers = [record.file_number for record in records]
    with instance.checkpointer.headers:
        instance.checkpointer.checkpoint(numbers, set_bits=HeaderStatus.ONLINE_FUZZY)
    instance.save_control()


def _write_state(
    dictionary: Dictionary,
    row: TablespaceRow,
    records: list[DatafileRecord],
    status: str,
    cancelled: Cancelled | None,
    state: str | None = None,
    at_once: Callable[[], None] | None = None,
) -> None:
    """Row in TS$, marker in the redo, record in the control file; ``at_once`` is done under the same latch."""
    control = dictionary.instance.control
    marker = state or {"READ ONLY": "read_only", "OFFLINE": "offline"}[status]
    numbers = tuple(record.file_number for record in records)

    def planner(plan: ChangePlan) -> None:
        present = dictionary.tablespace_rows.find(number=row.number)
        if present is None:
            raise OracleError(959, f"tablespace '{row.name}' does not exist")
        dictionary.tablespace_rows.replace(plan, present, replace(present, status=status))
        plan.markers.append(TablespaceState(row.number, marker, numbers, dictionary.con_id))
        if at_once is not None:
            plan.on_success.append(at_once)
        record = control.tablespace(row.number, dictionary.con_id)
        if record is not None:
            plan.on_success.append(lambda: _set_status(record, status))

    make_change(dictionary.instance, planner, cancelled)


def _cut_off(instance: Instance, records: list[DatafileRecord]) -> None:
    """No change of the files from here on; those that could be changed need recovery up to here."""
    scn, now = instance.clock.next(), instance.wall_clock.second()
    for record in records:
        if record.enabled == "READ WRITE":
            record.status, record.stop_scn, record.stop_time = "RECOVER", scn, now
        record.enabled = "DISABLED"


def _set_status(record: TablespaceRecord, status: str) -> None:
    record.status = status


def _close_headers(
    dictionary: Dictionary, records: list[DatafileRecord], cancelled: Cancelled | None
) -> None:
    """Write all changes of files nobody changes any more; their headers then say that they are complete."""
    instance = dictionary.instance
    numbers = frozenset(record.file_number for record in records)
    with instance.checkpointer.headers:
        with instance.latch:
            position = instance.redo.appended_position
        instance.database_writer.write_until(position, numbers, cancelled)
        with instance.latch:
            checkpoint: Checkpoint = log_end(instance, instance.clock.next())
        for record in records:
            advance_header(instance, instance.files.get(record.file_number), checkpoint, clear_bits=_FUZZY)
            with instance.latch:
                record.checkpoint = checkpoint
                record.stop_scn, record.stop_time = checkpoint.scn, checkpoint.time


def _open_offline_file(instance: Instance, record: DatafileRecord, bigfile: bool) -> OpenFile:
    """Open the file when it is the right one, as it was left. Raises ORA-01157, ORA-01122, ORA-01190, ORA-01113."""
    try:
        header = identify(instance, record)
        check_incarnation(instance.control, record, header)
    except WrongFile as exc:
        raise exc.error from exc
    if header.fuzzy or record.status == "RECOVER" or header.checkpoint.scn != record.stop_scn:
        raise needs_media_recovery(record)
    try:
        datafile = Datafile.open(record.path, disk=instance.disk)
    except OSError as exc:
        raise cannot_identify(record) from exc
    record.checkpoint_count = header.checkpoint_count
    return OpenFile(record, datafile, bigfile)
