# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Format models of TO_CHAR, TO_DATE and TO_NUMBER (Oracle SQL Language Reference, "Format Models").

The models in common use are here; an unknown element raises ORA-01821 (dates) or ORA-01481 (numbers).
Names of days and months are English.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.query.time_zones import time_zone

_EXACT = Context(prec=300, Emax=999999, Emin=-999999)
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_ELEMENT = re.compile(
    r'"[^"]*"|FM|FX|SYYYY|YYYY|RRRR|YYY|RR|YY|Y|MONTH|MON|MM|DDD|DAY|DD|DY|D|HH24|HH12|HH|MI|SSSSS|SS'
    r"|FF[1-9]?|X|AM|PM|A\.M\.|P\.M\.|TZH|TZM|TZR|IW|WW|W|Q|J|[-/,.;: T]|\W",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=256)
def _elements(mask: str) -> tuple[str, ...]:
    elements: list[str] = []
    position = 0
    while position < len(mask):
        found = _ELEMENT.match(mask, position)
        if not found:
            raise OracleError(1821, "date format not recognized")
        elements.append(found.group())
        position = found.end()
    return tuple(elements)


def _cased(name: str, element: str) -> str:
    if element.isupper():
        return name.upper()
    return name if element[:1].isupper() else name.lower()


def _offset(value: datetime) -> str:
    minutes = int((value.utcoffset() or timedelta()).total_seconds()) // 60
    sign, size = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{sign}{size // 60:02d}:{size % 60:02d}"


_NUMERIC: dict[str, Callable[[datetime], str]] = {
    "YYYY": lambda t: f"{t.year:04d}",
    "RRRR": lambda t: f"{t.year:04d}",
    "SYYYY": lambda t: f" {t.year:04d}",
    "YYY": lambda t: f"{t.year % 1000:03d}",
    "YY": lambda t: f"{t.year % 100:02d}",
    "RR": lambda t: f"{t.year % 100:02d}",
    "Y": lambda t: f"{t.year % 10}",
    "MM": lambda t: f"{t.month:02d}",
    "DD": lambda t: f"{t.day:02d}",
    "DDD": lambda t: f"{t.timetuple().tm_yday:03d}",
    "D": lambda t: str(t.isoweekday() % 7 + 1),
    "HH24": lambda t: f"{t.hour:02d}",
    "HH12": lambda t: f"{(t.hour - 1) % 12 + 1:02d}",
    "HH": lambda t: f"{(t.hour - 1) % 12 + 1:02d}",
    "MI": lambda t: f"{t.minute:02d}",
    "SS": lambda t: f"{t.second:02d}",
    "SSSSS": lambda t: f"{t.hour * 3600 + t.minute * 60 + t.second:05d}",
    "IW": lambda t: f"{t.isocalendar().week:02d}",
    "WW": lambda t: f"{(t.timetuple().tm_yday - 1) // 7 + 1:02d}",
    "W": lambda t: str((t.day - 1) // 7 + 1),
    "Q": lambda t: str((t.month - 1) // 3 + 1),
    "J": lambda t: str(t.toordinal() + 1721425),
    "TZH": lambda t: _offset(t)[:3],
    "TZM": lambda t: _offset(t)[4:],
    "TZR": _offset,
}
_NAMES: dict[str, Callable[[datetime], str]] = {
    "MONTH": lambda t: _MONTHS[t.month - 1],
    "MON": lambda t: _MONTHS[t.month - 1][:3],
    "DAY": lambda t: _DAYS[t.weekday()],
    "DY": lambda t: _DAYS[t.weekday()][:3],
}


def format_moment(value: datetime, mask: str) -> str:
    """TO_CHAR of a date. Raises ORA-01821."""
    parts: list[str] = []
    fill = True
    for element in _elements(mask):
        key = element.upper()
        if key in ("FM", "FX"):
            fill = fill and key != "FM"
        elif key in _NUMERIC:
            text = _NUMERIC[key](value)
            parts.append(text if fill or key.startswith("TZ") else text.lstrip("0") or "0")
        elif key in _NAMES:
            name = _cased(_NAMES[key](value), element)
            parts.append(name.ljust(9) if fill and key in ("MONTH", "DAY") else name)
        elif key.startswith("FF"):
            parts.append(f"{value.microsecond:06d}000"[: int(key[2:] or 6)])
        elif key == "X":
            parts.append(".")
        elif key.replace(".", "") in ("AM", "PM"):
            parts.append(_cased("AM" if value.hour < 12 else "PM", element))
        else:
            parts.append(element.strip('"') if element.startswith('"') else element)
    return "".join(parts)


_PATTERNS = {
    "YYYY": ("year", r"\d{4}"),
    "SYYYY": ("year", r"\s?\d{4}"),
    "RRRR": ("century", r"\d{2,4}"),
    "RR": ("century", r"(?:\d{4}|\d{2})"),
    "YY": ("short", r"(?:\d{4}|\d{2})"),
    "MM": ("month", r"\d{1,2}"),
    "MON": ("name", r"[A-Za-z]{3}"),
    "MONTH": ("name", r"[A-Za-z]{3,9}"),
    "DD": ("day", r"\d{1,2}"),
    "HH24": ("hour", r"\d{1,2}"),
    "HH12": ("half", r"\d{1,2}"),
    "HH": ("half", r"\d{1,2}"),
    "MI": ("minute", r"\d{1,2}"),
    "SS": ("second", r"\d{1,2}"),
    "SSSSS": ("seconds", r"\d{1,5}"),
    "AM": ("noon", r"[AaPp]\.?[Mm]\.?"),
    "PM": ("noon", r"[AaPp]\.?[Mm]\.?"),
    "A.M.": ("noon", r"[AaPp]\.?[Mm]\.?"),
    "P.M.": ("noon", r"[AaPp]\.?[Mm]\.?"),
    "TZH": ("zone_hour", r"[+-]?\d{1,2}"),
    "TZM": ("zone_minute", r"\d{2}"),
    "TZR": ("zone", r"[\w/+:-]+"),
}


@functools.lru_cache(maxsize=256)
def _reader(mask: str) -> re.Pattern[str]:
    parts: list[str] = []
    names: set[str] = set()
    for element in _elements(mask):
        key = element.upper()
        if key in ("FM", "FX"):
            continue
        if key.startswith("FF"):
            group, pattern = "fraction", r"\d{1,9}"
        elif key in _PATTERNS:
            group, pattern = _PATTERNS[key]
        elif element.startswith('"'):
            parts.append(re.escape(element.strip('"')))
            continue
        elif key == "X":
            parts.append(r"[.]")
            continue
        elif not element.isalnum():
            # Oracle lets other punctuation stand for the one in the model, and lets it be left out.
            parts.append(r"[\s\-/,.;:]*?" if element in "-/,.;: " else re.escape(element))
            continue
        elif element.upper() == "T":
            parts.append("T")
            continue
        else:
            raise OracleError(1820, "format code cannot appear in date input format")
        if group in names:
            raise OracleError(1810, "format code appears twice")
        names.add(group)
        parts.append(f"(?P<{group}>{pattern})")
    # Trailing parts may be missing in the text: each one is optional once all before it matched.
    pattern = ""
    for part in reversed(parts):
        pattern = part + (f"(?:{pattern})?" if pattern else "")
    return re.compile(r"\s*" + pattern + r"\s*$")


def read_moment(text: str, mask: str, now: datetime) -> datetime:
    """TO_DATE or TO_TIMESTAMP: missing parts are the first day of the current month, midnight. With a time zone
    only if the model has one.

    Raises ORA-01821, 01830, 01843, 01847, 01850, 01851, 01852, 01861.
    """
    found = _reader(mask).match(text)
    if not found:
        if len(text.strip()) > len(mask):
            raise OracleError(1830, "date format picture ends before converting entire input string")
        raise OracleError(1861, "literal does not match format string")
    part = found.groupdict()
    year = now.year
    if part.get("year"):
        year = int(part["year"])
    elif part.get("century"):
        year = int(part["century"])
        year += 0 if year > 99 else 2000 if year < 50 else 1900
    elif part.get("short"):
        year = int(part["short"])
        year += now.year // 100 * 100 if year < 100 else 0
    month = int(part.get("month") or 0)
    if part.get("name"):
        month = _month_number(part["name"])
    elif not part.get("month"):
        month = now.month
    hour = int(part.get("hour") or part.get("half") or 0)
    if part.get("noon") and part["noon"][0] in "Pp" and hour < 12:
        hour += 12
    elif part.get("noon") and part["noon"][0] in "Aa" and hour == 12:
        hour = 0
    day = int(part.get("day") or 1)
    minute, second = int(part.get("minute") or 0), int(part.get("second") or 0)
    microsecond = int((part.get("fraction") or "0").ljust(6, "0")[:6])
    _check_ranges(month, day, hour, minute, second)
    try:
        moment = datetime(year, month, day, hour, minute, second, microsecond)
    except ValueError:
        raise OracleError(1839, "date not valid for month specified") from None
    moment += timedelta(seconds=int(part.get("seconds") or 0))
    zone = part.get("zone") or _zone_of(part.get("zone_hour"), part.get("zone_minute"))
    return moment if zone is None else moment.replace(tzinfo=time_zone(zone))


def _zone_of(hours: str | None, minutes: str | None) -> str | None:
    if hours is None:
        return None
    sign = "-" if hours.startswith("-") else "+"
    return f"{sign}{int(hours.lstrip('+-')):02d}:{int(minutes or 0):02d}"


def _month_number(name: str) -> int:
    for number, month in enumerate(_MONTHS, 1):
        if month.upper().startswith(name.upper()):
            return number
    raise OracleError(1843, "not a valid month")


def _check_ranges(month: int, day: int, hour: int, minute: int, second: int) -> None:
    if not 1 <= month <= 12:
        raise OracleError(1843, "not a valid month")
    if not 1 <= day <= 31:
        raise OracleError(1847, "day of month must be between 1 and last day of month")
    if hour > 23:
        raise OracleError(1850, "hour must be between 0 and 23")
    if minute > 59:
        raise OracleError(1851, "minutes must be between 0 and 59")
    if second > 59:
        raise OracleError(1852, "seconds must be between 0 and 59")


def number_text(value: int | Decimal | float) -> str:
    """TO_CHAR of a number without a model: no leading zero before the point, no exponent below 40 digits."""
    number = (
        value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)
    )
    if number == number.to_integral_value():
        return str(int(number))
    text = format(number.normalize(_EXACT), "f")
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + digits.removeprefix("0")


def format_number(value: int | Decimal | float, mask: str) -> str:
    """TO_CHAR of a number with 9, 0, ',', '.', G, D, FM, S, $, X and TM. Raises ORA-01481."""
    model = mask.upper()
    fill = not model.startswith("FM")
    model = model.removeprefix("FM")
    if model.startswith("TM"):
        return number_text(value)
    number = Decimal(str(value))
    if set(model) <= {"X", "0"} and "X" in model:
        text = format(int(number), "X")
        if len(text) > len(model):
            return "#" * (len(model) + 1)
        padded = text.rjust(len(model), "0" if model.startswith("0") else " ")
        return " " + padded if fill else text
    signed = model.startswith("S") or model.endswith("S")
    body = model.replace("S", "").replace("G", ",").replace("D", ".").replace("L", "$")
    dollar = "$" in body
    body = body.replace("$", "")
    if not body or set(body) - set("90,."):
        raise OracleError(1481, "invalid number format model")
    whole, _ignored, fraction = body.partition(".")
    rounded = number.copy_abs().quantize(Decimal(1).scaleb(-len(fraction)), ROUND_HALF_UP, _EXACT)
    digits, _ignored, decimals = format(rounded, "f").partition(".")
    places = sum(ch in "90" for ch in whole)
    if len(digits) > places and digits != "0":
        return "#" * (len(body) + 1)
    text = _fill_whole(whole, "" if digits == "0" and fraction and "0" not in whole else digits)
    text += "." + decimals if "." in body else ""
    sign = "-" if number < 0 else "+" if signed else ""
    text = sign + ("$" if dollar else "") + text.lstrip()
    return text if not fill else text.rjust(len(body) + 1 + dollar)


def _fill_whole(whole: str, digits: str) -> str:
    zero_from = whole.find("0")
    remaining = list(digits)
    out: list[str] = []
    for position in range(len(whole) - 1, -1, -1):
        if whole[position] == ",":
            more = remaining or (0 <= zero_from < position)
            out.append("," if more else " ")
        elif remaining:
            out.append(remaining.pop())
        else:
            out.append("0" if 0 <= zero_from <= position else " ")
    return "".join(reversed(out))


def read_number(text: str, mask: str | None = None) -> int | Decimal:
    """TO_NUMBER. Raises ORA-01722."""
    cleaned = text.strip()
    if mask is not None:
        if set(mask.upper().removeprefix("FM")) <= {"X", "0"}:
            try:
                return int(cleaned, 16)
            except ValueError:
                raise OracleError(1722, "invalid number") from None
        cleaned = cleaned.replace(",", "").replace("$", "")
    try:
        number = Decimal(cleaned)
    except InvalidOperation:
        raise OracleError(1722, "invalid number") from None
    if not number.is_finite():
        raise OracleError(1722, "invalid number")
    return int(number) if number == number.to_integral_value() else number
