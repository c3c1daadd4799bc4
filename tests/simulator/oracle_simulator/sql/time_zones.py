# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time zones as ALTER SESSION SET TIME_ZONE takes them: offsets and regions."""

from __future__ import annotations

import re
import zoneinfo

from oracle_simulator.errors import OracleError

_OFFSET = re.compile(r"([+-]?)(\d{1,2}):(\d{1,2})")
_MOST_HOURS = 15


def time_zone(text: str) -> str:
    """The zone as SESSIONTIMEZONE shows it. Raises ORA-01874, ORA-01875, ORA-01882 (SQL Reference,
    ALTER SESSION)."""
    if text.upper() in ("LOCAL", "DBTIMEZONE"):
        return "+00:00"
    if offset := _OFFSET.fullmatch(text.strip()):
        sign, hours, minutes = offset[1] or "+", int(offset[2]), int(offset[3])
        if hours > _MOST_HOURS:
            raise OracleError(1874, "time zone hour must be between -15 and 15")
        if minutes > 59:
            raise OracleError(1875, "time zone minute must be between -59 and 59")
        return f"{sign}{hours:02}:{minutes:02}"
    try:
        return zoneinfo.ZoneInfo(text.strip()).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise OracleError(1882, "timezone region not found") from None
