# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a listener: listener.ora, where it is reached, and what it logs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oracle_simulator.program.listener.services import StaticService

_STATIC = re.compile(r"\(\s*SID_DESC\s*=((?:\s*\([^()]*\))*)", re.IGNORECASE)


@dataclass(frozen=True)
class ListenerHome:
    """The folder of a listener: an ORACLE_HOME, or any folder when several databases share it."""

    root: Path

    @property
    def file(self) -> Path:
        """listener.ora."""
        return self.root / "network" / "admin" / "listener.ora"

    @property
    def socket(self) -> Path:
        """Where instances register and administrators ask."""
        return self.root / "network" / "listener.sock"

    @property
    def pid_file(self) -> Path:
        return self.root / "network" / "listener.pid"

    @property
    def log(self) -> Path:
        return self.root / "network" / "listener.log"

    def write(self, port: int, static: Sequence[StaticService] = ()) -> None:
        """Configure the listener: loopback only."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        descriptions = "".join(
            f"    (SID_DESC = (GLOBAL_DBNAME = {entry.global_name})(SID_NAME = {entry.sid})"
            f"(ORACLE_HOME = {entry.home}))\n"
            for entry in static
        )
        address = f"(ADDRESS = (PROTOCOL = TCP)(HOST = 127.0.0.1)(PORT = {port}))"
        listed = f"SID_LIST_LISTENER =\n  (SID_LIST =\n{descriptions}  )\n" if static else ""
        self.file.write_text(f"LISTENER =\n  (DESCRIPTION =\n    {address})\n{listed}", encoding="utf-8")

    def port(self) -> int:
        """The configured port. Raises ValueError, OSError."""
        found = re.search(r"PORT\s*=\s*(\d+)", self.file.read_text(encoding="utf-8"))
        if not found:
            raise ValueError(f"no PORT in {self.file}")
        return int(found[1])

    def static_services(self) -> list[StaticService]:
        """SID_LIST_LISTENER; the ORACLE_HOME is this folder unless it is given."""
        return [
            StaticService(
                _item(description, "GLOBAL_DBNAME") or _item(description, "SID_NAME"),
                _item(description, "SID_NAME"),
                Path(_item(description, "ORACLE_HOME") or self.root),
            )
            for description in _STATIC.findall(self.file.read_text(encoding="utf-8"))
        ]


def _item(description: str, name: str) -> str:
    found = re.search(rf"\(\s*{name}\s*=\s*([^()]*?)\s*\)", description, re.IGNORECASE)
    return found[1] if found else ""
