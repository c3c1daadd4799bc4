# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception by which every part of the instance says "ORA-"."""

from __future__ import annotations

from collections.abc import Sequence


class OracleError(Exception):
    """An Oracle error stack.

    The first line is the error itself; ``more`` holds the lines below it, as Oracle stacks them
    (``ORA-01113`` followed by ``ORA-01110`` naming the file). ``offset`` is the zero-based position in
    the SQL text, or 0 when the error does not belong to a place in the text. ``row_counts`` are the rows
    that each execution of array DML had changed before the error.
    """

    def __init__(self, code: int, text: str, *more: tuple[int, str], offset: int = 0) -> None:
        self.code = code
        self.text = text
        self.more: tuple[tuple[int, str], ...] = more
        self.offset = offset
        self.row_counts: Sequence[int] = ()
        super().__init__(self.message)

    @property
    def lines(self) -> Sequence[str]:
        """The stack, one ``ORA-nnnnn: text`` line per error."""
        return [f"ORA-{code:05d}: {text}" for code, text in ((self.code, self.text), *self.more)]

    @property
    def message(self) -> str:
        """The whole stack as one text, newline separated, as a client sees it."""
        return "\n".join(self.lines)

    @property
    def codes(self) -> tuple[int, ...]:
        """All codes of the stack, topmost first."""
        return (self.code, *(code for code, _text in self.more))

    def under(self, code: int, text: str) -> OracleError:
        """The same stack with one more error on top (``ORA-00283`` above the real cause)."""
        return OracleError(code, text, (self.code, self.text), *self.more)
