# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LREG: the instance tells the listener of LOCAL_LISTENER what services it offers and how it is.

It registers when it starts, when its state changes, and again from time to time, for a listener that was
started later. The listener sees the end of an instance by the end of the connection.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from oracle_simulator.program.local_socket import LocalConnection, LocalError, NoInstance

_LOOK_SECONDS = 0.25
_REPEAT_LOOKS = 8

_IPC_KEY = re.compile(r"\(\s*KEY\s*=\s*([^()]+?)\s*\)", re.IGNORECASE)


def listener_address(socket_path: Path) -> str:
    """LOCAL_LISTENER for a listener with this control socket."""
    return f"(ADDRESS=(PROTOCOL=IPC)(KEY={socket_path}))"


def listener_socket(address: str) -> Path | None:
    """The control socket that an address names; None for an address that is no such one."""
    found = _IPC_KEY.search(address)
    return Path(found[1]) if found else None


class Registrar:
    """Keeps the listener informed. ``describe`` gives what to say now, ``address`` LOCAL_LISTENER as it is now."""

    def __init__(self, address: Callable[[], str], describe: Callable[[], dict[str, Any]]) -> None:
        self._address = address
        self._describe = describe
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._connection: LocalConnection | None = None
        self._said: dict[str, Any] = {}

    def start(self) -> None:
        """Register, and go on in a thread of its own."""
        self.register()
        threading.Thread(target=self._run, name="LREG", daemon=True).start()

    def stop(self) -> None:
        """Unregister: the listener forgets this instance at once."""
        self._stopping.set()
        with self._lock:
            self._disconnect()

    def register(self) -> bool:
        """Say it now (ALTER SYSTEM REGISTER); returns whether there is a listener."""
        with self._lock:
            if self._stopping.is_set():
                return False
            wish = self._describe()
            for _attempt in range(2):  # the listener may have been restarted since the last time
                try:
                    self._connected().ask("register", **wish)
                except (NoInstance, LocalError):
                    self._disconnect()
                else:
                    self._said = wish
                    return True
            return False

    def _connected(self) -> LocalConnection:
        if self._connection is None:
            path = listener_socket(self._address())
            if path is None:
                raise NoInstance("LOCAL_LISTENER names no listener")
            self._connection = LocalConnection(path)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None

    def _run(self) -> None:
        looks = 0
        while not self._stopping.wait(_LOOK_SECONDS):
            looks += 1
            if looks % _REPEAT_LOOKS == 0 or self._describe() != self._said:
                self.register()
