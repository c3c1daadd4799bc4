# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies a file byte for byte, whatever it holds.

For what must be kept or put back even if it is damaged, such as the control files and online logs that a restore
replaces. Database files go through the copy engine, which looks at their blocks.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import mmap

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import (
    FileLayer,
    OsFileLayer,
    read_fully,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.os_errors import explained
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.staging import StagedFile

_OS = OsFileLayer()
_BUFFER_SIZE_BYTES = 1 << 20


def copy_whole(source: str, target: str, files: FileLayer = _OS) -> None:
    """Make ``target`` a copy of ``source`` with mode 0600, on stable storage; an existing one is replaced as a whole.

    Raises VerificationError if the source becomes shorter meanwhile, PreconditionError if the folder has no room
    or another process writes the copy, BackupError for errors of the operating system. After any of them
    ``target`` is what it was, or already the whole copy.
    """
    with explained(f"Failed to copy {source} to {target}"), contextlib.ExitStack() as cleanup:
        descriptor = files.open_source(source)
        cleanup.callback(files.close, descriptor)
        size_bytes = files.status(descriptor).st_size
        staged = StagedFile(files, target, 0o600, replace=True)
        cleanup.callback(staged.discard)
        staged.open()
        staged.reserve(size_bytes)
        # Page-aligned, as direct writes demand.
        buffer = memoryview(mmap.mmap(-1, _BUFFER_SIZE_BYTES))
        for offset in range(0, size_bytes, len(buffer)):
            piece = buffer[: size_bytes - offset]
            if read_fully(files, descriptor, piece, offset) < len(piece):
                raise VerificationError(
                    f"Failed to copy {source} to {target}: the source became shorter meanwhile."
                )
            staged.write_at(piece, offset)
        staged.complete(size_bytes)
        staged.publish()
