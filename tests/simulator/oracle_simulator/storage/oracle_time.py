# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as Oracle keeps them in headers: one u4, local time of the server, every month 31 days long."""

from __future__ import annotations

from datetime import datetime


def encode_time(moment: datetime | None) -> int:
    """The u4 of a local time (seconds resolution); None, "never", is 0."""
    if moment is None:
        return 0
    months = (moment.year - 1988) * 12 + moment.month - 1
    hours = (months * 31 + moment.day - 1) * 24 + moment.hour
    return (hours * 60 + moment.minute) * 60 + moment.second


def decode_time(value: int) -> datetime | None:
    """The local time of a u4 (naive); None for 0. Raises ValueError for days no month has."""
    if value == 0:
        return None
    minutes, second = divmod(value, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    months, day = divmod(days, 31)
    years, month = divmod(months, 12)
    return datetime(1988 + years, month + 1, day + 1, hour, minute, second)
