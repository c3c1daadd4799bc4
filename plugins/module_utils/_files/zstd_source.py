# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a file that is stored compressed: ordinary zstd, one frame for each chunk of the digest.

What is stored is not trusted. The frames are walked block by block (RFC 8878, section 3.1.1), so that it is known
where each ends, and no call of the library can yield more than one block's 128 KiB, whatever the bytes say.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import CompressedForm
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.byte_source import ByteSource, Visit
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.zstd_library import ZstdLibrary

READ_BYTES = 2 * 1024 * 1024
_MAGIC = bytes.fromhex("28b52ffd")
_LARGEST_BLOCK_BYTES = 128 * 1024
_BLOCK_HEADER_BYTES = 3
_RUN_LENGTH, _RESERVED = 1, 3
_CHECKSUM_BYTES = 4
# Lengths of fields of a frame's header, by the two bits that tell them.
_DICTIONARY_ID_BYTES = (0, 1, 2, 4)
_CONTENT_SIZE_BYTES = (0, 2, 4, 8)
_HINT = "The stored file is damaged: restore from another set."


class ZstdSource:
    """What the compressed file ``stored`` must hold, decompressed on the way. Not for several threads.

    Going forward is cheap, going back starts again at the beginning of a chunk. Whoever reads from the first byte
    to the last knows that each frame had the length and the checksum it must have, that nothing follows the last
    one, and that the stored bytes are those that were written, if their digest is known. Raises VerificationError
    naming the file and the chunk for everything that is not so.
    """

    def __init__(
        self,
        stored: ByteSource,
        name: str,
        form: CompressedForm,
        chunk_size_bytes: int,
        library: ZstdLibrary,
    ) -> None:
        self._stored = _StoredBytes(stored)
        self._name = name
        self._size_bytes = form.plain_size_bytes
        self._digest = form.stored_digest
        self._chunk_size_bytes = chunk_size_bytes
        self._library = library
        # Where frames begin in the stored file, as far as that is known.
        self._frames = [0]
        self._pieces: Iterator[bytes] = iter(())
        self._rest = memoryview(b"")
        self._position = self._size_bytes

    def size_bytes(self) -> int:
        return self._size_bytes

    def is_sparse(self) -> bool:
        # What its source was is not known; a database counts on every block having its place on disk.
        return False

    def fill(self, target: memoryview, offset: int) -> int:
        wanted = min(len(target), self._size_bytes - offset)
        if wanted <= 0:
            return 0
        if offset < self._position:
            self._go_back_to(offset)
        while self._position < offset:
            self._take(memoryview(bytearray(min(_LARGEST_BLOCK_BYTES, offset - self._position))))
        filled = 0
        while filled < wanted:
            filled += self._take(target[filled:wanted])
        if self._position == self._size_bytes:
            # No byte is left, but the end of the last frame.
            self._next_piece()
        return filled

    def visit(self, _end: int) -> Visit:
        return self

    def waits(self, _offset: int, _length: int) -> bool:
        """Always: decompressing takes longer than checking and digesting what comes of it."""
        return True

    def forget(self, offset: int, length: int) -> None:
        """Nothing: nobody writes a stored file, so it would read the same again."""

    def close(self) -> None:
        self._stored.close()

    def _go_back_to(self, offset: int) -> None:
        chunk = min(offset // self._chunk_size_bytes, len(self._frames) - 1)
        self._pieces = self._decompressed(chunk)
        self._rest = memoryview(b"")
        self._position = chunk * self._chunk_size_bytes

    def _take(self, target: memoryview) -> int:
        """Fill the start of ``target`` with the next bytes; return how many."""
        if not self._rest:
            self._rest = memoryview(self._next_piece())
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self._position += count
        return count

    def _next_piece(self) -> bytes:
        try:
            return next(self._pieces, b"")
        except BaseException:
            # The generator is over. At the end of the file, every read goes back.
            self._position = self._size_bytes
            raise

    def _decompressed(self, first: int) -> Iterator[bytes]:
        """The bytes from the beginning of a chunk to the end of the file, at most a block's at a time."""
        chunks = -(-self._size_bytes // self._chunk_size_bytes)
        self._stored.go_to(self._frames[first])
        chunk = first
        try:
            for chunk in range(first, chunks):
                yield from self._frame(
                    min(self._chunk_size_bytes, self._size_bytes - chunk * self._chunk_size_bytes)
                )
                if chunk + 1 == len(self._frames):
                    self._frames.append(self._stored.position)
            self._stored.require_end(self._digest)
        except (_Damaged, self._library.errors) as exc:
            raise VerificationError(
                f"Failed to decompress {self._name}: chunk {chunk + 1} of {chunks}: {exc}.", hint=_HINT
            ) from exc

    def _frame(self, length: int) -> Iterator[bytes]:
        """The ``length`` bytes of the frame that begins here, in pieces that are not empty."""
        decompressor = self._library.decompressor()
        header = self._stored.take(5)
        if header[:4] != _MAGIC:
            raise _Damaged("no zstd frame begins where one must")
        descriptor = header[4]
        single_segment, checksum = bool(descriptor & 0x20), bool(descriptor & 0x04)
        window, identifier = 0 if single_segment else 1, _DICTIONARY_ID_BYTES[descriptor & 3]
        size = _CONTENT_SIZE_BYTES[descriptor >> 6] or int(single_segment)
        header += self._stored.take(window + identifier + size)
        content = int.from_bytes(header[len(header) - size :], "little") + (256 if size == 2 else 0)
        if not size or content != length:
            raise _Damaged(
                f"its frame holds {content if size else 'an unknown number of'} bytes, not {length}"
            )
        decompressor.decompress(header)
        left, last = length, False
        while not last:
            block, last = self._stored.take_block()
            if last and checksum:
                block += self._stored.take(_CHECKSUM_BYTES)
            piece = decompressor.decompress(block)
            left -= len(piece)
            if left < 0:
                raise _Damaged(f"its frame yields more than {length} bytes")
            if piece:
                yield piece
        if left:
            raise _Damaged(f"its frame yields {length - left} bytes, not {length}")


class _Damaged(Exception):
    """Why the frame being read is not what was written."""


class _StoredBytes:
    """The stored file itself, read in order from some place on; digested if that place is its beginning."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._size_bytes = source.size_bytes()
        # Page-aligned, as direct reads demand.
        self._buffer = memoryview(mmap.mmap(-1, READ_BYTES))
        self.go_to(0)

    @property
    def position(self) -> int:
        return self._read - len(self._rest)

    def close(self) -> None:
        self._source.close()

    def go_to(self, offset: int) -> None:
        self._visit = self._source.visit(self._size_bytes)
        self._read = offset
        self._rest = self._buffer[:0]
        self._digest: hashlib._Hash | None = hashlib.sha256() if offset == 0 else None

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes. Raises _Damaged if the file ends before."""
        taken = bytearray()
        while len(taken) < count:
            if not self._rest:
                self._read_more()
            piece = self._rest[: count - len(taken)]
            taken += piece
            self._rest = self._rest[len(piece) :]
        return bytes(taken)

    def take_block(self) -> tuple[bytes, bool]:
        """The next block of a frame with its header, and whether it is the last of its frame."""
        header = self.take(_BLOCK_HEADER_BYTES)
        fields = int.from_bytes(header, "little")
        last, kind, size = bool(fields & 1), fields >> 1 & 3, fields >> 3
        if kind == _RESERVED or size > _LARGEST_BLOCK_BYTES:
            raise _Damaged("it has a block that cannot be")
        return header + self.take(1 if kind == _RUN_LENGTH else size), last

    def require_end(self, digest: str | None) -> None:
        """Raise _Damaged if something follows, or if all of it was read and has another digest."""
        surplus = self._size_bytes - self.position
        if surplus:
            raise _Damaged(f"{surplus} bytes follow its frame, the last one")
        if self._digest is not None and digest not in (None, self._digest.hexdigest()):
            raise _Damaged(f"the stored bytes have SHA-256 {self._digest.hexdigest()}, not {digest}")

    def _read_more(self) -> None:
        target = self._buffer[: min(READ_BYTES, self._size_bytes - self._read)]
        count = self._visit.fill(target, self._read)
        if not count:
            raise _Damaged("the stored file ends in the middle of its frame")
        if self._digest is not None:
            self._digest.update(target[:count])
        self._read += count
        self._rest = target[:count]
