# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exclusive right to replace a database's files or to recover them. Private to the collection.

A module outlives a play that was killed. Without the lease it would go on to replace files that the next play has
recovered and opened meanwhile. It is not the lease of backups: the guardian of one waits with that until the
database is back.
"""

from __future__ import annotations

import contextlib
import os
import socket
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timezone

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import LeaseHeld
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.lease import (
    LeaseHolder,
    acquire_lease,
    lease_holder,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder

RESTORE, RECOVERY = "restore", "recovery"


@contextlib.contextmanager
def restore_lease(folder: StateFolder, role: str, set_id: str) -> Iterator[None]:
    """Hold the lease for a ``with`` block; ``role`` is RESTORE or RECOVERY.

    Raises LeaseHeld, naming who has it, PreconditionError for a state folder that cannot be used, BackupError.
    """
    folder.create()
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    holder = LeaseHolder(role, set_id, uuid.uuid4().hex, os.getpid(), socket.gethostname(), now)
    try:
        lease = acquire_lease(folder.restore_lease_path, holder)
    except LeaseHeld as exc:
        other = lease_holder(folder.restore_lease_path)
        if other is None:
            raise
        raise _held(other) from exc
    try:
        yield
    finally:
        lease.close()


def require_no_restore(folder: StateFolder) -> None:
    """Raise LeaseHeld if files are being restored or recovered at this moment; nothing is made or taken."""
    holder = lease_holder(folder.restore_lease_path)
    if holder is not None:
        raise _held(holder)


def _held(holder: LeaseHolder) -> LeaseHeld:
    return LeaseHeld(
        f"The database's files are in other hands: {holder.describe()} is still at work. Nothing was changed.",
        hint=(
            "A module outlives a play that was cut off. Wait until it has ended, or end that process: every file is "
            "replaced as a whole, and the same restore again completes it."
        ),
        details={"lease_holder": asdict(holder)},
    )
