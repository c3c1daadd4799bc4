# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking tokens one after the other, with the compiler's errors where they are not the expected ones."""

from __future__ import annotations

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.plsql import tree
from oracle_simulator.sql.plsql.tokens import Token, compile_error, tokenize

_END = Token("end", "", "", 0, 0)


class TokenStream:
    """The tokens of one text, and what may come next."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._place = 0

    # ------------------------------------------------------------ tokens

    @property
    def _next(self) -> Token:
        return self._tokens[self._place] if self._place < len(self._tokens) else _END

    def _ahead(self, count: int = 1) -> Token:
        place = self._place + count
        return self._tokens[place] if place < len(self._tokens) else _END

    def _at(self, *words: str) -> bool:
        return all(self._ahead(i).word == word for i, word in enumerate(words)) and self._is_word()

    def _is_word(self) -> bool:
        return self._next.kind in ("name", "symbol")

    def _take(self) -> Token:
        token = self._next
        self._place += 1
        return token

    def _accept(self, *words: str) -> bool:
        if not self._at(*words):
            return False
        self._place += len(words)
        return True

    def _expect(self, *words: str) -> None:
        for word in words:
            if not self._accept(word):
                raise self._unexpected(word)

    def _unexpected(self, expected: str) -> OracleError:
        token = self._next
        shown = token.text.upper() if token.kind != "end" else "end-of-file"
        place = token.start if token.kind != "end" else len(self._text)
        text = f'PLS-00103: Encountered the symbol "{shown}" when expecting one of the following:\n\n   {expected}'
        return compile_error(self._text, place, text)

    def _name(self) -> str:
        if self._next.kind != "name":
            raise self._unexpected("<an identifier>")
        return self._take().word

    def _dotted_name(self) -> str:
        name = self._name()
        while self._accept("."):
            name += "." + self._name()
        return name

    def _until(self, *ends: str, required: bool = True) -> tree.Expression:
        """The tokens up to one of these words outside parentheses and CASE; that one is not taken."""
        start = self._place
        depth = cases = 0
        while self._next.kind != "end":
            word = self._next.word if self._is_word() else ""
            if depth == 0 and cases == 0 and word in ends:
                break
            if word == "CASE":
                cases += 1
            elif word == "END" and cases:
                cases -= 1
            elif word == "(":
                depth += 1
            elif word == ")":
                depth -= 1
                if depth < 0:
                    break
            elif word == ";":
                break
            self._place += 1
        if required and self._place == start:
            raise self._unexpected("an expression")
        return tree.Expression(self._tokens[start : self._place])

    def _list_until(self, *ends: str) -> tuple[tree.Expression, ...]:
        items = [self._until(",", *ends)]
        while self._accept(","):
            items.append(self._until(",", *ends))
        return tuple(items)
