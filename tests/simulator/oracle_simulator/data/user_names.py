# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of common and local users (Oracle Multitenant Administrator's Guide, "Common users in a CDB")."""

from __future__ import annotations

from oracle_simulator.errors import OracleError

_COMMON_PREFIX = "C##"


def is_common_name(name: str) -> bool:
    """Whether a user of this name belongs to all containers: COMMON_USER_PREFIX, which is C##."""
    return name.upper().startswith(_COMMON_PREFIX)


def require_common_name(name: str) -> None:
    """Raises ORA-65096 for a name without the prefix."""
    if not is_common_name(name):
        raise OracleError(65096, "invalid common user or role name")


def require_local_name(name: str) -> None:
    """Raises ORA-65094 for a name with the prefix."""
    if is_common_name(name):
        raise OracleError(65094, "invalid local user or role name")
