# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of initialization parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from oracle_simulator.instance.parameter_changes import STATIC
from oracle_simulator.instance.parameters import DEFAULTS
from oracle_simulator.sql.views.definition import (
    MULTITENANT,
    Needs,
    View,
    ViewContext,
    container,
    number,
    text,
)


@dataclass(frozen=True)
class _Parameter:
    number: int
    name: str
    value: str | None
    default: bool
    ordinal: int = 1

    @property
    def type(self) -> int:
        value = self.value or ""
        return 1 if value.upper() in ("TRUE", "FALSE") else 3 if value.isdigit() else 2


def _parameters(context: ViewContext) -> Iterator[_Parameter]:
    parameters = context.instance.parameters
    for index, name in enumerate(parameters.names(), 1):
        yield _Parameter(index, name, parameters.get(name) or None, parameters.is_default(name))


def _parameter_values(context: ViewContext) -> Iterator[_Parameter]:
    parameters = context.instance.parameters
    for index, name in enumerate(parameters.names(), 1):
        values = parameters.values(name) or (None,)
        for ordinal, value in enumerate(values, 1):
            yield _Parameter(index, name, value, parameters.is_default(name), ordinal)


def _modifiable(parameter: _Parameter) -> str:
    return "FALSE" if parameter.name in STATIC else "IMMEDIATE"


_PARAMETER_COLUMNS: list[Any] = [
    number("NUM", lambda p: p.number),
    text("NAME", 80, lambda p: p.name),
    number("TYPE", lambda p: p.type),
    text("VALUE", 4000, lambda p: p.value),
    text("DISPLAY_VALUE", 4000, lambda p: p.value),
    text("DEFAULT_VALUE", 255, lambda p: DEFAULTS.get(p.name) or None, since=(12, 2)),
    text("ISDEFAULT", 9, lambda p: "TRUE" if p.default else "FALSE"),
    text("ISSES_MODIFIABLE", 5, lambda p: "FALSE"),
    text("ISSYS_MODIFIABLE", 9, _modifiable),
    text("ISPDB_MODIFIABLE", 5, lambda p: "FALSE", since=MULTITENANT),
    text("ISINSTANCE_MODIFIABLE", 5, lambda p: "FALSE" if p.name in STATIC else "TRUE"),
    text("ISMODIFIED", 10, lambda p: "FALSE"),
    text("ISADJUSTED", 5, lambda p: "FALSE"),
    text("ISDEPRECATED", 5, lambda p: "FALSE"),
    text("ISBASIC", 5, lambda p: "FALSE"),
    text("DESCRIPTION", 255, lambda p: None),
    text("UPDATE_COMMENT", 255, lambda p: None),
    container(),
]
PARAMETER = View("V$PARAMETER", Needs.INSTANCE, _parameters, _PARAMETER_COLUMNS)
PARAMETER2 = View(
    "V$PARAMETER2",
    Needs.INSTANCE,
    _parameter_values,
    [*_PARAMETER_COLUMNS, number("ORDINAL", lambda p: p.ordinal)],
)
SPPARAMETER = View(
    "V$SPPARAMETER",
    Needs.INSTANCE,
    _parameter_values,
    [
        text("SID", 80, lambda p: "*"),
        text("NAME", 80, lambda p: p.name),
        text("VALUE", 255, lambda p: None),
        text("DISPLAY_VALUE", 255, lambda p: None),
        text("ISSPECIFIED", 6, lambda p: "FALSE"),
        number("ORDINAL", lambda p: 0),
        container(),
    ],
)

VIEWS: tuple[View[Any], ...] = (
    PARAMETER,
    PARAMETER.named("V$SYSTEM_PARAMETER"),
    PARAMETER2,
    SPPARAMETER,
)
