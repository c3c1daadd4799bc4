# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER DATABASE MOVE DATAFILE: another place for a file that stays online (SQL Reference, 12.1 and later).

While the file is copied every write goes to both copies. The control file then names the new one, and the old
one is deleted: whoever copies files by a list made before finds nothing, or, with KEEP, what is no part of the
database any more.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import DatafileRecord
from oracle_simulator.instance.messages import datafile_line, file_not_created, interrupted

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_FIRST_RELEASE = 12


def move_datafile(
    instance: Instance,
    record: DatafileRecord,
    target: Path,
    *,
    reuse: bool = False,
    keep: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Move one datafile of the open database.

    Raises ORA-02231 before 12.1, ORA-01109 or ORA-16000, ORA-00376 for a file that is not online, ORA-01523 when
    the name is in use, ORA-01119 with ORA-27038 (exists, no REUSE) or ORA-27040 (no such folder), ORA-01150 in
    backup mode under the reading that refuses it, ORA-01013.
    """
    instance.require_open_read_write()
    if instance.version[0] < _FIRST_RELEASE:
        raise OracleError(2231, "missing or invalid option to ALTER DATABASE")
    with instance.latch:
        if any(str(target) == other.path for other in instance.control.datafiles):
            raise OracleError(1523, f"cannot rename data file to '{target}' - file already part of database")
        if record.in_backup and not instance.readings.moves_datafile_in_backup_mode:
            text = f"cannot prevent writes - file {record.file_number} has online backup set"
            raise OracleError(1150, text, datafile_line(record))
        datafile = instance.files.get(record.file_number).datafile
    old = record.path
    moved = False
    try:
        datafile.begin_move(target, instance.disk, reuse=reuse)
    except OSError as exc:
        raise file_not_created(target, exc) from exc
    try:
        for _chunk in datafile.copy_to_new_place():
            if cancelled is not None and cancelled():
                raise interrupted()
        with instance.latch:
            # A block on its way to the disk is kept whole under the name of the file it goes to.
            instance.wait_for(lambda: all(key[0] != record.file_number for key in instance.cache.in_flight))
            datafile.end_move()
            record.path = str(target)
        moved = True
    except OSError as exc:
        raise file_not_created(target, exc) from exc
    finally:
        if not moved:
            datafile.abandon_move()
            instance.disk.remove(target)
    # Only when the control file names the new one is the old one superfluous.
    instance.save_control()
    instance.log.write(f"Moved datafile {old} to {target}")
    if not keep:
        instance.disk.remove(old)
