# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How copying shares a machine with everything else on it. Private to the collection.

Nothing here changes what a set holds: it may differ between the runs of one set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.limits import (
    NO_LIMIT_AT_ZERO,
    POSITIVE,
    Limit,
)

DEFAULT_BUFFER_BYTES = 2 * 1024 * 1024
STREAMS = POSITIVE
BUFFER_BYTES = Limit(64 * 1024, 64 * 1024 * 1024, step=64 * 1024)
BYTES_PER_SECOND = NO_LIMIT_AT_ZERO
NICE = Limit(0, 19)


@dataclass(frozen=True)
class CopyTuning:
    """``buffer_bytes`` is the size of each of a stream's three buffers. ``max_bytes_per_second`` is shared by all
    streams, 0 for no limit. ``nice`` and ``io_class`` are the priority of the threads that copy; ``io_class`` is
    ``best_effort``, ``idle``, or None to leave it alone. ``reflink`` shares blocks where the file system can.
    """

    streams: int = 4
    buffer_bytes: int = DEFAULT_BUFFER_BYTES
    max_bytes_per_second: int = 0
    nice: int = 0
    io_class: str | None = None
    reflink: bool = False

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> CopyTuning:
        """From a module's options of the same names, within the limits above; ``reflink`` is not offered by all."""
        return cls(
            streams=options["streams"],
            buffer_bytes=options["buffer_bytes"],
            max_bytes_per_second=options["max_bytes_per_second"],
            nice=options["nice"],
            io_class=options["io_class"],
            reflink=options.get("reflink", False),
        )
