# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The set of identical control files of a database on disk, and the right to have it mounted."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import BACKUP, REQUIRED, ControlState
from oracle_simulator.instance.faults import Step
from oracle_simulator.instance.messages import os_lines
from oracle_simulator.instance.release import compatible_numbers
from oracle_simulator.instance.state import InstanceState
from oracle_simulator.storage.block import FileType
from oracle_simulator.storage.control_file import (
    ControlFileCorrupt,
    ControlFileImage,
    load_control_file,
    write_control_file,
)
from oracle_simulator.storage.disk import Disk

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


_READ_PATIENCE_SECONDS = 3.0


class ControlFileSet:
    """All control files named by the parameter ``control_files``.

    ``backup`` is held while one is backed up, ``snapshot`` while RMAN makes and uses its snapshot of them.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._writing = threading.Lock()
        self._written = 0
        self._write_began: float | None = None
        self.backup = threading.Lock()
        self.snapshot = threading.Lock()
        self._creating = False

    @property
    def durable_sequence(self) -> int:
        """The sequence of the newest state on disk: headers may refer to no later one."""
        return self._written

    def begin_at(self, sequence: int) -> None:
        """New control files: the first write, which makes them, follows ``sequence``."""
        self._written = sequence
        self._creating = True

    def load(self) -> ControlState:
        """Read every copy. Raises ORA-00201, ORA-00205, ORA-00214, ORA-01103."""
        images: list[tuple[Path, ControlFileImage]] = []
        for path in self._instance.parameters.control_files:
            try:
                images.append((path, load_control_file(path, disk=self._instance.disk)))
            except (OSError, ControlFileCorrupt) as exc:
                lines = (
                    os_lines(exc) if isinstance(exc, OSError) else [(227, f"corrupt block detected: {exc}")]
                )
                self._instance.log.error(
                    OracleError(
                        210,
                        "cannot open the specified control file",
                        (202, f"control file: '{path}'"),
                        *lines,
                    )
                )
                raise _cannot_identify() from exc
        if not images:
            raise _cannot_identify()
        images = _levelled(images, self._instance.disk)
        first_path, first = images[0]
        for path, image in images[1:]:
            if image.sequence != first.sequence or image.dbid != first.dbid:
                raise OracleError(
                    214,
                    f"control file '{first_path}' version {first.sequence} inconsistent with file '{path}' "
                    f"version {image.sequence}",
                )
        state = ControlState.from_dict(first.state)
        wanted = self._instance.parameters.db_name
        if state.database.name != wanted:
            text = f"database name '{state.database.name}' in control file is not '{wanted}'"
            raise OracleError(1103, text)
        size = self._instance.parameters.db_block_size
        if state.database.block_size != size:
            text = f"DB_BLOCK_SIZE must be {state.database.block_size} to mount this database (not {size})"
            raise OracleError(58, text)
        self._check_compatible(state, first_path)
        if first.file_type == FileType.BACKUP_CONTROL:
            state.database.control_file_type = BACKUP
            state.database.open_resetlogs = REQUIRED
        self._written = first.sequence
        state.database.sequence = max(state.database.sequence, first.sequence)
        return state

    def _check_compatible(self, state: ControlState, path: Path) -> None:
        wanted = self._instance.parameters.get("compatible")
        database = state.database
        if compatible_numbers(wanted) < compatible_numbers(database.compatible or wanted):
            text = f"control file version {database.compatible} incompatible with ORACLE version {wanted}"
            raise OracleError(201, text, (202, f"control file: '{path}'"))
        database.compatible = wanted

    def read(self) -> None:
        """A query reads the control file, without a lock and again when it is written meanwhile.

        Raises ORA-00235 when that takes no end.
        """
        began = self._write_began
        if began is not None and time.monotonic() - began > _READ_PATIENCE_SECONDS:
            raise OracleError(235, "control file read without a lock inconsistent due to concurrent update")

    def save(self) -> None:
        """Write the state as it is now to every copy, durably; a newer write in between is enough.

        Raises ORA-00221 when a copy can't be written, a deleted one too: an open database does not survive it.
        """
        instance = self._instance
        with instance.latch:
            control = instance.control
            keep_days = instance.parameters.integer("control_file_record_keep_time")
            control.forget_old_records(keep_days, instance.wall_clock.now())
            control.database.sequence += 1
            sequence = control.database.sequence
            state = control.to_dict()
            dbid, name = control.database.dbid, control.database.name
        with self._writing:
            if self._written >= sequence:
                return
            paths = instance.parameters.control_files
            self._write_began = time.monotonic()
            try:
                # Images alternate: a number left out would put this one over the newest on disk.
                with instance.faults.steps.at(Step.CONTROL_FILE_WRITE):
                    for number in range(max(self._written, sequence - 2) + 1, sequence + 1):
                        write_control_file(
                            paths,
                            state,
                            number,
                            dbid=dbid,
                            db_name=name,
                            create=self._creating,
                            disk=instance.disk,
                        )
            except OSError as exc:
                error = OracleError(
                    221,
                    "error on write to control file",
                    (202, f"control file: '{exc.filename or paths[0]}'"),
                    *os_lines(exc),
                )
                if instance.is_open or instance.state is InstanceState.CLOSING:
                    instance.log.error(error, "CKPT: control file lost")
                    instance.terminate("CKPT")
                raise error from exc
            finally:
                self._write_began = None
            self._written = sequence
            self._creating = False


def _levelled(images: list[tuple[Path, ControlFileImage]], disk: Disk) -> list[tuple[Path, ControlFileImage]]:
    """A process killed between its writes of two copies leaves them one version apart: finish its work.

    Copies further apart, or of different databases, are left as they are (ORA-00214 is due).
    """
    newest = max((image for _path, image in images), key=lambda image: image.sequence)
    behind = [path for path, image in images if image.sequence != newest.sequence]
    levels = {image.sequence for _path, image in images}
    kinds = {(image.dbid, image.file_type) for _path, image in images}
    if not behind or len(kinds) > 1 or levels != {newest.sequence - 1, newest.sequence}:
        return images
    write_control_file(
        behind,
        newest.state,
        newest.sequence,
        dbid=newest.dbid,
        db_name=newest.db_name,
        file_type=newest.file_type,
        disk=disk,
    )
    return [(path, newest) for path, _image in images]


class MountLock:
    """Held while an instance has the database mounted; the operating system frees it with the process."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            os.close(self._fd)
            raise OracleError(1102, "cannot mount database in EXCLUSIVE mode") from exc

    def release(self) -> None:
        """Give the lock up."""
        os.close(self._fd)


def _cannot_identify() -> OracleError:
    return OracleError(205, "error in identifying control file, check alert log for more info")
