# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client has sent and its worker has not read yet, in order."""

from __future__ import annotations

import threading
from queue import SimpleQueue

from oracle_simulator.net.packets import MarkerKind

ROOM = 4 * 1024 * 1024
"""Bytes that may wait. A client that sends on while its call runs then waits itself, as it would for a server
process that does not read: it must not fill our memory."""

_OVERHEAD = 64

Item = bytes | MarkerKind | None
"""DATA, a marker, or None for the end."""


class Inbox:
    """One thread puts, another takes."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._items: SimpleQueue[Item] = SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._has_room = threading.Event()
        self._has_room.set()
        self._closed = False

    def put(self, item: bytes | MarkerKind) -> None:
        """Returns only when there is room for more, or nobody takes any more."""
        with self._lock:
            self._waiting += _size(item)
            if self._waiting > self._room and not self._closed:
                self._has_room.clear()
        self._items.put(item)
        self._has_room.wait()

    def end(self) -> None:
        """Nothing more will be put."""
        self._items.put(None)

    def take(self) -> Item:
        """Waits for the next item."""
        item = self._items.get()
        if item is not None:
            with self._lock:
                self._waiting -= _size(item)
                if self._waiting <= self._room and not self._has_room.is_set():
                    self._has_room.set()
        return item

    def close(self) -> None:
        """Nobody takes any more: whoever waits for room may go."""
        with self._lock:
            self._closed = True
            self._has_room.set()


def _size(item: bytes | MarkerKind) -> int:
    return _OVERHEAD + (len(item) if isinstance(item, bytes) else 0)
