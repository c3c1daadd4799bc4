# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much the threads that move bytes give way to the database.

Only they are slowed down: the thread that ends backup mode keeps the priority it was started with.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.linux import set_io_priority

IO_CLASSES = {"best_effort": 2, "idle": 3}
LOWEST_LEVEL = 7


@dataclass(frozen=True)
class Priority:
    """``nice`` is 0 to 19, the larger the more modest. ``io_class`` is ``best_effort`` (at its last level, 7),
    ``idle`` (only when nobody else wants the disk), or None to leave it as it is.
    """

    nice: int = 0
    io_class: str | None = None

    def apply(self) -> None:
        """Give the calling thread this priority. Raises PreconditionError where the system refuses."""
        try:
            if self.nice:
                # Linux keeps nice values for each thread; 0 is the calling one.
                os.setpriority(os.PRIO_PROCESS, 0, self.nice)
            if self.io_class is not None:
                level = 0 if self.io_class == "idle" else LOWEST_LEVEL
                set_io_priority(IO_CLASSES[self.io_class], level)
        except OSError as exc:
            raise PreconditionError(
                f"Failed to lower the priority of the copying threads ({self}): {exc.strerror}.",
                hint="Leave nice and io_class out, or allow them for this operating-system user.",
            ) from exc
