# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A datafile in use that cannot be read or written any more: the instance ends, or does without the file.

From 11.2.0.2 on an instance does not survive a failed write of a datafile (ORA-63999). With the hidden
parameter ``_datafile_write_errors_crash_instance`` FALSE it behaves as before: in ARCHIVELOG mode the file is taken
offline at once and needs media recovery, unless it belongs to SYSTEM or to an undo tablespace. Source: My Oracle
Support, note 7691270.8, "Crash the DB in case of write errors".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.messages import datafile_line, os_lines

if TYPE_CHECKING:
    from oracle_simulator.instance.control_file.control import DatafileRecord
    from oracle_simulator.instance.instance import Instance
    from oracle_simulator.instance.open_files import OpenFile

CRASH_PARAMETER = "_datafile_write_errors_crash_instance"
_HEADER_BLOCK = 1


class DatafileFailed(Exception):
    """A block of a file in use could not be written."""

    def __init__(self, file: OpenFile, block_number: int, problem: OSError) -> None:
        super().__init__(str(problem))
        self.file = file
        self.error = OracleError(
            1114,
            f"IO error writing block to file {file.record.file_number} (block # {block_number})",
            datafile_line(file.record),
            *os_lines(problem),
        )


@contextmanager
def header_of(instance: Instance, file: OpenFile) -> Iterator[None]:
    """The block reads or writes the header of a file in use. Raises ORA-01114 when that failed.

    The instance has ended then, or the file is offline. Hold no latch.
    """
    try:
        yield
    except OSError as exc:
        failure = DatafileFailed(file, _HEADER_BLOCK, exc)
        suffer(instance, failure, "CKPT")
        raise failure.error from exc


def suffer(instance: Instance, failure: DatafileFailed, process: str) -> None:
    """End the instance or take the file offline; ``process`` is who noticed. The caller writes nothing to the
    file any more and holds no latch. Raises ORA-00221, ORA-01092."""
    record = failure.file.record
    if _ends_instance(instance, record):
        instance.log.error(failure.error, "ORA-63999 signalled because: data file suffered media failure")
        instance.terminate(process)
        return
    with instance.latch:
        if record.file_number not in instance.files:
            return  # another process noticed before
        record.status = "RECOVER"
        if record.stop_scn is None:
            record.stop_scn = record.offline_scn = instance.clock.next()
        position = instance.redo.appended_position
        instance.cache.forget_file(record.file_number)
    instance.log.error(
        failure.error,
        f"Automatic datafile offline due to write error on file {record.file_number}: {record.path}",
    )
    instance.wait_for(lambda: all(key[0] != record.file_number for key in instance.cache.in_flight))
    with instance.latch:
        instance.files.remove(record.file_number)
    instance.redo.wait_durable(position)
    instance.save_control()


def _ends_instance(instance: Instance, record: DatafileRecord) -> bool:
    tablespace = instance.control.tablespace_of(record)
    vital = record.tablespace_number == 0 or (tablespace is not None and tablespace.contents == "UNDO")
    wanted = instance.parameters.get(CRASH_PARAMETER).upper() != "FALSE"
    return wanted or vital or instance.control.database.log_mode != "ARCHIVELOG"
