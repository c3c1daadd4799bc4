# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of one database and its instance are by default: a small ORACLE_HOME of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    """An ORACLE_HOME with one database in it. ``root`` is absolute; ``sid`` is the ORACLE_SID."""

    root: Path
    sid: str

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    @property
    def dbs(self) -> Path:
        return self.root / "dbs"

    @property
    def parameter_file(self) -> Path:
        return self.dbs / f"init{self.sid}.ora"

    @property
    def password_file(self) -> Path:
        return self.dbs / f"orapw{self.sid}"

    @property
    def admin_socket(self) -> Path:
        return self.dbs / f"sim{self.sid}.sock"

    @property
    def handoff_socket(self) -> Path:
        """Where a listener of its own hands clients over."""
        return self.dbs / f"net{self.sid}.sock"

    @property
    def double_write_file(self) -> Path:
        return self.dbs / "double_write"

    @property
    def recovery_double_write_file(self) -> Path:
        """As the double-write file, for recovery, which may run beside the database writer."""
        return self.dbs / "double_write_recovery"

    @property
    def unsynced_folder(self) -> Path:
        """What a power failure would take back (instance/faults/unsynced.py)."""
        return self.dbs / "unsynced"

    @property
    def pid_file(self) -> Path:
        return self.dbs / "instance.pid"

    @property
    def snapshot_control_file(self) -> Path:
        """Default of RMAN's CONFIGURE SNAPSHOT CONTROLFILE NAME."""
        return self.dbs / f"snapcf_{self.sid}.f"

    @property
    def mount_lock(self) -> Path:
        """Held with flock while an instance has the database mounted."""
        return self.dbs / f"lk{self.sid}"

    @property
    def datafile_folder(self) -> Path:
        return self.root / "oradata" / self.sid

    @property
    def control_files(self) -> tuple[Path, ...]:
        """Default value of the parameter ``control_files``."""
        return (self.datafile_folder / "control01.ctl", self.datafile_folder / "control02.ctl")

    @property
    def redo_folder(self) -> Path:
        return self.root / "redo" / self.sid

    @property
    def archive_folder(self) -> Path:
        return self.root / "archive" / self.sid

    @property
    def trace_folder(self) -> Path:
        """``V$DIAG_INFO`` "Diag Trace"."""
        return self.root / "diag" / "trace"

    @property
    def alert_log(self) -> Path:
        return self.trace_folder / f"alert_{self.sid}.log"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder a new home needs."""
        return (
            self.bin,
            self.dbs,
            self.datafile_folder,
            self.redo_folder,
            self.archive_folder,
            self.trace_folder,
        )
