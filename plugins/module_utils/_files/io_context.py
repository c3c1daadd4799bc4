# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the same for all files that are copied or verified together.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.bandwidth import Bandwidth
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import BlockFault
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import FileLayer, OsFileLayer


def never() -> bool:
    """Cancelled by nobody."""
    return False


def ignore(_value: object) -> None:
    """News that nobody wants to hear."""


@dataclass(frozen=True)
class IoContext:
    """How files are read and written, by which limits, and who is told.

    ``progress`` gets the bytes done since its last call, ``bad_blocks`` every block that stayed bad, and
    ``cancelled`` is asked before every buffer; all are called from any stream. ``accelerator``: ``auto``,
    ``numpy`` or ``none``. ``pause`` is what waits before a torn block is read again.
    """

    files: FileLayer = field(default_factory=OsFileLayer)
    progress: Callable[[int], None] = ignore
    bad_blocks: Callable[[Sequence[BlockFault]], None] = ignore
    cancelled: Callable[[], bool] = never
    bandwidth: Bandwidth | None = None
    accelerator: str = "auto"
    pause: Callable[[float], None] = time.sleep

    def spend(self, count: int, meanwhile: Callable[[], None]) -> None:
        """Wait until so many more bytes fit the limit, if there is one; ``meanwhile`` may raise."""
        if self.bandwidth is not None:
            self.bandwidth.take(count, meanwhile)
