# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many sound data blocks with random contents, quickly: what a copy of a full datafile has to carry.

Each block is a table block of our own body (``slotted``) with one row, a RAW value that fills it. All blocks of
a chunk are made at once, a word of each at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from oracle_simulator.storage.block import (
    FLAG_CHECKSUM,
    TAIL_SIZE,
    BlockType,
    BlockVersion,
    format_byte,
    make_rdba,
)
from oracle_simulator.storage.slotted import BODY_FORMAT, DIRECTORY_OFFSET, SLOT_OVERHEAD
from oracle_simulator.storage.values import raw_head

_CHUNK_BYTES = 4 << 20
_ROW_OFFSET = DIRECTORY_OFFSET + SLOT_OVERHEAD


@dataclass(frozen=True)
class BlockPlace:
    """What the blocks of one file have in common. ``block_size`` in bytes."""

    block_size: int
    relative_file_number: int
    bigfile: bool
    object_id: int
    version: BlockVersion


def random_blocks(
    place: BlockPlace, first_block: int, count: int, seed: int
) -> Iterator[tuple[int, memoryview]]:
    """``count`` blocks from ``first_block`` on, in chunks of a few MiB: (first block of the chunk, bytes).

    The same ``seed`` makes the same blocks.
    """
    generator = np.random.SFC64(seed)
    step = _CHUNK_BYTES // place.block_size
    for first in range(first_block, first_block + count, step):
        blocks = min(step, first_block + count - first)
        random = generator.random_raw(blocks * place.block_size // 8)
        yield first, _sealed(place, first, random.reshape(blocks, -1))


def _sealed(place: BlockPlace, first_block: int, words: np.ndarray) -> memoryview:
    """Put envelope and body around the random words, one row of ``words`` per block."""
    size, (scn, seq) = place.block_size, place.version
    quads, pairs, octets = words.view("<u4"), words.view("<u2"), words.view("u1")
    numbers = np.arange(first_block, first_block + len(words), dtype="<u4")
    quads[:, 0] = scn >> 48 << 16 | format_byte(size) << 8 | BlockType.TABLE
    quads[:, 1] = make_rdba(place.relative_file_number, 0, place.bigfile) + numbers
    quads[:, 2] = scn & 0xFFFFFFFF
    quads[:, 3] = FLAG_CHECKSUM << 24 | seq << 16 | (scn >> 32 & 0xFFFF)
    quads[:, 4] = 0
    quads[:, 5] = place.object_id
    pairs[:, 12], pairs[:, 13] = 1, BODY_FORMAT
    row_length = size - _ROW_OFFSET - TAIL_SIZE
    pairs[:, 14], pairs[:, 15] = 0, row_length
    head = raw_head(row_length)
    octets[:, _ROW_OFFSET : _ROW_OFFSET + len(head)] = np.frombuffer(head, dtype="u1")
    quads[:, -1] = (scn & 0xFFFF) << 16 | BlockType.TABLE << 8 | seq
    folded = np.bitwise_xor.reduce(words, axis=1)
    folded ^= folded >> np.uint64(32)
    folded ^= folded >> np.uint64(16)
    pairs[:, 8] = folded & np.uint64(0xFFFF)
    return words.data.cast("B")
