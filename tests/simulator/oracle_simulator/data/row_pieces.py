# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Row pieces: how a row is stored that does not fit one block (Concepts, "Chained and Migrated Rows").

The row's own slot holds the head piece, which leads to the next one, and so on; each is a slot of its own.
The first byte tells a piece from a whole row, whose first byte is the tag of its first value.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

_PIECE = struct.Struct("<BQ")
_HEAD, _CONTINUATION = 0xF1, 0xF2

PIECE_OVERHEAD = _PIECE.size


class Piece(NamedTuple):
    """A part of a row: its bytes, and the rowid of the piece behind it, 0 if it is the last."""

    next_rowid: int
    data: bytes


def is_continuation(slot: bytes) -> bool:
    """Whether a slot holds a piece that is not the first of its row: no row of its own."""
    return slot[:1] == b"\xf2"


def head_of(slot: bytes) -> Piece | None:
    """The head piece in a row's slot; None for a row that is whole."""
    return _unpack(slot) if slot[:1] == b"\xf1" else None


def head(data: bytes, next_rowid: int) -> bytes:
    """The bytes of a head piece."""
    return _PIECE.pack(_HEAD, next_rowid) + data


def continuation(data: bytes, next_rowid: int) -> bytes:
    """The bytes of a further piece."""
    return _PIECE.pack(_CONTINUATION, next_rowid) + data


def follow(first: Piece, slot_of: Callable[[int], bytes | None]) -> list[tuple[int, bytes]]:
    """The pieces behind the head, (rowid, bytes). Raises ValueError when the chain is broken."""
    found: list[tuple[int, bytes]] = []
    rowid = first.next_rowid
    while rowid:
        slot = slot_of(rowid)
        if slot is None or not is_continuation(slot):
            raise ValueError(f"no row piece at {rowid:#x}")
        piece = _unpack(slot)
        found.append((rowid, piece.data))
        rowid = piece.next_rowid
    return found


def _unpack(slot: bytes) -> Piece:
    _kind, next_rowid = _PIECE.unpack_from(slot)
    return Piece(next_rowid, slot[PIECE_OVERHEAD:])
