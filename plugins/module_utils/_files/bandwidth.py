# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit on bytes per second that all streams share.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

# What was not used while streams were busy with something else may be made up for, so that the limit is reached: so
# much time, or one buffer. More would be a burst: no second may have a twentieth more than its share.
_CREDIT_SECONDS = 0.05
# How long nobody looks whether the wait is still wanted.
_SLICE_SECONDS = 0.2


class Bandwidth:
    """Hands out bytes, each stream's in turn. Raises ValueError unless ``bytes_per_second`` is positive."""

    def __init__(
        self,
        bytes_per_second: int,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if bytes_per_second <= 0:
            raise ValueError("a bandwidth is at least one byte a second")
        self._bytes_per_second = bytes_per_second
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        self._spent_until = monotonic()

    def take(self, count: int, meanwhile: Callable[[], None]) -> None:
        """Return when ``count`` more bytes fit the limit; ``meanwhile`` is called often and may raise."""
        seconds = count / self._bytes_per_second
        with self._lock:
            earliest = max(self._spent_until, self._monotonic() - max(seconds, _CREDIT_SECONDS))
            ready = self._spent_until = earliest + seconds
        while (left := ready - self._monotonic()) > 0:
            meanwhile()
            self._sleep(min(left, _SLICE_SECONDS))
