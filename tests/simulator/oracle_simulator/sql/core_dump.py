# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server process that dies of an exception of the operating system: the end of its session alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance
    from oracle_simulator.sql.session_registry import SessionRegistry

_WHERE = "[ADDR:0x0] [PC:0x1A2B3C4]"
_REASON = "Address not mapped to object"


def dump_core(instance: Instance, sessions: SessionRegistry, sid: int) -> None:
    """ORA-07445 goes to the alert log, the client hears ORA-03113, and the transaction is rolled back.

    Raises ORA-00030.
    """
    found = [record for record in sessions.records() if record.sid == sid]
    if not found:
        raise OracleError(30, "User session ID does not exist.")
    instance.log.write(
        f"Exception [type: SIGSEGV, {_REASON}] {_WHERE} [flags: 0x0, count: 1]",
        f"ORA-07445: exception encountered: core dump [kghalf()+224] [SIGSEGV] {_WHERE} [{_REASON}] []",
    )
    sessions.kill(found[0], OracleError(3113, "end-of-file on communication channel"))
