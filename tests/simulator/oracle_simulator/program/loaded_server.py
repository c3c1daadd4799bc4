# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that has loaded the server, and splits one off for each instance that is to start.

Loading takes several times as long as everything else a start does. That matters to nobody but tests, which start
instances by the hundred. What is split off is a process like any other: in a session of its own, with a command
line that says whose it is, and nothing in common with the next one.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from oracle_simulator.instance.home import Home
from oracle_simulator.program.processes import SERVER_UMASK, open_server_log, server_words

_LONGEST_COMMAND_LINE = 2048


class LoadedServer:
    """The other end: asks for processes. It ends with this process."""

    def __init__(self) -> None:
        self._one_request = threading.Lock()
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            subprocess.Popen(
                # a wide command line leaves room for that of an instance
                [sys.executable, "-m", __name__, str(theirs.fileno()), " " * _LONGEST_COMMAND_LINE],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # threads of a library would not be there after the split
                env={
                    **os.environ,
                    "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
                    "OPENBLAS_NUM_THREADS": "1",
                },
                start_new_session=True,
            )

    def launch(self, home: Home) -> int:
        """The server process of a home; returns its pid (see :func:`processes.start`)."""
        with self._one_request:
            self._requests.send(json.dumps([str(home.root), home.sid]).encode())
            return int(self._requests.recv(32))


@functools.cache
def loaded_server() -> LoadedServer:
    """The one of this process."""
    return LoadedServer()


def main() -> None:
    """Load, then serve requests until nobody can make one; in a process that was split off: be the instance."""
    from oracle_simulator.program.server import serve
    from oracle_simulator.sql.parser.grammar import parser

    parser()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who waits for an instance asks /proc
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        while request := requests.recv(_LONGEST_COMMAND_LINE):
            root, sid = json.loads(request)
            pid = os.fork()
            if not pid:
                break
            requests.send(str(pid).encode())
        else:
            return
    home = Home(Path(root), sid)
    _become(home)
    serve(home)


def _become(home: Home) -> None:
    """Have everything as it is in a process that was started for the instance."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.umask(SERVER_UMASK)
    os.chdir(home.root)
    with open_server_log(home) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    _write_command_line([sys.executable, "-m", "oracle_simulator", *server_words(home)])


def _write_command_line(words: list[str]) -> None:
    """Say what this process is, as Oracle's background processes do: over what it was started with."""
    fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    line = b"".join(word.encode() + b"\0" for word in words)
    if len(line) > end - start:
        raise ValueError(f"the command line of an instance has {len(line)} bytes: {words}")
    ctypes.memmove(start, line.ljust(end - start, b"\0"), end - start)


if __name__ == "__main__":
    main()
