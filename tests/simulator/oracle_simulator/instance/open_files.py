# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The datafiles an instance has open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control_file.control import DatafileRecord
from oracle_simulator.instance.messages import datafile_line, os_lines
from oracle_simulator.storage.block import make_rdba
from oracle_simulator.storage.datafile import Datafile


class OpenFile:
    """A datafile in use: its record in the control file and its open descriptor.

    ``read_only``: the container is open read only, or is just being closed, whatever the tablespace allows.
    """

    def __init__(
        self, record: DatafileRecord, datafile: Datafile, bigfile: bool, read_only: bool = False
    ) -> None:
        self.record = record
        self.datafile = datafile
        self.bigfile = bigfile
        self.read_only = read_only

    @property
    def changing(self) -> bool:
        """Whether its blocks may change, and checkpoints therefore concern it."""
        return self.record.enabled == "READ WRITE" and not self.read_only

    @property
    def block_size(self) -> int:
        return self.datafile.block_size

    def rdba(self, block_number: int) -> int:
        """Relative data block address of a block of this file."""
        return make_rdba(self.record.relative_file_number, block_number, self.bigfile)

    def read_block(self, block_number: int) -> bytes:
        """A block as it stands on disk. Raises ORA-01116 when the file is gone, ORA-01115."""
        if not Path(self.record.path).exists():
            # This process has the file open, and a server process of Oracle's would have to open it.
            missing = "unable to open file\nLinux-x86_64 Error: 2: No such file or directory"
            text = f"error in opening database file {self.record.file_number}"
            raise OracleError(1116, text, datafile_line(self.record), (27041, missing))
        try:
            return self.datafile.read_block(block_number)
        except OSError as exc:
            text = f"IO error reading block from file {self.record.file_number} (block # {block_number})"
            raise OracleError(1115, text, datafile_line(self.record), *os_lines(exc)) from exc


class OpenFiles:
    """Open datafiles by absolute file number. Changed only under the latch of the instance."""

    def __init__(self, lookup: Callable[[int], DatafileRecord | None]) -> None:
        self._lookup = lookup
        self._files: dict[int, OpenFile] = {}

    def __iter__(self) -> Iterator[OpenFile]:
        return iter(list(self._files.values()))

    def __contains__(self, file_number: int) -> bool:
        return file_number in self._files

    def get(self, file_number: int) -> OpenFile:
        """An open file. Raises ORA-00376 with ORA-01110 when it is not online."""
        file = self._files.get(file_number)
        # A file on its way offline is still open: the database writer may be busy with it.
        if file is not None and file.record.online:
            return file
        record = self._lookup(file_number)
        text = f"file {file_number} cannot be read at this time"
        raise OracleError(376, text, *([datafile_line(record)] if record else []))

    def find(self, file_number: int) -> OpenFile | None:
        """An open file, None when it is not open."""
        return self._files.get(file_number)

    def add(self, file: OpenFile) -> None:
        """Take a file into use (or replace the one of the same number, which is closed)."""
        self.remove(file.record.file_number)
        self._files[file.record.file_number] = file

    def remove(self, file_number: int) -> None:
        """Close a file; nothing happens when it is not open."""
        file = self._files.pop(file_number, None)
        if file is not None:
            file.datafile.close()

    def close_all(self) -> None:
        """Close every file."""
        for file_number in list(self._files):
            self.remove(file_number)
