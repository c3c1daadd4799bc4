# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions that become the engine's own words (NVL, DECODE, GREATEST), and the types of mixed values."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.types import SqlType

Node = exp.Expr
Typed = tuple[Node, SqlType | None]


def is_moment(kind: SqlType | None) -> bool:
    return kind is not None and kind.type in types.MOMENT_TYPES


def is_text(kind: SqlType | None) -> bool:
    return kind is not None and kind.type in types.TEXT_TYPES


def is_number(kind: SqlType | None) -> bool:
    return kind is not None and kind.type in types.NUMBER_TYPES


def first_known(kinds: Sequence[SqlType | None]) -> SqlType | None:
    return next((kind for kind in kinds if kind is not None), None)


def special_function(name: str, arguments: list[Node], kinds: list[SqlType | None]) -> Typed | None:
    """The rewritten call, None when the name is that of an ordinary function or of none."""
    count = len(arguments)
    if name in ("NVL", "COALESCE") and count >= 2:
        coalesce = exp.Coalesce(this=arguments[0], expressions=arguments[1:])
        return coalesce, common_type(kinds)
    if name == "NVL2" and count == 3:
        condition = exp.Not(this=exp.Is(this=arguments[0], expression=exp.Null()))
        case = exp.Case(ifs=[exp.If(this=condition, true=arguments[1])], default=arguments[2])
        return case, common_type(kinds[1:])
    if name == "DECODE" and count >= 3:
        return _decode(arguments, kinds)
    if name == "NULLIF" and count == 2:
        return exp.Nullif(this=arguments[0], expression=arguments[1]), kinds[0]
    if name in ("GREATEST", "LEAST") and count >= 2:
        engine = "MAX" if name == "GREATEST" else "MIN"
        return exp.Anonymous(this=engine, expressions=arguments), first_known(kinds)
    return None


def common_type(kinds: Sequence[SqlType | None]) -> SqlType | None:
    known = [kind for kind in kinds if kind is not None]
    if known and all(is_text(kind) for kind in known):
        return types.text_type(max(kind.size for kind in known))
    return known[0] if known and len({kind.type for kind in known}) == 1 else first_known(kinds)


def _decode(arguments: list[Node], kinds: list[SqlType | None]) -> Typed:
    ifs, results = [], []
    for index in range(1, len(arguments) - 1, 2):
        condition = exp.Is(this=arguments[0].copy(), expression=arguments[index])
        ifs.append(exp.If(this=condition, true=arguments[index + 1]))
        results.append(kinds[index + 1])
    default = arguments[-1] if len(arguments) % 2 == 0 else None
    if default is not None:
        results.append(kinds[-1])
    return exp.Case(ifs=ifs, default=default), common_type(results)
