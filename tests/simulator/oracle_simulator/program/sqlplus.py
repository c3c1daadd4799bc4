# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small SQL*Plus: what an administrator's script needs of it, over the local socket.

Understands ``/ as sysdba`` (and sysbackup, sysoper), STARTUP [NOMOUNT|MOUNT] [PFILE=...], SHUTDOWN
[NORMAL|TRANSACTIONAL|IMMEDIATE|ABORT], statements ended by ``;`` or ``/``, WHENEVER SQLERROR EXIT, SET, PROMPT,
CONNECT / AS SYSDBA, ``@script``, SHOW CON_NAME, CON_ID and PDBS, EXIT. Like the original, it exits with 0
after errors unless told otherwise.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from oracle_simulator.instance.home import Home
from oracle_simulator.program import processes
from oracle_simulator.program.local_socket import LocalConnection, LocalError, NoInstance

NOT_AVAILABLE = ["ERROR:", "ORA-01034: ORACLE not available"]
END_OF_FILE = ["ERROR:", "ORA-03113: end-of-file on communication channel"]
NOT_CONNECTED = ["ERROR:", "ORA-03114: not connected to ORACLE"]
NO_STARTUP_WITHOUT_CONNECTION = [
    "ORA-24324: service handle not initialized",
    "ORA-01041: internal error. hostdef extension doesn't exist",
]
LAST_WORDS = (1092, 3113)
"""Errors after which there is no connection any more."""
SILENT_COMMANDS = re.compile(
    r"(set|column|col|define|spool|prompt|rem|remark|host|pause|show|ttitle|btitle|clear|accept|variable)\b",
    re.I,
)
OWN_COMMANDS = re.compile(
    r"(startup|shutdown|exit|quit|whenever|connect|conn|disconnect|disc|recover|@|prompt)(\b|$|\S)", re.I
)
SHOWN = {
    "con_name": "SELECT SYS_CONTEXT('USERENV', 'CON_NAME') AS con_name FROM dual",
    "con_id": "SELECT SYS_CONTEXT('USERENV', 'CON_ID') AS con_id FROM dual",
    "pdbs": "SELECT con_id, name AS con_name, open_mode, restricted FROM v$pdbs ORDER BY con_id",
}
"""What SHOW shows of containers; other settings are not shown."""
BLOCK_START = re.compile(
    r"\s*(declare|begin|create\s+(or\s+replace\s+)?(procedure|function|package|trigger))\b", re.I
)


class Exit(Exception):
    """The script asked to leave with this status."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(str(status))


class SqlPlus:
    """One run of the program."""

    def __init__(self, home: Home, output: TextIO) -> None:
        self._home = home
        self._output = output
        self._connection: LocalConnection | None = None
        self._on_error: str | None = None
        self._lost = False

    def say(self, *lines: str) -> None:
        """Print."""
        for line in lines:
            print(line, file=self._output, flush=True)

    def connect(self, said: str = "Connected.") -> None:
        """Log on as the operating-system user; ``said`` is told when there is an instance."""
        self.disconnect()
        self._lost = False
        try:
            self._connection = LocalConnection(self._home.admin_socket)
        except NoInstance:
            said = "Connected to an idle instance."
        if said:
            self.say(said)

    def disconnect(self) -> None:
        """End the session."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def run(self, lines: Iterable[str]) -> None:
        """Work through a script. Raises :class:`Exit`."""
        for command in commands_of(lines):
            self._perform(command)

    def _perform(self, command: str) -> None:
        word = command.split(None, 1)[0].lower()
        if word in ("exit", "quit"):
            raise Exit(exit_status(command, 0))
        if word == "whenever":
            match = re.match(r"whenever\s+sqlerror\s+(exit\b.*|continue\b.*)", command, re.I)
            self._on_error = match.group(1) if match and match.group(1).lower().startswith("exit") else None
        elif word in ("connect", "conn"):
            self.connect()
        elif word in ("disconnect", "disc"):
            self.disconnect()
        elif word == "prompt":
            self.say(command[7:])
        elif word.startswith("@"):
            self.run(Path(command[1:].strip()).read_text(encoding="utf-8").splitlines())
        elif word == "show" and command.split()[-1].lower() in SHOWN:
            self._attempt(SHOWN[command.split()[-1].lower()], "select")
        elif not SILENT_COMMANDS.match(command):
            self._attempt(command, word)

    def _attempt(self, command: str, word: str) -> None:
        try:
            if word == "startup":
                self._startup(command.lower().split()[1:])
            elif word == "shutdown":
                self._shutdown(([*command.lower().split(), "normal"])[1])
            elif word == "recover":
                words = command.upper().split()[1:]
                in_backup = words in (["BEGIN", "BACKUP"], ["END", "BACKUP"])
                wanted = " ".join(words) if in_backup else command
                self._show(self._ask("sql", text=f"ALTER DATABASE {wanted}"))
            else:
                self._show(self._ask("sql", text=command))
        except LocalError as error:
            if error.code in LAST_WORDS:
                self._lose_connection()
            self._failed(error.code, error.lines)
        except NoInstance:
            if self._connection is None:
                self._failed(1034, NOT_AVAILABLE)
            else:
                self._lose_connection()
                self._failed(3113, END_OF_FILE)

    def _lose_connection(self) -> None:
        """The other end is gone. SQL*Plus does not connect again by itself."""
        self.disconnect()
        self._lost = True

    def _failed(self, code: int, lines: Sequence[str]) -> None:
        self.say(*lines)
        if self._on_error is not None:
            raise Exit(exit_status(self._on_error, code))

    def _ask(self, what: str, **fields: Any) -> dict[str, Any]:
        if self._lost:
            raise LocalError(3114, NOT_CONNECTED)
        if self._connection is None:
            self._connection = LocalConnection(self._home.admin_socket)
        return self._connection.ask(what, **fields)

    def _startup(self, words: Sequence[str]) -> None:
        if self._lost:
            raise LocalError(24324, NO_STARTUP_WITHOUT_CONNECTION)
        if self._connection is not None or processes.is_running(self._home):
            raise LocalError(1081, ["ORA-01081: cannot start already-running ORACLE - shut it down first"])
        unknown = [word for word in words if word not in ("nomount", "mount", "open", "force", "restrict")]
        if unknown and not unknown[0].startswith("pfile="):
            raise LocalError(1078, [f"SP2-0714: invalid combination of STARTUP options: {unknown[0]}"])
        try:
            processes.start(self._home)
        except processes.StartFailed as error:
            raise LocalError(
                1078, ["ORA-01078: failure in processing system parameters", str(error)]
            ) from error
        self.say("ORACLE instance started.")
        if "nomount" in words:
            return
        self._ask("sql", text="ALTER DATABASE MOUNT")
        self.say("Database mounted.")
        if "mount" in words:
            return
        self._ask("sql", text="ALTER DATABASE OPEN")
        self.say("Database opened.")

    def _shutdown(self, mode: str) -> None:
        if mode not in ("normal", "transactional", "immediate", "abort"):
            raise LocalError(0, [f"SP2-0717: illegal SHUTDOWN option: {mode}"])
        answer = self._ask("shutdown", mode=mode)
        if not answer.get("up"):
            self.disconnect()
            processes.wait_until_gone(self._home)
        self.say(*answer["said"])

    def _show(self, answer: dict[str, Any]) -> None:
        if answer.get("columns") is None:
            self.say("", answer["said"], "")
            return
        rows = [["" if value is None else str(value) for value in row] for row in answer["rows"]]
        if not rows:
            self.say("", "no rows selected", "")
            return
        widths = [
            max([len(name), *(len(row[place]) for row in rows)])
            for place, name in enumerate(answer["columns"])
        ]
        line = "  ".join
        self.say(
            "",
            line(name.ljust(width) for name, width in zip(answer["columns"], widths, strict=True)).rstrip(),
        )
        self.say(line("-" * width for width in widths))
        self.say(*(line(v.ljust(w) for v, w in zip(row, widths, strict=True)).rstrip() for row in rows), "")


def commands_of(lines: Iterable[str]) -> Iterator[str]:
    """Split a script: one-line SQL*Plus commands, statements up to ``;`` or ``/``, PL/SQL up to ``/``."""
    collected: list[str] = []
    for raw in lines:
        line = raw.rstrip()
        if not collected:
            stripped = line.strip()
            if not stripped or stripped.startswith("--") or stripped == "/":
                continue
            if is_sqlplus_command(stripped):
                yield stripped.rstrip(";").rstrip()
                continue
        block = bool(BLOCK_START.match(collected[0] if collected else line))
        if line.strip() == "/":
            yield "\n".join(collected)
            collected = []
        elif line.endswith(";") and not block:
            yield "\n".join([*collected, line[:-1]])
            collected = []
        else:
            collected.append(line)
    if collected:
        yield "\n".join(collected)


def is_sqlplus_command(line: str) -> bool:
    """Commands of SQL*Plus itself end with their line."""
    own = re.match(
        r"(startup|shutdown|exit|quit|whenever|connect|conn|disconnect|disc|recover|@|prompt)(\b|$|\S)",
        line,
        re.I,
    )
    # SET TRANSACTION and the like are statements of the database
    return bool(own) or (
        bool(SILENT_COMMANDS.match(line)) and not re.match(r"set\s+(transaction|role)", line, re.I)
    )


def exit_status(command: str, code: int) -> int:
    """The status that EXIT [SUCCESS|FAILURE|WARNING|n|SQL.SQLCODE] asks for, eight bits as on Unix."""
    words = command.split()
    wish = words[1].lower() if len(words) > 1 else "success"
    if wish == "sql.sqlcode":
        return code & 0xFF or (1 if code else 0)
    if wish.isdigit():
        return int(wish) & 0xFF
    return {"failure": 1, "warning": 2}.get(wish, 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """The program: ``sqlplus [-S] [-L] / as sysdba [@script]``."""
    parser = argparse.ArgumentParser(prog="sqlplus", add_help=False)
    parser.add_argument("-S", "-s", action="store_true", dest="silent")
    parser.add_argument("-L", "-l", action="store_true", dest="once")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args(arguments)
    logon = [word.lower() for word in options.words if not word.startswith("@")]
    scripts = [word for word in options.words if word.startswith("@")]
    if logon not in (["/", "as", "sysdba"], ["/", "as", "sysbackup"], ["/", "as", "sysoper"], ["/nolog"]):
        print("ERROR:\nORA-01017: invalid username/password; logon denied")
        return 1
    sid = os.environ.get("ORACLE_SID", "")
    if not sid:
        print("ERROR:\nORA-12162: TNS:net service name is incorrectly specified")
        return 1
    program = SqlPlus(Home(Path(os.environ["ORACLE_HOME"]), sid), sys.stdout)
    if not options.silent:
        program.say("", "SQL*Plus of the simulated instance", "")
    try:
        if logon != ["/nolog"]:
            program.connect("" if options.silent else "Connected.")
        program.run(scripts)
        program.run(line.rstrip("\n") for line in sys.stdin)
    except Exit as leaving:
        return leaving.status
    finally:
        program.disconnect()
    return 0


if __name__ == "__main__":
    sys.exit(main())
