# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove a set, on explicit demand. The redo store, which other sets share, is left alone.

Private to the collection.
"""

from __future__ import annotations

import shutil

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import (
    fsync_folder,
    remove_for_good,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import (
    FileLayer,
    OsFileLayer,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.os_errors import explained
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.preflight import read_state

_OS = OsFileLayer()


def require_removable(layout: SetLayout, confirm: str | None) -> None:
    """Raise PreconditionError unless ``confirm`` names the set and nothing needs it any more."""
    if confirm != layout.set_id:
        raise PreconditionError(
            f"Set {layout.set_id} is removed only if confirm names it; confirm is {confirm!r}.",
            hint=f"Set confirm to {layout.set_id} to remove {layout.set_folder} with everything in it.",
        )
    if layout.set_folder.is_symlink():
        raise PreconditionError(f"{layout.set_folder} is a symbolic link, which no set is.")
    windows = read_state(layout).open_windows
    if windows:
        raise PreconditionError(
            f"The journal of set {layout.set_id} is the only proof that {windows[0].tablespace} was put in backup mode "
            "by us, and not that it was taken out.",
            hint="Run the set again or the playbook end_stale_backup_mode first.",
        )


def remove_set(layout: SetLayout, files: FileLayer = _OS) -> None:
    """Remove the folder of a set; what is left of it after a failure or a crash is never taken for a backup.

    Raises BackupError; the same call can be made again then.
    """
    # No manifest may come back to files that are gone: the first of them goes when it is off stable storage.
    remove_for_good(layout.manifest_path, files)
    with explained(f"Failed to remove {layout.set_folder}"):
        # In any order, none flushed: without the manifest it is an unfinished set, whose journal is not believed
        # about a copy that is not there.
        shutil.rmtree(layout.set_folder)
    fsync_folder(layout.set_folder.parent, files)
