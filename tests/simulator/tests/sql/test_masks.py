# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Format models of dates and numbers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.query import masks

NOW = datetime(2024, 5, 6, 13, 4, 5, 123456)


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        ("YYYY-MM-DD HH24:MI:SS", "2024-05-06 13:04:05"),
        ("DD-MON-RR", "06-MAY-24"),
        ("fmDay, Month DD", "Monday, May 6"),
        ('YYYY-MM-DD"T"HH24:MI:SS.FF3', "2024-05-06T13:04:05.123"),
        ("HH:MI PM", "01:04 PM"),
        ("Q IW DDD", "2 19 127"),
    ],
)
def test_date_to_text(mask: str, text: str) -> None:
    assert masks.format_moment(NOW, mask) == text


@pytest.mark.parametrize(
    ("text", "mask", "expected"),
    [
        ("2020-01-02 03:04:05", "YYYY-MM-DD HH24:MI:SS", datetime(2020, 1, 2, 3, 4, 5)),
        ("2020-01-02:03:04:05", "YYYY-MM-DD:HH24:MI:SS", datetime(2020, 1, 2, 3, 4, 5)),
        ("2020-01-02", "YYYY-MM-DD HH24:MI:SS", datetime(2020, 1, 2)),
        ("02-JAN-99", "DD-MON-RR", datetime(1999, 1, 2)),
        ("20200102", "YYYYMMDD", datetime(2020, 1, 2)),
        ("03:04 PM", "HH:MI AM", datetime(2024, 5, 1, 15, 4)),
    ],
)
def test_text_to_date(text: str, mask: str, expected: datetime) -> None:
    assert masks.read_moment(text, mask, NOW) == expected


@pytest.mark.parametrize(
    ("text", "mask", "code"),
    [
        ("2020-13-01", "YYYY-MM-DD", 1843),
        ("2020-02-30", "YYYY-MM-DD", 1839),
        ("2020-01-01 25:00", "YYYY-MM-DD HH24:MI", 1850),
        ("x", "YYYY", 1861),
        ("2020-01-01 and more", "YYYY-MM-DD", 1830),
    ],
)
def test_text_that_is_no_date(text: str, mask: str, code: int) -> None:
    with pytest.raises(OracleError) as caught:
        masks.read_moment(text, mask, NOW)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("number", "mask", "text"),
    [
        (Decimal("1234.5"), "9,999.99", " 1,234.50"),
        (Decimal("0.5"), "990.0", "   0.5"),
        (-3, "999", "  -3"),
        (12, "FM000", "012"),
        (255, "XXXX", "   FF"),
        (12345, "999", "####"),
        (0, "FM9990", "0"),
    ],
)
def test_number_to_text(number: Decimal | int, mask: str, text: str) -> None:
    assert masks.format_number(number, mask) == text
