# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a database's runs keep their local state on its host. Private to the collection.

The folder is on the database host, never in the backup destination: its lock must be a local one.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import make_private_folder


@dataclass(frozen=True)
class StateFolder:
    """Names inside one database's state folder; nothing is touched until :meth:`create`."""

    root: Path

    @classmethod
    def of_database(cls, unique_name: str, state_dir: str | None = None) -> StateFolder:
        """``state_dir``, or the default place in the home of the user who runs the modules."""
        return cls(Path(state_dir) if state_dir else Path.home() / ".hotbackup" / unique_name)

    @property
    def lease_path(self) -> Path:
        return self.root / "lease"

    @property
    def restore_lease_path(self) -> Path:
        return self.root / "restore_lease"

    @property
    def restore_status_path(self) -> Path:
        return self.root / "restore_status.json"

    @property
    def status_path(self) -> Path:
        return self.root / "status.json"

    def runtime_folder(self, set_id: str) -> Path:
        """The code and the log of a set's runner."""
        return self.root / "runtime" / set_id

    def code_folder(self, set_id: str) -> Path:
        return self.runtime_folder(set_id) / "code"

    def log_path(self, set_id: str) -> Path:
        return self.runtime_folder(set_id) / "runner.log"

    def forget_old_runs(self, set_id: str, keep: int = 5) -> None:
        """Remove code and logs of older sets than the newest ``keep``, never those of ``set_id``. For the
        holder of the lease: nothing runs from the others then. Not flushed: what a crash brings back is removed by a
        later run, and whoever starts from such a folder compares its code first.
        """
        others = sorted(path for path in (self.root / "runtime").glob("*") if path.name != set_id)
        for path in others[: max(0, len(others) + 1 - keep)]:
            shutil.rmtree(path, ignore_errors=True)

    def create(self) -> None:
        """Make the folder, or accept an existing one that only its owner can change.

        Code is executed from below it, so a folder that somebody else may write to is refused with
        PreconditionError. Raises BackupError if it cannot be made.
        """
        make_private_folder(self.root)
        status = self.root.stat()
        if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PreconditionError(
                f"State folder {self.root} belongs to user id {status.st_uid} with mode "
                f"{stat.S_IMODE(status.st_mode):04o}; it must belong to user id {os.geteuid()} "
                "and be writable by nobody else.",
                hint="Correct its owner and mode, or choose another state_dir.",
            )
