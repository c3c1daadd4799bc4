# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements that an older release does not know, and what its parser says to them."""

from __future__ import annotations

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.release import Release
from oracle_simulator.sql.parser import pluggable_statements as pst
from oracle_simulator.sql.parser import statements as st

_MULTITENANT = (12, 1)
_INVALID_COMMANDS: dict[type[st.Statement], tuple[int, str]] = {
    pst.CreatePluggable: (901, "CREATE"),
    pst.PluggableStatement: (940, "ALTER"),
    pst.DropPluggable: (950, "DROP"),
}


def check_known(statement: st.Statement, release: Release) -> None:
    """Raises the syntax error of a release that is older than the statement."""
    if release >= _MULTITENANT:
        return
    for kind, (code, verb) in _INVALID_COMMANDS.items():
        if isinstance(statement, kind):
            raise OracleError(code, f"invalid {verb} command")
    if isinstance(statement, st.MoveDatafile):
        raise OracleError(2231, "missing or invalid option to ALTER DATABASE")
    if isinstance(statement, st.Recover) and statement.snapshot_time is not None:
        raise OracleError(274, "illegal recovery option SNAPSHOT")
    if isinstance(statement, st.AlterSessionSet) and any(
        name == "container" for name, _v in statement.settings
    ):
        raise OracleError(2248, "invalid option for ALTER SESSION")
