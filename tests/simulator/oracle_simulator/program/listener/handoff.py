# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handing a client's connection from the listener to an instance: its socket goes over a Unix socket."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from oracle_simulator.program.local_socket import short_path

_MAX_ADDRESS = 256


def hand_over(path: Path, client: socket.socket, address: str) -> None:
    """Give a client to the instance that receives at ``path``. Raises OSError when nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        with short_path(path) as name:
            channel.connect(name)
        socket.send_fds(channel, [address.encode()], [client.fileno()])
        # The instance answers when it has the client: until then the listener must keep it open.
        if channel.recv(1) != b"+":
            raise ConnectionAbortedError(f"{path}: the instance went away")


class Receiver:
    """The instance's end: ``adopt(socket, address)`` takes each client."""

    def __init__(self, path: Path, adopt: Callable[[socket.socket, str], None]) -> None:
        self._path = path
        self._adopt = adopt

    def start(self) -> None:
        """Bind the socket, its owner's alone, and receive in a thread of its own."""
        self._path.unlink(missing_ok=True)  # left by a process that was killed
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with short_path(self._path) as name:
            listening.bind(name)
        self._path.chmod(0o600)
        listening.listen(128)
        threading.Thread(target=self._run, args=(listening,), name="handoff", daemon=True).start()

    def stop(self) -> None:
        """Nobody finds the socket any more."""
        self._path.unlink(missing_ok=True)

    def _run(self, listening: socket.socket) -> None:
        while True:
            channel, _peer = listening.accept()
            with channel, contextlib.suppress(OSError):
                address, descriptors, _flags, _sender = socket.recv_fds(channel, _MAX_ADDRESS, 1)
                if descriptors:
                    self._adopt(socket.socket(fileno=descriptors[0]), address.decode())
                    channel.sendall(b"+")
