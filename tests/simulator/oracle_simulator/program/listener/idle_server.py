# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server process that a statically registered service starts where there is no instance."""

from __future__ import annotations

from typing import NoReturn

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import AdminMode, ClientInfo, Session, Verifier


class IdleServer:
    """Implements ``net.backend.Backend``: every logon gets ORA-01034.

    Oracle lets SYSDBA in, to an idle instance, for STARTUP; thin drivers have no STARTUP.
    """

    def refusal(self, service_name: str | None, sid: str | None) -> int | None:
        return None

    def has_dispatchers(self) -> bool:
        return False

    def verifier(self, user: str, mode: AdminMode, client: ClientInfo | None = None) -> Verifier | None:
        return self._not_available()

    def open_session(self, user: str, mode: AdminMode, client: ClientInfo) -> Session:
        return self._not_available()

    def session_parameters(self) -> dict[str, str]:
        return {}

    def version(self) -> tuple[int, int, int, int, int]:
        return (19, 0, 0, 0, 0)

    def _not_available(self) -> NoReturn:
        cause = (
            27101,
            "shared memory realm does not exist\nLinux-x86_64 Error: 2: No such file or directory",
        )
        raise OracleError(1034, "ORACLE not available", cause)
