# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fast recovery area: names its files get, and the space it believes to be used.

The books are the control file's, not the file system's: a file deleted by an operating system command goes on
filling the area until RMAN finds it missing (Backup and Recovery User's Guide, "Managing Space in the Fast
Recovery Area"). Names follow Oracle-managed files (Administrator's Guide, "How Oracle-managed files are
named").
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.storage.managed_names import unique_part

if TYPE_CHECKING:
    from oracle_simulator.instance.control_file.control import ArchivedLogRecord
    from oracle_simulator.instance.instance import Instance

CONTROL_FILE, REDO_LOG, ARCHIVED_LOG = "CONTROL FILE", "REDO LOG", "ARCHIVED LOG"
_WARN_PERCENT = 85
_CHOICES = (
    "************************************************************************",
    "You have following choices to free up space from recovery area:",
    "1. Consider changing RMAN RETENTION POLICY.",
    "2. Back up files to tertiary device such as tape using RMAN BACKUP RECOVERY AREA command.",
    "3. Add disk space and increase db_recovery_file_dest_size parameter to reflect the new space.",
    "4. Delete unnecessary files using RMAN DELETE command. If an operating system command was used to",
    "   delete files, then use RMAN CROSSCHECK and DELETE EXPIRED commands.",
    "************************************************************************",
)


@dataclass(frozen=True)
class FileTypeUsage:
    """What one type of files takes of the area, in bytes, and how many files these are."""

    file_type: str
    used: int = 0
    reclaimable: int = 0
    files: int = 0


class RecoveryArea:
    """DB_RECOVERY_FILE_DEST of an instance. Its methods are called under the latch."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    @property
    def folder(self) -> Path | None:
        """DB_RECOVERY_FILE_DEST; None without an area."""
        text = self._instance.parameters.get("db_recovery_file_dest")
        return Path(text) if text else None

    @property
    def limit(self) -> int:
        """DB_RECOVERY_FILE_DEST_SIZE in bytes."""
        return self._instance.parameters.integer("db_recovery_file_dest_size")

    def usage(self) -> list[FileTypeUsage]:
        """What fills the area, by type of file."""
        control = self._instance.control
        logs = [log for log in control.archived_logs if log.in_recovery_area and not log.deleted]
        backed_up = [log for log in logs if log.backup_count]
        members = [
            group.size_bytes + group.block_size
            for group in control.redo_groups
            for member in group.members
            if self.holds(member)
        ]
        copies = [path for path in self._instance.parameters.control_files if self.holds(path)]
        return [
            FileTypeUsage(CONTROL_FILE, sum(path.stat().st_size for path in copies), 0, len(copies)),
            FileTypeUsage(REDO_LOG, sum(members), 0, len(members)),
            FileTypeUsage(ARCHIVED_LOG, _size(logs), _size(backed_up), len(logs)),
        ]

    def holds(self, path: Path | str) -> bool:
        """Whether a file lies in the area (V$ columns IS_RECOVERY_DEST_FILE)."""
        return self.folder is not None and Path(path).is_relative_to(self.folder)

    def make_room(self, size: int) -> list[ArchivedLogRecord]:
        """Let ``size`` bytes more fit, giving up logs that RMAN has backed up; returns those, marked deleted.

        Raises ORA-19809 with ORA-19804 when that is not enough. The caller deletes the files.
        """
        used = sum(each.used for each in self.usage())
        given_up = []
        for log in self._instance.control.archived_logs:
            if used + size <= self.limit:
                break
            if log.in_recovery_area and not log.deleted and log.backup_count:
                used -= _size([log])
                given_up.append(log)
        if used + size > self.limit:
            self.warn()
            text = f"cannot reclaim {size} bytes disk space from {self.limit} bytes limit"
            raise OracleError(19809, "limit exceeded for recovery files", (19804, text))
        return given_up

    def warn(self) -> None:
        """ORA-19815 in the alert log when little is left. Oracle repeats it whenever it looks."""
        used = sum(each.used - each.reclaimable for each in self.usage())
        if not self.limit or used * 100 < self.limit * _WARN_PERCENT:
            return
        share = f"{used / self.limit:.2%} used, and has {max(0, self.limit - used)}"
        text = (
            f"WARNING: db_recovery_file_dest_size of {self.limit} bytes is {share} remaining bytes available."
        )
        self._instance.log.error(OracleError(19815, text))
        self._instance.log.write(*_CHOICES)

    # ------------------------------------------------------------ names

    def archived_log_name(self, thread: int, sequence: int) -> Path:
        """A name for a new archived log; its folder is made when it is not there. Raises OSError."""
        while True:
            path = self._archived_log_path(thread, sequence, unique_part())
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                return path

    def suggested_log_name(self, thread: int, sequence: int) -> Path:
        """What ORA-00289 suggests: nobody knows the unique part, so it stays a placeholder."""
        return self._archived_log_path(thread, sequence, "%u")

    def _archived_log_path(self, thread: int, sequence: int, unique: str) -> Path:
        assert self.folder is not None  # only destinations in the area ask
        database = self.folder / self._instance.parameters.db_unique_name.upper()
        day = self._instance.wall_clock.now().strftime("%Y_%m_%d")
        return database / "archivelog" / day / f"o1_mf_{thread}_{sequence}_{unique}_.arc"


def _size(logs: list[ArchivedLogRecord]) -> int:
    return sum((log.blocks + 1) * log.block_size for log in logs)
