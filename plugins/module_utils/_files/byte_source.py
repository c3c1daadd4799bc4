# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of an open file as the database knows them, however they are stored.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import Protocol

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import FileLayer, read_fully
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.page_cache import PageCacheGuest

# The unit of st_blocks, whatever the file system's is.
_STAT_BLOCK_BYTES = 512

Fill = Callable[[memoryview, int], int]
"""Fills a buffer from an offset; returns the count, less than the buffer's length only at the end of the file."""


class ByteSource(Protocol):
    """Offsets and sizes are in bytes of the file itself, not of its stored form. Calls raise OSError."""

    def size_bytes(self) -> int:
        """The size at this moment."""

    def is_sparse(self) -> bool:
        """Whether parts of the file have no blocks on disk."""

    def fill(self, target: memoryview, offset: int) -> int:
        """See :data:`Fill`. Raises VerificationError for a stored form that is damaged."""

    def visit(self, start: int, end: int) -> Fill:
        """As :meth:`fill`, for a range that is read in order: leaves the page cache as it was found."""

    def forget(self, offset: int, length: int) -> None:
        """Ask that the next read of the range come from storage."""


class PlainSource:
    """A file that is stored as it is, or one of the database's own."""

    def __init__(self, files: FileLayer, descriptor: int) -> None:
        self._files = files
        self._descriptor = descriptor

    def size_bytes(self) -> int:
        return self._files.status(self._descriptor).st_size

    def is_sparse(self) -> bool:
        status = self._files.status(self._descriptor)
        return status.st_blocks * _STAT_BLOCK_BYTES < status.st_size

    def fill(self, target: memoryview, offset: int) -> int:
        return read_fully(self._files, self._descriptor, target, offset)

    def visit(self, start: int, end: int) -> Fill:
        cache = PageCacheGuest(self._files, self._descriptor, start, end)

        def fill(target: memoryview, offset: int) -> int:
            count = self.fill(target, offset)
            after = offset + len(target)
            cache.leave(offset, len(target))
            cache.expect(after, min(len(target), end - after))
            return count

        return fill

    def forget(self, offset: int, length: int) -> None:
        # Only whole pages are dropped.
        page = offset - offset % mmap.PAGESIZE
        self._files.forget(self._descriptor, page, max(offset + length, offset + mmap.PAGESIZE) - page)
