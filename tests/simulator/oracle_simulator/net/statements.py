# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the wire itself has to know of a statement's text.

Clients decide by the first keyword how they send binds and what they expect back, and a server has to
come to the same conclusion: nothing else on the wire tells.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass


class StatementKind(enum.Enum):
    QUERY = "query"
    DML = "dml"
    PLSQL = "plsql"
    OTHER = "other"
    """DDL, transaction and session control."""


_KINDS = {
    **dict.fromkeys(("SELECT", "WITH"), StatementKind.QUERY),
    **dict.fromkeys(("INSERT", "UPDATE", "DELETE", "MERGE"), StatementKind.DML),
    **dict.fromkeys(("DECLARE", "BEGIN", "CALL"), StatementKind.PLSQL),
}

# Neither expression ever looks at a character twice: a text is at its sender's choice.
_FIRST_WORD = re.compile(r"(?:[\s(]|--[^\n]*+\n?|/\*(?>.*?\*/))*+([A-Za-z]+)", re.DOTALL)
_TOKEN = re.compile(
    r"""'[^']*+'?|"[^"]*+"?|--[^\n]*+|/\*(?>.*?(?:\*/|\Z))|:\s*+(?:"[^"]*+"?|\w++)|\w++""", re.DOTALL
)


@dataclass(frozen=True)
class Statement:
    """A statement's text and kind. ``return_binds`` counts the binds behind RETURNING ... INTO, the last
    ones, for which the client sends no values."""

    text: str
    kind: StatementKind
    return_binds: int = 0


def analyze(text: str) -> Statement:
    match = _FIRST_WORD.match(text)
    kind = _KINDS.get(match[1].upper(), StatementKind.OTHER) if match else StatementKind.OTHER
    return Statement(text, kind, _return_binds(text) if kind is StatementKind.DML else 0)


def _return_binds(text: str) -> int:
    if "RETURN" not in text.upper():
        return 0
    count = 0
    returning = into = False
    for token in _TOKEN.findall(text):
        word = token.upper()
        if word in ("RETURNING", "RETURN"):
            returning, into, count = True, False, 0
        elif returning and word == "INTO":
            into = True
        elif into and token[0] == ":":
            count += 1
    return count
