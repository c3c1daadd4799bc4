# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's end of the local socket: sessions as SYS, SHUTDOWN, status and faults."""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import json
import os
import socket
import threading
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import AdminMode, ClientInfo, Result
from oracle_simulator.program.fault_desk import FaultDesk
from oracle_simulator.program.local_socket import error_answer, plain, short_path
from oracle_simulator.program.rman import run_command
from oracle_simulator.sql.engine import Database
from oracle_simulator.sql.session import DatabaseSession

SHUTDOWN_SAID = {
    "abort": ["ORACLE instance shut down."],
    "open": ["Database closed.", "Database dismounted.", "ORACLE instance shut down."],
    "mounted": ["ORA-01109: database not open", "", "Database dismounted.", "ORACLE instance shut down."],
    "started": ["ORA-01507: database not mounted", "", "ORACLE instance shut down."],
}


class LocalServer:
    """Serves the socket until the process ends. ``idle`` tells when no request is being answered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._instance = database.instance
        self._path = database.instance.home.admin_socket
        self._faults = FaultDesk(self._instance, database.sessions)
        self._busy = 0
        self._count = threading.Condition()

    def start(self) -> None:
        """Bind the socket (0600) and serve in threads of its own."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()  # left by a process that was killed; the mount lock guards the database
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with short_path(self._path) as name:
            listening.bind(name)
        self._path.chmod(0o600)
        listening.listen(16)
        threading.Thread(target=self._accept, args=(listening,), name="local-listen", daemon=True).start()

    def stop(self) -> None:
        """Nobody finds the socket any more."""
        self._path.unlink(missing_ok=True)

    def wait_until_idle(self, timeout_seconds: float) -> None:
        """Return when the request that ended the instance has had its answer."""
        with self._count:
            self._count.wait_for(lambda: self._busy == 0, timeout_seconds)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            connection, _address = listening.accept()
            threading.Thread(target=self._serve, args=(connection,), name="local", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        client = ClientInfo(program="sqlplus", os_user=getpass.getuser(), machine=os.uname().nodename)
        session: DatabaseSession | None = None
        with connection, contextlib.suppress(OSError), connection.makefile("rwb") as stream:
            for line in stream:
                with self._one_request():
                    request = json.loads(line)
                    try:
                        if request["do"] == "sql" and session is None:
                            session = self._database.open_session("SYS", AdminMode.SYSDBA, client)
                        answer = self._answer(request, session)
                    except OracleError as error:
                        answer = error_answer(error)
                    stream.write(json.dumps(answer).encode() + b"\n")
                    stream.flush()
        if session is not None:
            session.close()

    @contextlib.contextmanager
    def _one_request(self) -> Any:
        with self._count:
            self._busy += 1
        try:
            yield
        finally:
            with self._count:
                self._busy -= 1
                self._count.notify_all()

    def _answer(self, request: dict[str, Any], session: DatabaseSession | None) -> dict[str, Any]:
        what = request["do"]
        if what == "sql" and session is not None:
            return statement_answer(request["text"], session)
        if what == "shutdown":
            return self._shutdown(request["mode"], session)
        if what == "status":
            return self._status()
        if what == "fault":
            return self._set_fault(request)
        if what == "rman":
            return self._rman(request["text"])
        if what == "thread":
            return self._change_thread(request["action"], int(request["number"]))
        if what == "readings":
            return self._take_readings(request["choices"])
        return error_answer(OracleError(900, f"invalid request {what!r}"))

    def _shutdown(self, mode: str, session: DatabaseSession | None) -> dict[str, Any]:
        """SHUTDOWN; in a pluggable database it closes that one, and the instance stays ``up``."""
        if session is not None and session.scope is not None:
            how = {"abort": "ABORT", "normal": ""}.get(mode, "IMMEDIATE")
            session.execute(f"ALTER PLUGGABLE DATABASE CLOSE {how}", (), ())
            return {"said": ["Pluggable Database closed."], "up": True}
        stage = "open" if self._instance.is_open else "mounted" if self._instance.mounted else "started"
        self._database.shutdown(mode)
        return {"said": SHUTDOWN_SAID["abort" if mode == "abort" else stage]}

    def _status(self) -> dict[str, Any]:
        instance = self._instance
        return {
            "sid": instance.home.sid,
            "state": instance.state.value,
            "pid": os.getpid(),
            "scn": instance.clock.current() if instance.mounted else None,
            **self._faults.shown(),
        }

    def _set_fault(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            self._faults.set(request)
        except ValueError as error:
            return error_answer(OracleError(900, str(error)))
        return {"said": "fault set"}

    def _rman(self, text: str) -> dict[str, Any]:
        try:
            return {"said": "\n".join(run_command(self._instance, text))}
        except ValueError as error:
            return error_answer(OracleError(900, str(error)))

    def _change_thread(self, action: str, number: int) -> dict[str, Any]:
        """An instance of the database starts, ends or dies, and with it the use of its redo thread."""
        acts = {
            "open": self._database.start_instance,
            "close": self._database.stop_instance,
            "kill": self._database.kill_instance,
        }
        acts[action](number)
        return {"said": f"thread {number}: {action}"}

    def _take_readings(self, choices: list[str]) -> dict[str, Any]:
        try:
            self._instance.readings = self._instance.readings.chosen(choices)
        except ValueError as error:
            return error_answer(OracleError(900, str(error)))
        return {"said": "\n".join(f"{n}={v}" for n, v in dataclasses.asdict(self._instance.readings).items())}


def statement_answer(text: str, session: DatabaseSession) -> dict[str, Any]:
    """Execute one statement and put its whole result in an answer."""
    result: Result = session.execute(text, (), ())
    if result.columns is None:
        return {"columns": None, "row_count": result.row_count, "said": said_of(text, result.row_count)}
    return {
        "columns": [column.name for column in result.columns],
        "rows": [[plain(value) for value in row] for row in result.rows],
    }


def said_of(text: str, row_count: int) -> str:
    """What SQL*Plus says after a statement that is no query."""
    words = text.upper().split()[:2]
    counted = {"INSERT": "created", "UPDATE": "updated", "DELETE": "deleted"}
    if words[0] in counted:
        return f"{row_count} row{'' if row_count == 1 else 's'} {counted[words[0]]}."
    if words[0] in ("COMMIT", "ROLLBACK"):
        return f"{words[0].title()} complete."
    done = {"CREATE": "created", "ALTER": "altered", "DROP": "dropped", "TRUNCATE": "truncated"}
    if words[0] in done and len(words) > 1:
        what = "Pluggable database" if words[1] == "PLUGGABLE" else words[1].title()
        return f"{what} {done[words[0]]}."
    return "Statement processed."
