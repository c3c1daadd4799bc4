# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading queries and DML: bind variables, the dialect, and Oracle's errors for what cannot be read."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlglot import ErrorLevel, exp
from sqlglot.dialects.oracle import Oracle
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.oracle import OracleParser

from oracle_simulator.errors import OracleError

BIND_FUNCTION = "BIND__"
"""Bind variables reach the parser as calls of this function with their position."""

_KEPT_FUNCTIONS = ("COUNT", "SUM", "AVG", "MIN", "MAX", "ROW_NUMBER", "RANK", "DENSE_RANK", "LAG", "LEAD")
_KEPT_FUNCTION_PARSERS = ("CAST", "EXTRACT", "LISTAGG", "TRIM")

_SCAN = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?(?:\*/|\Z)|(?<![:\w]):\s*(?P<bind>[A-Za-z0-9_$#]+|\"[^\"]+\")",
    re.DOTALL,
)


class SimulatorOracle(Oracle):
    """sqlglot's Oracle without its knowledge of most functions: they stay calls by name, arguments as
    written, so that their Oracle meaning (format masks, null handling) can be given by our own."""

    class Parser(OracleParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {name: OracleParser.FUNCTIONS[name] for name in _KEPT_FUNCTIONS}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: OracleParser.FUNCTION_PARSERS[name] for name in _KEPT_FUNCTION_PARSERS
        }


@dataclass(frozen=True)
class BoundText:
    """A statement whose binds were replaced: ``names`` in order of appearance (a name used twice is there
    twice, as drivers send it)."""

    text: str
    names: tuple[str, ...]
    shifts: tuple[tuple[int, int], ...]

    def original_offset(self, offset: int) -> int:
        """Where a position of the rewritten text was in the original one."""
        found = bisect_right(self.shifts, (offset, 1 << 60)) - 1
        return offset - (self.shifts[found][1] if found >= 0 else 0)


def rewrite_binds(text: str, reserved: frozenset[str] = frozenset()) -> BoundText:
    """Replace ``:name`` by ``BIND__(position)``. Raises ORA-01745 for a ``reserved`` word: SQL has such, PL/SQL
    has none."""
    parts: list[str] = []
    names: list[str] = []
    shifts: list[tuple[int, int]] = []
    end = delta = 0
    for found in _SCAN.finditer(text):
        name = found["bind"]
        if name is None:
            continue
        if name.upper() in reserved:
            raise OracleError(1745, "invalid host/bind variable name", offset=found.start())
        replacement = f"{BIND_FUNCTION}({len(names)})"
        parts += [text[end : found.start()], replacement]
        delta += len(replacement) - len(found.group())
        end = found.end()
        shifts.append((end + delta, delta))
        names.append(name[1:-1] if name.startswith('"') else name.upper())
    parts.append(text[end:])
    return BoundText("".join(parts), tuple(names), tuple(shifts))


def parse_query(bound: BoundText) -> exp.Expr:
    """The syntax tree of a query or DML statement.

    Raises OracleError: 900, 904, 907, 923, 933, 936, ... with the offset in the original text.
    """
    try:
        trees = SimulatorOracle().parse(bound.text, error_level=ErrorLevel.IMMEDIATE)
    except ParseError as problem:
        raise _syntax_error(bound, problem) from None
    except TokenError:
        raise OracleError(1756, "quoted string not properly terminated") from None
    if len(trees) != 1 or trees[0] is None:
        raise OracleError(900, "invalid SQL statement")
    return trees[0]


def _syntax_error(bound: BoundText, problem: ParseError) -> OracleError:
    detail = problem.errors[0] if problem.errors else {}
    description = str(detail.get("description") or "")
    line, column = int(detail.get("line") or 1), int(detail.get("col") or 0)
    lines = bound.text.splitlines(keepends=True)
    highlight = str(detail.get("highlight") or "")
    position = sum(map(len, lines[: line - 1])) + max(0, column - len(highlight))
    offset = bound.original_offset(position)
    if "Expecting )" in description:
        return OracleError(907, "missing right parenthesis", offset=offset)
    if "Expected table name" in description or "table name" in description.lower():
        return OracleError(903, "invalid table name", offset=offset)
    if "Required keyword" in description or "Expected" in description:
        return OracleError(936, "missing expression", offset=offset)
    return OracleError(933, "SQL command not properly ended", offset=offset)
