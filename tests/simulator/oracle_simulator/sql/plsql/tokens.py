# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a PL/SQL text."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from oracle_simulator.errors import OracleError

_TOKEN = re.compile(
    r"(?P<space>\s+|--[^\n]*|/\*.*?\*/)"
    r"|(?P<string>[nN]?[qQ]'(?:\[.*?\]|\{.*?\}|\(.*?\)|<.*?>|(?P<mark>[^\s\[{(<]).*?(?P=mark))'|[nN]?'(?:[^']|'')*')"
    r"|(?P<number>\d+(?:\.(?!\.)\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<bind>:\s*(?:\w+|\"[^\"]+\"))"
    r"|(?P<name>[^\W\d][\w$#]*|\"[^\"]+\")"
    r"|(?P<symbol>:=|=>|\.\.|\|\||<=|>=|<>|!=|\^=|~=|<<|>>|\*\*|[-+*/=<>(),;.%@])",
    re.DOTALL,
)


class Token(NamedTuple):
    """``kind`` is name, string, number, bind or symbol; ``word`` what the parser compares: names in capitals,
    quoted ones as they are. ``start`` and ``end`` are places in the text."""

    kind: str
    word: str
    text: str
    start: int
    end: int

    def position(self, source: str) -> tuple[int, int]:
        """Line and column, from 1."""
        before = source[: self.start]
        return before.count("\n") + 1, self.start - before.rfind("\n")


@functools.lru_cache(maxsize=512)
def tokenize(text: str) -> tuple[Token, ...]:
    """All tokens, blanks and comments left out. Raises ORA-06550 with PLS-00103 for what is none."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise compile_error(text, position, f'PLS-00103: Encountered the symbol "{text[position]}"')
        kind = str(match.lastgroup)
        if kind == "mark":
            kind = "string"
        if kind != "space":
            found.append(Token(kind, _word(kind, match.group()), match.group(), position, match.end()))
        position = match.end()
    return tuple(found)


def _word(kind: str, text: str) -> str:
    if kind == "name":
        return text[1:-1] if text.startswith('"') else text.upper()
    if kind == "bind":
        name = text[1:].strip()
        return name[1:-1] if name.startswith('"') else name.upper()
    return text


def compile_error(source: str, place: int, *lines: str) -> OracleError:
    """ORA-06550 at a place of the text, with the compiler's own messages below it."""
    before = source[:place]
    line, column = before.count("\n") + 1, place - before.rfind("\n")
    where = f"line {line}, column {column}:\n"
    ignored = (6550, f"{where}PL/SQL: Statement ignored")
    return OracleError(6550, where + "\n".join(lines), ignored, offset=place)
