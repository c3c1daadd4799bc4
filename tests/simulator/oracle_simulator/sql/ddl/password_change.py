# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new password that a client asks for without SQL, at logon or within a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Verifier
from oracle_simulator.net.verifier import is_password

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


_MOST_BYTES = 30


def require_length(password: str) -> None:
    """Raises ORA-00988 for more than 30 bytes (Security Guide, "Minimum Requirements for Passwords")."""
    if len(password.encode()) > _MOST_BYTES:
        raise OracleError(988, "missing or invalid password(s)")


def require_change(session: DatabaseSession, user: str, old: str) -> None:
    """Whether ``session`` may give ``user`` a new password. Who may ALTER USER may; others must know their
    old one. Raises ORA-01031, ORA-28008."""
    dictionary = session.require_open().dictionary
    if session.privileges.has(dictionary, "ALTER USER"):
        return
    row = dictionary.find_user(user)
    if user != session.user or row is None:
        raise OracleError(1031, "insufficient privileges")
    if not is_password(Verifier(row.salt, row.pw_key, row.rounds), old):
        raise OracleError(28008, "invalid old password")
