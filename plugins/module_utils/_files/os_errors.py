# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operating system's errors, told as ours.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn an OSError into a BackupError: ``what`` failed, the system's text, the name and number of its error."""
    try:
        yield
    except OSError as exc:
        code = errno.errorcode.get(exc.errno or 0, "unknown error")
        raise BackupError(f"{what}: {exc.strerror or exc} ({code}).", details={"errno": exc.errno}) from exc
