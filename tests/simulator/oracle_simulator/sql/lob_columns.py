# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LOB columns: writing through a locator is an update of the row it came from.

A LOB is kept in its row, which is chained over as many blocks as it takes; Oracle would give it a segment of its
own.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, NamedTuple

from oracle_simulator.errors import OracleError

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


class LobOrigin(NamedTuple):
    """The place of a LOB: a column of one row of a table."""

    owner: str
    table: str
    data_object_id: int
    address: int
    column: str


def write_lob(session: DatabaseSession, origin: Hashable, content: str | bytes) -> None:
    """Raises ORA-22920 when the session has not locked the row (SELECT ... FOR UPDATE, or a change of it),
    ORA-22922 when the row is no more."""
    if not isinstance(origin, LobOrigin):
        raise OracleError(22275, "invalid LOB locator specified")
    table = session.require_open().dictionary.get_table(origin.owner, origin.table)
    if table is None or table.data_object_id != origin.data_object_id:
        raise OracleError(22922, "nonexistent LOB value")
    transaction = session.transaction
    if not transaction.holds(table, origin.address):
        raise OracleError(22920, "row containing the LOB value is not locked")
    row = transaction.lock_row(table, origin.address, session.is_cancelled)
    if row is None:
        raise OracleError(22922, "nonexistent LOB value")
    changed = list(row)
    changed[table.column_names.index(origin.column)] = content
    transaction.update(table, origin.address, changed, session.is_cancelled)
    session.overlay.touch(table, (origin.address,))
