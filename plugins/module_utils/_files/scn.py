# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System change numbers and times as Oracle stores them in file headers.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import struct
from datetime import datetime

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError

_BIG_SCN_MARK = 0x8000
_INFINITE = b"\xff" * 6


def decode_scn(raw8: bytes, big_endian: bool = False) -> int | None:
    """Return the SCN held in an 8-byte header field, or None for "no SCN" (all ones).

    The field is a 4-byte base followed by two 2-byte parts A and B. Since 12.2 a set high bit of A marks the
    48-bit-plus form, where A carries the highest bits and B the middle ones; otherwise A is the wrap and B is
    padding. Both forms occur side by side in one header, so each field is decoded on its own.

    Raises ValueError if ``raw8`` is not 8 bytes long.
    """
    if len(raw8) != 8:
        raise ValueError(f"an SCN field is 8 bytes long, not {len(raw8)}")
    if bytes(raw8[:6]) == _INFINITE:
        return None
    base, part_a, part_b = struct.unpack(">IHH" if big_endian else "<IHH", raw8)
    if part_a & _BIG_SCN_MARK:
        return ((part_a & ~_BIG_SCN_MARK) << 48) | (part_b << 32) | base
    return (part_a << 32) | base


def decode_oracle_time(u4: int) -> datetime:
    """Return the naive local time of the database server held in a 4-byte time field.

    The count starts at 1988 and gives every month 31 days, so it is not a number of seconds: two fields must
    be decoded before they are subtracted. Raises VerificationError for a value that names no day (31
    February).
    """
    minutes, second = divmod(u4, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    months, day = divmod(days, 31)
    years, month = divmod(months, 12)
    try:
        return datetime(1988 + years, month + 1, day + 1, hour, minute, second)
    except ValueError as exc:
        raise VerificationError(f"Failed to decode the Oracle time value {u4}: {exc}.") from exc
