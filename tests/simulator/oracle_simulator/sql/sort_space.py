# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary space: a sort too large for memory needs a tempfile, which a database opened with a new control file
does not have until somebody adds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.data.dictionary import DEFAULT_TEMPORARY
from oracle_simulator.errors import OracleError

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession

_ROWS_IN_MEMORY = 500


def require_sort_space(session: DatabaseSession, rows: int) -> None:
    """Raises ORA-25153 when ``rows`` are too many to be sorted in memory and the session's temporary tablespace
    has no tempfile. Nothing is written to tempfiles here."""
    if rows <= _ROWS_IN_MEMORY:
        return
    dictionary = session.require_open().dictionary
    user = dictionary.find_user(session.user)
    name = user.temporary_tablespace if user else dictionary.property(DEFAULT_TEMPORARY, "TEMP")
    tablespace = session.instance.control.tablespace_named(name, dictionary.con_id)
    files = session.instance.control.tempfiles
    place = (tablespace.number, tablespace.con_id) if tablespace else None
    if not any((file.tablespace_number, file.con_id) == place for file in files):
        raise OracleError(25153, "Temporary Tablespace is Empty")
