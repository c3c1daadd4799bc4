# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server process is told through files of its home, beside Oracle's own parameters."""

from __future__ import annotations

import re
from pathlib import Path

from oracle_simulator.instance.home import Home

ARCHIVER_DELAY = "_simulator_archiver_delay"
"""Parameter: seconds an archiver takes for one log, as on a slow disk."""

VOLATILE_WRITES = "_simulator_volatile_writes"
"""Parameter: TRUE keeps what is needed to take back, after a crash, all that was not synced."""

READINGS = "_simulator_readings"
"""Parameter: readings of unverified points that differ from the default, each ``name=value``."""


def listener_file(home: Home) -> Path:
    """Where the listener's address is configured."""
    return home.root / "network" / "admin" / "listener.ora"


def write_listener_file(home: Home, port: int) -> None:
    """Configure the listener: loopback only."""
    path = listener_file(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"LISTENER =\n  (DESCRIPTION =\n    (ADDRESS = (PROTOCOL = TCP)(HOST = 127.0.0.1)(PORT = {port})))\n"
        f"SID_LIST_LISTENER =\n  (SID_LIST =\n    (SID_DESC = (GLOBAL_DBNAME = {home.sid})(SID_NAME = {home.sid})))\n",
        encoding="ascii",
    )


def listener_port(home: Home) -> int:
    """The configured port."""
    found = re.search(r"PORT\s*=\s*(\d+)", listener_file(home).read_text(encoding="ascii"))
    if not found:
        raise ValueError(f"no PORT in {listener_file(home)}")
    return int(found[1])
