# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listener itself: accepts clients, reads what they ask for, and refuses them or hands them over."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from oracle_simulator.instance.home import Home
from oracle_simulator.net.connection import CONNECT_TIMEOUT_S
from oracle_simulator.net.listener import Listener
from oracle_simulator.net.packets import Channel, PacketType, receive_connect, refuse_body
from oracle_simulator.net.wire import ProtocolError
from oracle_simulator.program.listener.configuration import ListenerHome
from oracle_simulator.program.listener.handoff import hand_over
from oracle_simulator.program.listener.idle_server import IdleServer
from oracle_simulator.program.listener.services import Refusal, Registration, StaticService, Status, route
from oracle_simulator.program.local_socket import short_path

_HANDOFF_FAILED = 12518


@dataclass(frozen=True)
class Mood:
    """The faults of a listener: it accepts and says nothing until they are ``over``, or refuses everybody with
    one TNS error."""

    silent: bool = False
    refuse: int | None = None
    over: threading.Event = field(default_factory=threading.Event)


class TnsListener:
    """A listener of the folder ``where``; ``run`` returns when it was told to stop."""

    def __init__(self, where: ListenerHome, port: int, static: Sequence[StaticService]) -> None:
        self._where = where
        self._port = port
        self._static = static
        self._registered: dict[object, Registration] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._mood = Mood()
        self._idle = Listener(IdleServer(), log=self._log)

    def run(self) -> None:
        """Listen until stopped. Raises OSError when the port is taken."""
        with socket.create_server(("127.0.0.1", self._port), backlog=128) as clients:
            control = self._control_socket()
            self._where.pid_file.write_text(str(os.getpid()), encoding="ascii")
            threading.Thread(target=self._accept, args=(clients,), name="accept", daemon=True).start()
            threading.Thread(
                target=self._accept_control, args=(control,), name="control", daemon=True
            ).start()
            self._log(f"Listening on 127.0.0.1:{self._port}")
            self._stopped.wait()
        self._where.socket.unlink(missing_ok=True)
        self._where.pid_file.unlink(missing_ok=True)

    def _log(self, text: str) -> None:
        line = f"{datetime.now().isoformat(timespec='milliseconds')} {text}\n"
        with contextlib.suppress(OSError), self._where.log.open("a", encoding="utf-8") as stream:
            stream.write(line)

    # ------------------------------------------------------------ clients

    def _accept(self, clients: socket.socket) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(OSError):
                client, peer = clients.accept()
                address = f"{peer[0]}:{peer[1]}"
                threading.Thread(
                    target=self._serve, args=(client, address), name=address, daemon=True
                ).start()

    def _serve(self, client: socket.socket, address: str) -> None:
        with client:
            try:
                self._answer_connect(client, address)
            except TimeoutError:
                self._log(
                    f"{address}: TNS-12525: TNS:listener has not received client's request in time allowed"
                )
            except (ProtocolError, ValueError, IndexError) as error:
                self._log(f"{address}: TNS-12592: TNS:bad packet ({error})")
            except OSError as error:
                self._log(f"{address}: lost: {error}")

    def _answer_connect(self, client: socket.socket, address: str) -> None:
        mood = self._mood
        if mood.silent:
            self._log(f"{address}: * silence")
            mood.over.wait()
            return
        channel = Channel(client, time.monotonic() + CONNECT_TIMEOUT_S)
        request = receive_connect(channel)
        if request is None:
            return
        service, sid = request.item("SERVICE_NAME"), request.item("SID")
        code = mood.refuse or self._send_on(client, address, service, sid)
        self._log(f"{address}: * establish * service {service!r} SID {sid!r} * {code}")
        if code:
            channel.send(PacketType.REFUSE, refuse_body(code))

    def _send_on(self, client: socket.socket, address: str, service: str | None, sid: str | None) -> int:
        """Hand the client over; the TNS error when that isn't possible, else 0."""
        with self._lock:
            where = route(service, sid, tuple(self._registered.values()), self._static)
        if isinstance(where, Refusal):
            return where.code
        if isinstance(where, Registration):
            try:
                hand_over(where.handoff, client, address)
            except OSError:
                return _HANDOFF_FAILED
            return 0
        try:
            hand_over(Home(where.home, where.sid).handoff_socket, client, address)
        except OSError:
            self._idle.adopt(client.dup(), address)
        return 0

    # ------------------------------------------------------------ instances and administrators

    def _control_socket(self) -> socket.socket:
        self._where.socket.unlink(missing_ok=True)  # left by a process that was killed; the port is the lock
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with short_path(self._where.socket) as name:
            control.bind(name)
        self._where.socket.chmod(0o600)
        control.listen(64)
        return control

    def _accept_control(self, control: socket.socket) -> None:
        while True:
            connection, _peer = control.accept()
            threading.Thread(target=self._converse, args=(connection,), name="control", daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        key = object()
        with connection, contextlib.suppress(OSError), connection.makefile("rwb") as stream:
            for line in stream:
                answer = self._answer(key, json.loads(line))
                stream.write(json.dumps(answer).encode() + b"\n")
                stream.flush()
                if answer.get("stopping"):
                    self._stopped.set()
        with self._lock:
            gone = self._registered.pop(key, None)
        if gone is not None:
            self._log(f"service_died * {gone.instance}")

    def _answer(self, key: object, request: dict[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "register":
                entry = Registration(
                    request["instance"],
                    frozenset(request["services"]),
                    Status(request["status"]),
                    Path(request["handoff"]),
                )
                with self._lock:
                    known, self._registered[key] = self._registered.get(key), entry
                if known != entry:
                    self._log(f"service_update * {entry.instance} * {entry.status}")
                return {}
            case "status":
                return self._status()
            case "fault":
                before, self._mood = self._mood, Mood(bool(request.get("silent")), request.get("refuse"))
                before.over.set()
                return {}
            case "stop":
                return {"stopping": True}
        return {
            "error": {
                "code": 1150,
                "lines": ["TNS-01150: The address of the specified listener is incorrect"],
            }
        }

    def _status(self) -> dict[str, Any]:
        with self._lock:
            dynamic = sorted(self._registered.values(), key=lambda entry: entry.instance)
        return {
            "port": self._port,
            "pid": os.getpid(),
            "services": [
                *(
                    {"service": name, "instance": entry.instance, "status": str(entry.status)}
                    for entry in dynamic
                    for name in sorted(entry.services)
                ),
                *(
                    {"service": entry.global_name, "instance": entry.sid, "status": "UNKNOWN"}
                    for entry in self._static
                ),
            ],
        }
