# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a copy compressed: ordinary zstd, one frame for each chunk of the digest, in order.

``zstd -d`` makes of it the file that was copied; ``zstd -t`` checks it, as each frame has its content's checksum.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import hashlib
import mmap

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import Compression
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.staging import StagedFile
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_library import (
    FrameCompressor,
    ZstdLibrary,
)

GATHERED_BYTES = 1024 * 1024


class ZstdWriter:
    """Takes the ``size_bytes`` of a file in order and writes them compressed. Not for several threads at once.

    What the library returns is gathered in aligned memory, so that it can be written around the page cache.
    """

    def __init__(
        self,
        staged: StagedFile,
        size_bytes: int,
        chunk_size_bytes: int,
        wanted: Compression,
        library: ZstdLibrary,
    ) -> None:
        self._staged = staged
        self._size_bytes = size_bytes
        self._chunk_size_bytes = chunk_size_bytes
        self._wanted = wanted
        self._library = library
        self._compressor: FrameCompressor | None = None
        self._position = 0
        self._gathered = memoryview(mmap.mmap(-1, GATHERED_BYTES))
        self._gathered_bytes = 0
        self._written_bytes = 0
        self._digest = hashlib.sha256()

    def write_at(self, data: memoryview, offset: int) -> None:
        """Compress the next bytes. Raises OSError; BackupError if the library fails (it lacks memory); ValueError for
        another ``offset`` than where the last bytes ended.
        """
        if offset != self._position:
            raise ValueError("compressed files are written in order")
        try:
            while data:
                taken = self._compress(data)
                data = data[taken:]
        except self._library.errors as exc:
            raise BackupError(f"Failed to compress with {self._library.name}: {exc}.") from exc

    def finish(self) -> tuple[int, str]:
        """Write what is left; return size and SHA-256 of the compressed file. Raises as :meth:`write_at`."""
        if self._position != self._size_bytes:
            raise ValueError(f"{self._position} of {self._size_bytes} bytes were written")
        self._write_gathered()
        # The task that has this writer may be kept until thousands of others are done.
        self._compressor, self._gathered = None, memoryview(b"")
        return self._written_bytes, self._digest.hexdigest()

    def _compress(self, data: memoryview) -> int:
        """Compress what of ``data`` belongs to the current chunk; return its length."""
        # Made here and not earlier: the library's threads inherit the priority of the thread that makes them.
        compressor = self._compressor = self._compressor or self._library.compressor(self._wanted)
        start = self._position - self._position % self._chunk_size_bytes
        end = min(start + self._chunk_size_bytes, self._size_bytes)
        if self._position == start:
            compressor.begin(end - start)
        piece = data[: end - self._position]
        self._gather(compressor.add(piece))
        self._position += len(piece)
        if self._position == end:
            self._gather(compressor.end())
        return len(piece)

    def _gather(self, compressed: bytes) -> None:
        rest = memoryview(compressed)
        while rest:
            room = self._gathered[self._gathered_bytes :]
            count = min(len(room), len(rest))
            room[:count] = rest[:count]
            self._gathered_bytes += count
            rest = rest[count:]
            if self._gathered_bytes == GATHERED_BYTES:
                self._write_gathered()

    def _write_gathered(self) -> None:
        piece = self._gathered[: self._gathered_bytes]
        self._digest.update(piece)
        self._staged.write_at(piece, self._written_bytes)
        self._written_bytes += len(piece)
        self._gathered_bytes = 0
