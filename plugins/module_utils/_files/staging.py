# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large file that gets its final name only when it is whole and on stable storage.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import FileLayer

PARTIAL_SUFFIX = ".partial"


class StagedFile:
    """Written as ``<destination>.partial``; unless :meth:`publish` returns, a ``with`` block leaves nothing.

    Raises OSError as the file layer does, and PreconditionError for a destination that is taken or too small.
    """

    def __init__(self, files: FileLayer, destination: str, mode: int, replace: bool) -> None:
        self._files = files
        self._destination = destination
        self._partial = destination + PARTIAL_SUFFIX
        self._folder = str(Path(destination).parent)
        self._mode = mode
        self._replace = replace
        self._descriptor = -1
        self._renamed = False

    def __enter__(self) -> StagedFile:
        self._refuse_if_taken()
        descriptor = self._files.open_staging(self._partial)
        if descriptor is None:
            raise PreconditionError(f"Failed to write {self._partial}: another process is writing it.")
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor < 0:
            return
        # Removed while the lock is still held, so that no other writer's file is hit.
        leftover = self._destination if self._renamed else self._partial
        if not (self._renamed and self._replace):
            with contextlib.suppress(OSError):
                self._files.remove(leftover)
        with contextlib.suppress(OSError):
            self._files.close(self._descriptor)

    def reserve(self, size_bytes: int) -> None:
        """Raise PreconditionError unless the folder has room for ``size_bytes``."""
        available = self._files.free_bytes(self._folder)
        if available < size_bytes:
            raise PreconditionError(
                f"Failed to reserve space in {self._folder} for {self._destination}: "
                f"{size_bytes} bytes needed, {available} bytes free.",
                hint="Free space there or choose another destination.",
                details={"needed_bytes": size_bytes, "free_bytes": available},
            )

    def write(self, data: memoryview) -> None:
        while data:
            data = data[self._files.write(self._descriptor, data) :]

    def publish(self) -> None:
        """Flush, take the final name, flush the folder. The file is there for good when this returns."""
        self._files.set_mode(self._descriptor, self._mode)
        self._files.flush(self._descriptor)
        self._refuse_if_taken()
        self._files.rename(self._partial, self._destination)
        self._renamed = True
        self._files.flush_folder(self._folder)
        self._files.close(self._descriptor)
        self._descriptor = -1

    def _refuse_if_taken(self) -> None:
        if not self._replace and self._files.exists(self._destination):
            raise PreconditionError(
                f"Failed to write {self._destination}: it exists.",
                hint="Nothing is overwritten unless replacing it was asked for.",
            )
