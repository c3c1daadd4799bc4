# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System change numbers as they stand in 8-byte fields of file headers and redo headers.

Two forms exist in the same file: the small one (u4 base, u2 wrap) and, from 12.2, the big one (u4 base,
u2 with the mark 0x8000 and the highest part, u2 middle part). We write the big form, and read both.
"""

from __future__ import annotations

import struct

MAX_SCN = (1 << 63) - 1

_FIELD = struct.Struct("<IHH")
_NO_SCN = b"\xff" * 8
_ZERO = bytes(8)


def encode_scn(scn: int | None) -> bytes:
    """The 8 bytes of an SCN; None is "no SCN yet" (all 0xff), 0 an unused field (all zero)."""
    if scn is None:
        return _NO_SCN
    if scn == 0:
        return _ZERO
    if not 0 < scn <= MAX_SCN:
        raise ValueError(f"SCN out of range: {scn}")
    return _FIELD.pack(scn & 0xFFFFFFFF, 0x8000 | (scn >> 48), (scn >> 32) & 0xFFFF)


def decode_scn(field: bytes | bytearray | memoryview, offset: int = 0) -> int | None:
    """The SCN at ``offset``, in either form; None when the first six bytes are all 0xff."""
    base, first, second = _FIELD.unpack_from(field, offset)
    if base == 0xFFFFFFFF and first == 0xFFFF:
        return None
    if first & 0x8000:
        return ((first & 0x7FFF) << 48) | (second << 32) | base
    return (first << 32) | base
