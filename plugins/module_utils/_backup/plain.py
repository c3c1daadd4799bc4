# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as JSON can carry them: what modules return and journals, manifests and status files hold.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError

EXACT_INTEGER_LIMIT = 2**53
"""Above this a JSON reader that uses doubles loses digits; SCNs of 12.2 and later can be larger."""


def plain(value: Any) -> Any:
    """Return ``value`` in JSON types.

    Dataclasses become objects, aware datetimes ISO 8601 in UTC (naive ones keep their own time without a
    zone), integers beyond 2^53 strings. Raises TypeError for anything JSON cannot hold.
    """
    if value is None or isinstance(value, (bool, str, float)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, int):
        return int(value) if abs(value) <= EXACT_INTEGER_LIMIT else str(value)
    if isinstance(value, Decimal):
        return plain(int(value)) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return iso_time(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Set):
        return [plain(item) for item in sorted(value)]
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [plain(item) for item in value]
    raise TypeError(f"a {type(value).__name__} has no JSON form")


def iso_time(moment: datetime) -> str:
    """Return ISO 8601 to the second; with Z when the zone is known."""
    if moment.tzinfo is None:
        return moment.strftime("%Y-%m-%dT%H:%M:%S")
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_integer(value: Any, what: str, *, minimum: int = 0) -> int:
    """Return an exact integer from JSON: an integer, or a string of digits where it did not fit a double.

    Raises VerificationError naming ``what``.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise VerificationError(f"{what} must be an integer, found {value!r}.")
    if value < minimum:
        raise VerificationError(f"{what} must be at least {minimum}, found {value}.")
    return value
