# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time zones as Oracle writes them: offsets and regions (SQL Reference, ALTER SESSION SET TIME_ZONE)."""

from __future__ import annotations

import functools
import re
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from oracle_simulator.errors import OracleError

_OFFSET = re.compile(r"([+-]?)(\d{1,2}):(\d{1,2})")
_DATABASE_WORDS = frozenset({"DBTIMEZONE", "LOCAL"})
_MOST_HOURS = 15


def zone_name(text: str) -> str:
    """The zone as SESSIONTIMEZONE shows it. Raises ORA-01874, ORA-01875, ORA-01882."""
    if text.strip().upper() in _DATABASE_WORDS:
        return "+00:00"
    if offset := _OFFSET.fullmatch(text.strip()):
        sign, hours, minutes = offset[1] or "+", int(offset[2]), int(offset[3])
        if hours > _MOST_HOURS:
            raise OracleError(1874, "time zone hour must be between -15 and 15")
        if minutes > 59:
            raise OracleError(1875, "time zone minute must be between -59 and 59")
        return f"{sign}{hours:02}:{minutes:02}"
    try:
        return ZoneInfo(text.strip()).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise OracleError(1882, "timezone region not found") from None


@functools.lru_cache(maxsize=64)
def time_zone(text: str) -> tzinfo:
    """The zone itself. The database and its host are in UTC. Raises as :func:`zone_name`."""
    name = zone_name(text)
    if offset := _OFFSET.fullmatch(name):
        distance = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-distance if offset[1] == "-" else distance) if distance else UTC
    return ZoneInfo(name)
