# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listening socket and the connections made through it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from oracle_simulator.net.backend import Backend
from oracle_simulator.net.connection import CONNECT_TIMEOUT_S, EXPIRE_TIME_S, Connection

MAX_CONNECTIONS = 600
"""At once: more than an instance has sessions, fewer than it has descriptors. Whoever only connects must not
take away those that the log writer needs."""

_BACKLOG = 128
_JOIN_S = 5.0
_LAST_ANSWERS_S = 2.0
_NO_HANDLER = 12516


class Listener:
    """Serves ``backend`` to Oracle Net clients. ``log`` gets one text per event, from any thread.

    ``port`` 0 takes a free one, known after :meth:`start`. Clients have ``connect_timeout`` seconds to log on;
    from ``most`` connections on they are refused with TNS-12516.
    """

    def __init__(
        self,
        backend: Backend,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Callable[[str], None] = print,
        connect_timeout: float = CONNECT_TIMEOUT_S,
        most: int = MAX_CONNECTIONS,
        expire_time: float = EXPIRE_TIME_S,
    ) -> None:
        self._backend = backend
        self._most = most
        self._connect_timeout = connect_timeout
        self._expire_time = expire_time
        self._host = host
        self._port = port
        self._log = log
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._stopped = False
        self._connections: dict[Connection, threading.Thread] = {}

    @property
    def port(self) -> int:
        """The port listened on."""
        return self._port

    def start(self) -> None:
        """Begin to accept connections, also again after :meth:`stop_accepting`, on the same port.
        OSError when the port is taken."""
        with self._lock:
            if self._socket is not None:
                return
            listening = socket.create_server((self._host, self._port), backlog=_BACKLOG)
            self._socket = listening
            self._port = listening.getsockname()[1]
        threading.Thread(
            target=self._accept, args=(listening,), name=f"net-listen {self._port}", daemon=True
        ).start()

    def stop_accepting(self) -> None:
        """Close the listening socket; connections stay."""
        with self._lock:
            listening, self._socket = self._socket, None
        if listening is not None:
            # Closing alone does not wake the thread in accept().
            try:
                listening.shutdown(socket.SHUT_RDWR)
            finally:
                listening.close()

    def disconnect(self, session_id: int | None = None) -> None:
        """Cut the connection of one session, or all connections, also in the middle of a call. Does not
        wait: their sessions are closed by their own threads."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            if session_id is None or connection.session_id == session_id:
                connection.close()

    def stop(self) -> None:
        """Stop accepting, cut all connections and wait a few seconds for their threads: not for the own
        one, so that a statement may stop the listener it came through. Who waits for an answer may get one
        before, if it comes at once: that the instance is gone."""
        self.stop_accepting()
        self._let_answer()
        with self._lock:
            self._stopped = True
            threads = list(self._connections.values())
        self.disconnect()
        deadline = time.monotonic() + _JOIN_S
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(deadline - time.monotonic(), 0))

    def _let_answer(self) -> None:
        deadline = time.monotonic() + _LAST_ANSWERS_S
        with self._lock:
            connections = list(self._connections)
        while any(connection.answering for connection in connections) and time.monotonic() < deadline:
            time.sleep(0.005)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                sock, peer = listening.accept()
            except OSError as error:
                if self._socket is listening:
                    self._log(f"accept failed: {error}")
                    time.sleep(0.1)  # out of descriptors, most likely: they come back
                    continue
                return
            self._serve(sock, f"{peer[0]}:{peer[1]}", listening)

    def adopt(self, sock: socket.socket, address: str) -> None:
        """Serve a client that another listener has accepted and hands over."""
        self._serve(sock, address, None)

    def _serve(self, sock: socket.socket, address: str, listening: socket.socket | None) -> None:
        connection = Connection(
            sock,
            address,
            self._backend,
            self._log,
            self._connect_timeout,
            handed_over=listening is None,
            expire_time=self._expire_time,
        )
        thread = threading.Thread(target=self._run, args=(connection,), name=f"net {address}", daemon=True)
        with self._lock:
            if self._stopped or (listening is not None and self._socket is not listening):
                sock.close()
                return
            is_full = len(self._connections) >= self._most
            if not is_full:
                self._connections[connection] = thread
        if is_full:
            self._log(f"{address}: refused with TNS-{_NO_HANDLER}: {self._most} connections")
            connection.refuse(_NO_HANDLER)
        else:
            thread.start()

    def _run(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            with self._lock:
                del self._connections[connection]
