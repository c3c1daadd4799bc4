# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks whose writing a dead process left half done, completed at mount from the double-write files.

This models storage under a real database, which does not tear a write because a process dies. It must
never touch a file that was restored since: that would repair what a bad backup fails to hold. So besides
path, inode and sectors of the interrupted write, the header must be that of the file as the database left it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.instance.control_file.control import DatafileRecord
from oracle_simulator.instance.headers import Need, WrongFile, identify, recovery_need
from oracle_simulator.storage.datafile import Datafile, HeaderStatus
from oracle_simulator.storage.double_write import DoubleWrite, DoubleWriteEntry, left_torn

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


def complete_torn_writes(instance: Instance) -> None:
    """Complete the torn blocks of the last batch; the control file is mounted, no file is open."""
    by_path = {record.path: record for record in instance.control.datafiles}
    for path in _double_write_files(instance):
        double_write = DoubleWrite(path, disk=instance.disk)
        entries = double_write.pending()
        double_write.close()
        for entry in entries:
            record = by_path.get(entry.path)
            if record is not None and _left_by_database(instance, record):
                _complete(instance, entry)


def forget_torn_writes(instance: Instance) -> None:
    """Nothing is half written any more (the database was closed in order)."""
    for path in _double_write_files(instance):
        double_write = DoubleWrite(path, disk=instance.disk)
        double_write.clear()
        double_write.close()


def _double_write_files(instance: Instance) -> tuple[Path, ...]:
    return (instance.home.double_write_file, instance.home.recovery_double_write_file)


def _left_by_database(instance: Instance, record: DatafileRecord) -> bool:
    try:
        header = identify(instance, record)
    except WrongFile:
        return False
    if header.status & HeaderStatus.MEDIA_RECOVERY_FUZZY:
        return True
    return recovery_need(instance.control, record, header) is not Need.MEDIA_RECOVERY


def _complete(instance: Instance, entry: DoubleWriteEntry) -> None:
    with Datafile.open(entry.path, disk=instance.disk) as datafile:
        if datafile.inode != entry.inode or entry.block_number > datafile.blocks:
            return
        if left_torn(datafile.read_block(entry.block_number), entry):
            datafile.write_block(entry.block_number, entry.data, pieces=1)
            datafile.fsync()
            instance.log.write(f"Completed torn write of block {entry.block_number}, file {entry.path}")
