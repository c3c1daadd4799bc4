# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CREATE, ALTER and DROP USER, GRANT and REVOKE mean in the containers of a CDB.

In the root users are common, in a pluggable database local; a grant in the root is for the root unless it says
CONTAINER=ALL (Oracle Database Security Guide, "Managing commonly and locally granted privileges").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.data.user_names import require_common_name, require_local_name
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container import NON_CDB, ROOT, ROOT_NAME
from oracle_simulator.sql.parser import statements as st

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def is_common(session: DatabaseSession, container: str | None, default: str) -> bool:
    """Whether a statement with this CONTAINER clause (ALL, CURRENT, or ``default``) is for all containers.

    Raises ORA-65090 (ALL in a non-CDB), ORA-65050 (ALL in a pluggable database).
    """
    wanted = container or (default if session.con_id == ROOT else "CURRENT")
    if wanted == "ALL" and session.con_id == NON_CDB:
        raise OracleError(65090, "operation only allowed in a container database")
    if wanted == "ALL" and session.con_id != ROOT:
        raise OracleError(65050, "Common DDLs only allowed in CDB$ROOT")
    return wanted == "ALL"


def check_new_user(session: DatabaseSession, statement: st.UserStatement) -> bool:
    """Whether a new user is a common one. Raises ORA-65049 (a local one in the root), ORA-65096, ORA-65094, and as
    :func:`is_common`."""
    common = is_common(session, statement.container, "ALL")
    if common:
        require_common_name(statement.name)
    elif session.con_id == ROOT:
        raise OracleError(65049, "creation of local user or role is not allowed in CDB$ROOT")
    elif session.con_id != NON_CDB:
        require_local_name(statement.name)
    return common


def check_changed_user(session: DatabaseSession, statement: st.UserStatement) -> None:
    """Raises ORA-65066 for a common user changed in a pluggable database, ORA-65057 for CONTAINER_DATA without the
    current container."""
    user = session.require_open().dictionary.find_user(statement.name)
    if session.con_id > ROOT and user is not None and user.common:
        raise OracleError(65066, "The specified changes must apply to all containers")
    if statement.container_data is None:
        return
    if session.con_id != ROOT:
        raise OracleError(65050, "Common DDLs only allowed in CDB$ROOT")
    named = statement.container_data.split(",")
    if statement.container_data not in ("", "ALL") and ROOT_NAME not in named:
        raise OracleError(65057, "CONTAINER_DATA attribute must always include the current container")


def check_dropped_user(session: DatabaseSession, name: str) -> None:
    """Raises ORA-65050 for a common user dropped in a pluggable database."""
    user = session.require_open().dictionary.find_user(name)
    if session.con_id > ROOT and user is not None and user.common:
        raise OracleError(65050, "Common DDLs only allowed in CDB$ROOT")
