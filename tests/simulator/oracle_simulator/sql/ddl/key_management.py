# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ADMINISTER KEY MANAGEMENT. In a CDB the keystore is the root's, for all containers ("united mode")."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.parser import statements as st

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def _key_management(session: DatabaseSession, statement: st.KeyManagement) -> None:
    data = session.open_data
    session.privileges.require(data.dictionary if data else None, "ADMINISTER KEY MANAGEMENT")
    keystore = session.instance.keystore
    folder = Path(statement.location) if statement.location else None
    match statement.action:
        case "CREATE KEYSTORE":
            keystore.create(statement.password, folder)
        case "CREATE AUTO_LOGIN KEYSTORE":
            keystore.create_auto_login(statement.password, folder, local=statement.local)
        case "OPEN":
            keystore.open(statement.password)
        case "CLOSE":
            keystore.close()
        case _:
            session.instance.require_mounted()
            if not statement.with_backup:
                raise OracleError(46631, "keystore needs to be backed up")
            keystore.set_key(statement.password, force=statement.force)


HANDLERS = {st.KeyManagement: _key_management}
