# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQL text from names and values that cannot be bound.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError

_LONGEST_NAME_BYTES = 128


def quote_identifier(name: str) -> str:
    """Return ``name`` as a quoted identifier; raises PreconditionError for what cannot be one.

    A quoted identifier holds any characters but the double quotation mark and NUL (SQL Language Reference,
    database object naming rules), so nothing is ever escaped.
    """
    if not name or '"' in name or "\0" in name or len(name.encode()) > _LONGEST_NAME_BYTES:
        raise PreconditionError(f"{name!r} cannot be the name of a database object.")
    return f'"{name}"'


def quote_literal(text: str) -> str:
    """Return ``text`` as a character literal; raises PreconditionError for control characters."""
    if any(ord(character) < 32 for character in text):
        raise PreconditionError(f"{text!r} cannot be used in a statement: it has control characters.")
    return "'" + text.replace("'", "''") + "'"
