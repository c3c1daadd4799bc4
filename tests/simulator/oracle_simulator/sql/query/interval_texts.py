# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Intervals as text: literals, TO_DSINTERVAL and TO_YMINTERVAL, TO_CHAR."""

from __future__ import annotations

import re
from datetime import timedelta

from oracle_simulator.errors import OracleError
from oracle_simulator.intervals import IntervalYM

_DAY_TO_SECOND = re.compile(
    r"\s*(?P<sign>[+-])?\s*(?P<days>\d+)\s+(?P<hours>\d+):(?P<minutes>\d+)(?::(?P<seconds>\d+(?:\.\d*)?))?\s*"
)
_YEAR_TO_MONTH = re.compile(r"\s*(?P<sign>[+-])?\s*(?P<years>\d+)-(?P<months>\d+)\s*")
_FIELDS = ("DAY", "HOUR", "MINUTE", "SECOND")
_MICROSECONDS = {"DAY": 86_400_000_000, "HOUR": 3_600_000_000, "MINUTE": 60_000_000, "SECOND": 1_000_000}


def read_day_to_second(text: str) -> timedelta:
    """``[-]days hours:minutes:seconds[.fraction]``. Raises ORA-01867, ORA-01850, ORA-01851, ORA-01852."""
    found = _DAY_TO_SECOND.fullmatch(text)
    if not found:
        raise OracleError(1867, "the interval is invalid")
    hours, minutes = int(found["hours"]), int(found["minutes"])
    seconds, _ignored, fraction = (found["seconds"] or "0").partition(".")
    if hours > 23:
        raise OracleError(1850, "hour must be between 0 and 23")
    if minutes > 59:
        raise OracleError(1851, "minutes must be between 0 and 59")
    if int(seconds) > 59:
        raise OracleError(1852, "seconds must be between 0 and 59")
    value = timedelta(
        int(found["days"]), int(seconds), int(fraction.ljust(6, "0")[:6] or 0), 0, minutes, hours
    )
    return -value if found["sign"] == "-" else value


def read_year_to_month(text: str) -> IntervalYM:
    """``[-]years-months``. Raises ORA-01867, ORA-01843."""
    found = _YEAR_TO_MONTH.fullmatch(text)
    if not found:
        raise OracleError(1867, "the interval is invalid")
    if int(found["months"]) > 11:
        raise OracleError(1843, "not a valid month")
    total = int(found["years"]) * 12 + int(found["months"])
    return IntervalYM(-total if found["sign"] == "-" else total)


def read_literal(text: str, first: str, last: str | None) -> timedelta | IntervalYM:
    """INTERVAL 'text' first [TO last]. Raises ORA-01867."""
    if first in ("YEAR", "MONTH"):
        if last == "MONTH":
            return read_year_to_month(text)
        months = _number(text) * (12 if first == "YEAR" else 1)
        return IntervalYM(round(months))
    if first not in _FIELDS:
        raise OracleError(1867, "the interval is invalid")
    if last in (None, first):
        return timedelta(microseconds=round(_number(text) * _MICROSECONDS[first]))
    if last not in _FIELDS:
        raise OracleError(1867, "the interval is invalid")
    bare = text.strip().lstrip("+-")
    parts = re.split(r"[ :]", bare)
    names = _FIELDS[_FIELDS.index(first) : _FIELDS.index(last) + 1]
    if len(parts) != len(names):
        raise OracleError(1867, "the interval is invalid")
    total = sum(round(_number(part) * _MICROSECONDS[name]) for part, name in zip(parts, names, strict=True))
    return timedelta(microseconds=-total if text.strip().startswith("-") else total)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise OracleError(1867, "the interval is invalid") from None


def day_to_second_text(value: timedelta) -> str:
    """As TO_CHAR shows it: ``+000000001 02:03:04.000000``."""
    sign, size = ("-", -value) if value < timedelta() else ("+", value)
    minutes, seconds = divmod(size.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{size.days:09d} {hours:02d}:{minutes:02d}:{seconds:02d}.{size.microseconds:06d}"
