# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose rows a session sees in views with a CON_ID (Oracle Database Security Guide, CONTAINER_DATA).

A session in a pluggable database sees what belongs to it and to the CDB as a whole. In the root SYS sees
everything; another common user sees the root and the CDB, and further containers only as the attribute
CONTAINER_DATA of the user says. Nothing tells it that there would be more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.instance.container import NON_CDB, ROOT
from oracle_simulator.net.backend import AdminMode

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def visible_containers(session: DatabaseSession) -> frozenset[int] | None:
    """Container ids whose rows the session sees; None for all."""
    con_id = session.con_id
    if con_id == NON_CDB:
        return None
    if con_id != ROOT:
        return frozenset({NON_CDB, con_id})
    data = session.open_data
    if session.record.mode is not AdminMode.NORMAL or data is None:
        return None
    user = data.dictionary.find_user(session.user)
    allowed = user.container_data if user is not None else ""
    if allowed == "ALL":
        return None
    named = {
        record.con_id for record in session.instance.control.containers if record.name in allowed.split(",")
    }
    return frozenset({NON_CDB, ROOT, *named})
