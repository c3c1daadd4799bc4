# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, finding and killing the process that is an instance."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from oracle_simulator.instance.home import Home
from oracle_simulator.program.local_socket import LocalConnection, NoInstance

#: Starts the server process of a home and returns its pid.
Launch = Callable[[Home], int]
#: An instance's files are its owner's alone.
SERVER_UMASK = 0o077


class StartFailed(Exception):
    """The server process ended before it listened."""


def server_log(home: Home) -> Path:
    """What the server process prints: only what goes wrong before there is an alert log."""
    return home.trace_folder / "server.log"


def has_ended(pid: int) -> bool:
    """Whether nothing is left of a process.

    One that ends gives its memory back first (its command line is then empty) and its files later, thread by
    thread: until then its port is taken and its locks are held.
    """
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX" and threads <= 1


def is_server(pid: int, *words: bytes) -> bool:
    """Whether a process is, or is about to have been, one of ours with these words in its command line."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    if command == [b""]:
        return not has_ended(pid)
    return all(word in command for word in words)


def running_pid(home: Home) -> int | None:
    """Process id of the running instance, or None.

    The pid file alone proves nothing, and is left where it is: the process must be a server of this very
    home. While it is ending it still runs.
    """
    try:
        pid = int(home.pid_file.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return pid if is_server(pid, str(home.root).encode(), b"serve") else None


def is_running(home: Home) -> bool:
    """Whether the instance's process lives."""
    return running_pid(home) is not None


def start(home: Home, timeout_seconds: float = 30.0, launch: Launch | None = None) -> int:
    """Start the instance (NOMOUNT) in a process of its own and wait until it listens; returns its pid."""
    server_log(home).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pid = (launch or launch_program)(home)
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if has_ended(pid):
            tail = server_log(home).read_text(encoding="utf-8", errors="replace").splitlines()[-1:]
            raise StartFailed(f"instance {home.sid} did not start: {' '.join(tail)} (see {server_log(home)})")
        with contextlib.suppress(NoInstance), LocalConnection(home.admin_socket) as connection:
            connection.ask("status")
            return pid
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    raise StartFailed(f"instance {home.sid} did not listen within {timeout_seconds:.0f} s")


def launch_program(home: Home) -> int:
    """The server as a program of its own; returns its pid."""
    with open_server_log(home) as log:
        return subprocess.Popen(
            [sys.executable, "-m", "oracle_simulator", *server_words(home)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=home.root,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            start_new_session=True,
            umask=SERVER_UMASK,
        ).pid


def server_words(home: Home) -> list[str]:
    """What the command line of an instance says, by which it is found."""
    return ["serve", str(home.root), "--sid", home.sid]


def open_server_log(home: Home) -> BinaryIO:
    """The server's log, to be written at its end."""
    return open(os.open(server_log(home), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def crash(home: Home) -> None:
    """SIGKILL: the instance gets no chance to do anything."""
    pid = running_pid(home)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(home)


def wait_until_gone(home: Home, timeout_seconds: float = 30.0) -> None:
    """Return when the process has ended. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_seconds
    while is_running(home):
        if time.monotonic() > deadline:
            raise TimeoutError(f"instance {home.sid} is still running after {timeout_seconds:.0f} s")
        time.sleep(0.01)
