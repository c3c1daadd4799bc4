# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One header field of many blocks side by side, so that a whole piece of a file is compared in a few steps.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

_GROUP_BYTES = 8


class BlockColumns:
    """The ``count`` blocks in ``data``, which is whole blocks of ``block_size`` bytes."""

    def __init__(self, data: memoryview, block_size: int, big_endian: bool) -> None:
        self.data = data
        self.count = len(data) // block_size
        self._words = data.cast("Q")
        self._words_per_block = block_size // _GROUP_BYTES
        self._foreign_order = big_endian is not (sys.byteorder == "big")
        self._groups: dict[int, bytes] = {}

    def bytes_at(self, offset: int) -> bytes:
        """Return the byte at ``offset`` of every block."""
        group, place = divmod(offset, _GROUP_BYTES)
        return self._group(group)[place::_GROUP_BYTES]

    def u4_at(self, offset: int) -> array[int]:
        """Return the 4-byte number at ``offset``, a multiple of 4, of every block."""
        group, place = divmod(offset, _GROUP_BYTES)
        column = array("I", self._group(group))[place // 4 :: 2]
        if self._foreign_order:
            column.byteswap()
        return column

    def _group(self, group: int) -> bytes:
        """Return the same eight bytes of every block: walking from block to block is what costs."""
        if group not in self._groups:
            self._groups[group] = self._words[group :: self._words_per_block].tobytes()
        return self._groups[group]


def outside(column: bytes, allowed: bytes) -> list[int]:
    """Return the indexes of the values that are none of ``allowed``."""
    if not column.translate(None, allowed):
        return []
    return [index for index, value in enumerate(column) if value not in allowed]


def unequal(column: Sequence[int], expected: Sequence[int]) -> list[int]:
    """Return the indexes at which two columns of one type differ."""
    if column == expected:
        return []
    return [index for index, (found, wanted) in enumerate(zip(column, expected)) if found != wanted]
