# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all SQL functions share: how they are described, and how their arguments are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Protocol

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.query import masks, types
from oracle_simulator.sql.query.types import EngineValue, SqlType


class FunctionContext(Protocol):
    """What functions may know of the session that runs the statement."""

    now: datetime

    @property
    def date_format(self) -> str: ...

    @property
    def timestamp_format(self) -> str: ...

    @property
    def timestamp_tz_format(self) -> str: ...

    @property
    def zone(self) -> tzinfo:
        """The session's time zone."""

    def user_environment(self, name: str) -> str | None:
        """SYS_CONTEXT('USERENV', name)."""

    def context_value(self, namespace: str, name: str) -> str | None:
        """SYS_CONTEXT of another namespace."""


Implementation = Callable[..., Any]


@dataclass(frozen=True)
class Function:
    """``result`` is None when the type is that of the first argument. ``context``: takes the context first;
    ``nulls``: is called with NULL arguments too; ``gives_empty``: an empty text it gives is an empty LOB."""

    implementation: Implementation
    result: SqlType | None
    least: int
    most: int
    context: bool = False
    nulls: bool = False
    gives_empty: bool = False


def moment(value: EngineValue, context: FunctionContext) -> datetime:
    """The date an argument stands for; other text is read with NLS_DATE_FORMAT."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return masks.read_moment(value, context.date_format, context.now)
    raise OracleError(932, "inconsistent datatypes: expected DATE got NUMBER")


def aware(value: datetime, context: FunctionContext) -> datetime:
    """The moment with a time zone: the session's if it has none."""
    return value if value.tzinfo is not None else value.replace(tzinfo=context.zone)


def number(value: EngineValue) -> Decimal:
    if isinstance(value, str):
        return Decimal(masks.read_number(value))
    found = types.decode_number(value) if isinstance(value, (int, float)) else None
    if found is None:
        raise OracleError(1722, "invalid number")
    return Decimal(found)


def text(value: EngineValue, context: FunctionContext) -> str:
    if isinstance(value, (int, float)):
        return masks.number_text(types.decode_number(value) or 0)
    return value.hex().upper() if isinstance(value, bytes) else value or ""


def is_moment(value: EngineValue) -> bool:
    return isinstance(value, str) and len(value) >= 19 and value[4:5] == "-" and value[10:11] == " "
