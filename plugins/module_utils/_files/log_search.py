# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find redo by what the logs' own headers say, not by their names.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    RedoLogHeader,
    read_redo_log_header,
)


@dataclass(frozen=True)
class FoundLog:
    """A redo log, online or archived, and its header."""

    path: str
    header: RedoLogHeader

    @property
    def whole(self) -> bool:
        """Whether the file has the size its header promises (an archived log may be caught half-written)."""
        expected = self.header.size_bytes_expected
        return expected is None or Path(self.path).stat().st_size >= expected

    def holds(self, scn: int) -> bool:
        """Whether redo of this SCN is in this log."""
        return self.header.first_scn <= scn and (self.header.next_scn is None or scn < self.header.next_scn)


def files_below(folders: Iterable[str]) -> Iterator[str]:
    """Every regular file in these folders and theirs, folder by folder, sorted; missing folders are empty."""
    for folder in folders:
        yield from sorted(
            str(path) for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink()
        )


def search_logs(paths: Iterable[str], dbid: int) -> list[FoundLog]:
    """The redo logs of one database among these files, in the order given; everything else is passed over."""
    found = []
    for path in paths:
        try:
            header = read_redo_log_header(path)
        except BackupError:
            continue  # not a redo log, or not readable: no candidate either way
        log = FoundLog(path, header)
        if header.dbid == dbid and log.whole:
            found.append(log)
    return found
