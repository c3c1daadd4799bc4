# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One datafile, one copy in the set: what an earlier run stored in another form goes. Private to the collection."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import COMPRESSIONS
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.os_errors import explained
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.staging import PARTIAL_SUFFIX


def remove_other_forms(layout: SetLayout, file_number: int, source: str, kept: Path) -> None:
    """Remove the copies of a file that compression of another kind has made or begun; ``kept`` is in the journal.

    The set is unfinished and ours, as with a copy that is replaced under its own name. Not flushed: a form that a
    crash brings back costs room and nothing else, as journal and manifest name only the one that is kept, which
    is on stable storage. Raises BackupError.
    """
    for compression in COMPRESSIONS:
        path = layout.datafile_path(file_number, source, compression)
        if path != kept:
            with explained(f"Failed to remove {path}, which {kept} replaces"):
                path.unlink(missing_ok=True)
                path.with_name(path.name + PARTIAL_SUFFIX).unlink(missing_ok=True)
