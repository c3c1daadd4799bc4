# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far each container is open, and what may be done in it therefore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.instance.container import ROOT, SEED
from oracle_simulator.instance.messages import not_open, read_only
from oracle_simulator.instance.state import InstanceState

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

MOUNTED, READ_ONLY, READ_WRITE = "MOUNTED", "READ ONLY", "READ WRITE"
_ROOT_MODES = {
    InstanceState.OPEN: READ_WRITE,
    InstanceState.CLOSING: READ_WRITE,
    InstanceState.OPEN_READ_ONLY: READ_ONLY,
}


def open_mode(instance: Instance, con_id: int) -> str:
    """``V$CONTAINERS.OPEN_MODE``: MOUNTED, READ ONLY or READ WRITE. The seed is always read only."""
    if con_id <= ROOT:
        return _ROOT_MODES.get(instance.state, MOUNTED)
    if not instance.is_open:
        return MOUNTED
    if con_id == SEED:
        return READ_ONLY
    mode = instance.container_modes.get(con_id)
    return MOUNTED if mode is None else mode.open_mode


def require_container_read_write(instance: Instance, con_id: int) -> None:
    """Raises ORA-01109 for a container that is not open, ORA-16000 for one open read only."""
    mode = open_mode(instance, con_id)
    if mode == MOUNTED:
        raise not_open()
    if mode == READ_ONLY:
        raise read_only()
