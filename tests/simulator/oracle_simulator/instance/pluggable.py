# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening and closing pluggable databases: what happens to their files.

A closed pluggable database is quiet: its files were checkpointed when it closed, and stop there. Who may
open it, and its dictionary, are the business of others. Source: Oracle SQL Reference, ALTER PLUGGABLE
DATABASE; Oracle Multitenant Administrator's Guide, "Modifying the open mode of PDBs".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.changes import write_markers
from oracle_simulator.instance.cache.checkpoint import advance_header, log_end
from oracle_simulator.instance.container import ContainerMode
from oracle_simulator.instance.datafiles import release_file
from oracle_simulator.instance.headers import Need, WrongFile, check_incarnation, identify, recovery_need
from oracle_simulator.instance.messages import (
    backup_mode_unfinished,
    cannot_identify,
    datafile_line,
    needs_media_recovery,
)
from oracle_simulator.instance.open_files import OpenFile
from oracle_simulator.storage.datafile import Datafile, HeaderStatus
from oracle_simulator.storage.redo_record import PluggableClosed

if TYPE_CHECKING:
    from oracle_simulator.instance.control_file.control import DatafileRecord
    from oracle_simulator.instance.instance import Instance


def open_files(instance: Instance, con_id: int, mode: ContainerMode) -> None:
    """Take the files of a closed pluggable database into use; the caller holds ``checkpointer.headers``.

    Raises ORA-01157 for a file that cannot be identified, ORA-01122 and a reason for a wrong one, ORA-10873
    for one left in backup mode, ORA-01113 for one that needs recovery: nothing is open then.
    """
    found: list[tuple[DatafileRecord, Datafile]] = []
    records = [file for file in instance.control.datafiles if file.con_id == con_id and file.online]
    complete = False
    try:
        for record in sorted(records, key=lambda each: each.file_number):
            found.append((record, _verified(instance, record, mode.read_only)))
        complete = True
    finally:
        if not complete:
            for _record, datafile in found:
                datafile.close()
    with instance.latch:
        for record, datafile in found:
            tablespace = instance.control.tablespace_of(record)
            bigfile = tablespace is not None and tablespace.bigfile
            instance.files.add(OpenFile(record, datafile, bigfile, mode.read_only))


def begin_writing(instance: Instance, con_id: int) -> None:
    """The files just opened may change from now on; the caller holds ``checkpointer.headers``."""
    with instance.latch:
        files = [file for file in instance.files if file.record.con_id == con_id and file.changing]
        for file in files:
            file.record.stop_scn = file.record.stop_time = None
    instance.save_control()
    numbers = [file.record.file_number for file in files]
    instance.checkpointer.checkpoint(numbers, set_bits=HeaderStatus.ONLINE_FUZZY)


def close_files(instance: Instance, con_id: int) -> None:
    """CLOSE: write everything, stop the files there, and let go of them. No session may be at work in it.

    Raises ORA-01149 with ORA-01110 while a file is in backup mode, unless
    ``Readings.pluggable_closes_in_backup_mode``: their headers then stay frozen.
    """
    if not instance.readings.pluggable_closes_in_backup_mode:
        refuse_in_backup(instance, con_id)
    _close_files(instance, con_id)


def refuse_in_backup(instance: Instance, con_id: int) -> None:
    """Raises ORA-01149 with ORA-01110 for a file in backup mode."""
    with instance.latch:
        for file in instance.files:
            if file.record.con_id == con_id and file.record.in_backup:
                text = f"cannot shutdown - file {file.record.file_number} has online backup set"
                raise OracleError(1149, text, datafile_line(file.record))


def _close_files(instance: Instance, con_id: int) -> None:
    with instance.checkpointer.headers:
        with instance.latch:
            files = [file for file in instance.files if file.record.con_id == con_id]
            changing = [file for file in files if file.changing]
            for file in files:
                file.read_only = True
            instance.container_modes.pop(con_id, None)
            position = instance.redo.appended_position
            if changing:
                numbers = tuple(file.record.file_number for file in changing)
                position = write_markers(instance, [PluggableClosed(con_id, numbers)]).position
        if changing:
            _stop(instance, changing, position)
        for file in files:
            release_file(instance, file.record.file_number)
    instance.save_control()


def abandon_files(instance: Instance, con_id: int) -> None:
    """CLOSE ABORT: nothing is written, so the files need media recovery before they are opened again. With
    ``Readings.close_abort_checkpoints`` they are written as by CLOSE, backup mode or not."""
    if instance.readings.close_abort_checkpoints:
        _close_files(instance, con_id)
        return
    with instance.checkpointer.headers:
        with instance.latch:
            files = [file for file in instance.files if file.record.con_id == con_id]
            instance.container_modes.pop(con_id, None)
            scn = instance.clock.next()
            position = instance.redo.appended_position
            for file in files:
                if file.changing:
                    file.record.stop_scn = scn
                file.read_only = True
        for file in files:
            release_file(instance, file.record.file_number)
        instance.redo.wait_durable(position)
    instance.save_control()


def _verified(instance: Instance, record: DatafileRecord, read_only_open: bool) -> Datafile:
    control = instance.control
    try:
        header = identify(instance, record)
        check_incarnation(control, record, header)
    except WrongFile as exc:
        raise exc.error from exc
    need = recovery_need(control, record, header)
    if need is Need.END_BACKUP:
        raise backup_mode_unfinished(record)
    if need is not Need.NOTHING:
        raise needs_media_recovery(record)
    try:
        datafile = Datafile.open(record.path, writable=not read_only_open, disk=instance.disk)
    except OSError as exc:
        raise cannot_identify(record) from exc
    record.blocks = max(record.blocks, header.blocks)
    record.checkpoint_count = header.checkpoint_count
    return datafile


def _stop(instance: Instance, files: list[OpenFile], position: int) -> None:
    """Everything of these files on disk, and their headers at the checkpoint where their redo ends."""
    instance.redo.wait_durable(position)
    instance.database_writer.write_until(position, frozenset(file.record.file_number for file in files))
    with instance.latch:
        checkpoint = log_end(instance, instance.clock.next())
    for file in files:
        if not file.record.in_backup:
            advance_header(instance, file, checkpoint, clear_bits=HeaderStatus.ONLINE_FUZZY)
        with instance.latch:
            file.record.checkpoint = checkpoint
            file.record.stop_scn, file.record.stop_time = checkpoint.scn, checkpoint.time
