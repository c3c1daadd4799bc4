# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``simulator listener``: start, stop and ask a listener, and its faults."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from oracle_simulator.program.listener.configuration import ListenerHome
from oracle_simulator.program.local_socket import LocalConnection, NoInstance
from oracle_simulator.program.processes import is_server

_START_SECONDS = 30.0


class ListenerFailed(Exception):
    """The listener's process ended before it listened."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("action", choices=["start", "stop", "status", "fault", "serve"])
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="with network/admin/listener.ora: an ORACLE_HOME, say"
    )
    parser.add_argument("--port", type=int, help="with start: write this into a new listener.ora")
    parser.add_argument("--json", action="store_true", help="with status")
    parser.add_argument("--silent", action="store_true", help="with fault: accept clients and say nothing")
    parser.add_argument(
        "--refuse", type=int, metavar="TNS", help="with fault: refuse everybody (12516, 12520 ...)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The command. 0 done, 1 no listener."""
    where = ListenerHome(options.folder.resolve())
    match options.action:
        case "start":
            if options.port is not None and not where.file.exists():
                where.write(options.port)
            start(where)
        case "stop":
            stop(where)
        case "fault":
            fault(where, silent=options.silent, refuse=options.refuse)
        case "serve":
            return _serve(where)
        case _:
            found = status(where)
            if options.json:
                print(json.dumps(found))
            else:
                print(f"port={found['port']}  pid={found['pid']}")
                for entry in found["services"]:
                    print(
                        f'Service "{entry["service"]}": instance "{entry["instance"]}", status {entry["status"]}'
                    )
    return 0


def start(where: ListenerHome) -> int:
    """Start a listener in a process of its own and wait until it listens; returns its pid. Raises ListenerFailed."""
    where.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(where.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "oracle_simulator", "listener", "serve", str(where.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=where.root,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
            start_new_session=True,
            umask=0o077,
        )
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ListenerFailed(f"the listener did not start: see {where.log}")
        with contextlib.suppress(NoInstance):
            if status(where)["pid"] == process.pid:
                return process.pid
        time.sleep(0.02)
    process.kill()
    raise ListenerFailed(f"the listener did not listen within {_START_SECONDS:.0f} s")


def stop(where: ListenerHome) -> None:
    """Stop a listener; clients it has handed over stay. Raises NoInstance when there is none."""
    pid = status(where)["pid"]
    with LocalConnection(where.socket) as connection:
        connection.ask("stop")
    deadline = time.monotonic() + _START_SECONDS
    while is_server(pid, b"serve") and time.monotonic() < deadline:
        time.sleep(0.01)


def status(where: ListenerHome) -> dict[str, Any]:
    """Port, pid and services. Raises NoInstance."""
    with LocalConnection(where.socket) as connection:
        return connection.ask("status")


def fault(where: ListenerHome, *, silent: bool = False, refuse: int | None = None) -> None:
    """Switch the listener's faults: both off unless asked for. Raises NoInstance."""
    with LocalConnection(where.socket) as connection:
        connection.ask("fault", silent=silent, refuse=refuse)


def _serve(where: ListenerHome) -> int:
    # the wire is loaded by the listener alone
    from oracle_simulator.program.listener.process import TnsListener

    TnsListener(where, where.port(), where.static_services()).run()
    return 0
