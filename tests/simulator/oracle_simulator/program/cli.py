# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line ``oracle-simulator``."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.faults.unsynced import lose_power
from oracle_simulator.instance.home import Home
from oracle_simulator.program import fault_command, processes
from oracle_simulator.program.listener import command as listener_command
from oracle_simulator.program.local_socket import LocalConnection, LocalError, NoInstance

REFUSALS = (
    LocalError,
    NoInstance,
    OracleError,
    processes.StartFailed,
    listener_command.ListenerFailed,
    OSError,
    ValueError,
)
"""What a command may end with: told in one line, without a trace."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The program. 0 done, 1 refused, 2 wrong usage."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except REFUSALS as error:
        print(f"oracle-simulator: {error or type(error).__name__}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(
        prog="oracle-simulator", description="simulated Oracle instances on real files"
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=about)
        added.add_argument("home", type=Path, metavar="HOME", help="the ORACLE_HOME")
        added.add_argument("--sid", default=os.environ.get("ORACLE_SID", "ORCL"))
        added.set_defaults(run=run)
        return added

    make = command("create", create, "create a database; the password of SYS comes on standard input")
    make.add_argument("--port", type=int, required=True)
    make.add_argument("--spec", type=Path, help="YAML file with the structure")
    start_it = command("start", start, "start the instance and open the database")
    start_it.add_argument("--stage", choices=["nomount", "mount", "open"], default="open")
    stop_it = command("stop", stop, "shut the instance down")
    stop_it.add_argument("--abort", action="store_true")
    kill_it = command("crash", crash, "kill the instance with SIGKILL")
    kill_it.add_argument(
        "--power-loss", action="store_true", help="take back what was not synced (spec: volatile_writes)"
    )
    kill_it.add_argument("--seed", type=int, help="take back only some of it, as this number picks")
    show = command("status", status, "tell how the instance is")
    show.add_argument("--json", action="store_true")
    trouble = command("fault", fault_command.run, "switch trouble on or off in a running instance")
    fault_command.add_options(trouble)
    unverified = command(
        "readings", readings, "show or choose the readings of unverified points of Oracle's behaviour"
    )
    unverified.add_argument("--choose", action="append", default=[], metavar="NAME=VALUE")
    redo = command("thread", thread, "let an instance of the database start, end or die with its redo thread")
    for action, about in (("open", "start"), ("close", "shut down"), ("kill", "kill")):
        redo.add_argument(f"--{action}", type=int, metavar="N", help=f"{about} instance N")
    ask = command("sql", sql, "execute statements as SYS")
    ask.add_argument("statement", nargs="+")
    keep = command("rman", rman, "run RMAN's commands about archived logs (see program/rman.py)")
    keep.add_argument("statement", nargs="+", metavar="COMMAND")
    full = commands.add_parser("fill", help="make a datafile of no database, full of random sound blocks")
    full.add_argument("file", type=Path, metavar="FILE", help="the datafile to make")
    full.add_argument("--size", required=True, help="of the file: 2G")
    full.add_argument("--block-size", default="8K")
    full.add_argument("--bigfile", action="store_true")
    full.add_argument("--seed", type=int, default=1, help="the same seed makes the same blocks")
    full.set_defaults(run=fill)
    listen = commands.add_parser("listener", help="start, stop, ask a listener of its own, and its faults")
    listener_command.add_options(listen)
    command("serve", run_server, "be the instance (started by start and by SQL*Plus)")
    return top


def home_of(options: argparse.Namespace) -> Home:
    """The home named on the command line."""
    return Home(options.home.resolve(), options.sid)


def create(options: argparse.Namespace) -> int:
    """Create a database."""
    # parsing specs and building files is not needed by the other commands, which should be quick
    from oracle_simulator.program.spec import create_from_spec, read_spec

    prompted = (
        getpass.getpass("password of SYS: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    )
    create_from_spec(
        home_of(options), read_spec(options.spec), port=options.port, passwords={"SYS": prompted}
    )
    print(f"created {options.sid} in {options.home}")
    return 0


def start(options: argparse.Namespace) -> int:
    """Start the instance up to a stage."""
    home = home_of(options)
    if processes.is_running(home):
        print(f"{home.sid} is running already", file=sys.stderr)
        return 1
    processes.start(home)
    with LocalConnection(home.admin_socket) as connection:
        if options.stage != "nomount":
            connection.ask("sql", text="ALTER DATABASE MOUNT")
        if options.stage == "open":
            connection.ask("sql", text="ALTER DATABASE OPEN")
    return 0


def stop(options: argparse.Namespace) -> int:
    """Shut the instance down."""
    home = home_of(options)
    with LocalConnection(home.admin_socket) as connection:
        connection.ask("shutdown", mode="abort" if options.abort else "immediate")
    processes.wait_until_gone(home)
    return 0


def crash(options: argparse.Namespace) -> int:
    """SIGKILL, and a power failure if wanted."""
    home = home_of(options)
    processes.crash(home)
    if options.power_loss:
        for line in lose_power(home.unsynced_folder, None if options.seed is None else Random(options.seed)):
            print(line)
    return 0


def status(options: argparse.Namespace) -> int:
    """How the instance is; exit status 1 when it is down."""
    home = home_of(options)
    try:
        with LocalConnection(home.admin_socket) as connection:
            found = connection.ask("status")
    except NoInstance:
        found = {"sid": home.sid, "state": "SHUTDOWN"}
    if options.json:
        print(json.dumps(found))
    else:
        print("  ".join(f"{name}={value}" for name, value in found.items()))
    return 0 if found["state"] != "SHUTDOWN" else 1


def readings(options: argparse.Namespace) -> int:
    """Choose readings until the instance ends, and print all of them."""
    with LocalConnection(home_of(options).admin_socket) as connection:
        print(connection.ask("readings", choices=options.choose)["said"])
    return 0


def thread(options: argparse.Namespace) -> int:
    """Open, close or kill the instances of redo threads."""
    wishes = [
        (action, getattr(options, action)) for action in ("open", "close", "kill") if getattr(options, action)
    ]
    if not wishes:
        print("name a thread: see --help", file=sys.stderr)
        return 2
    with LocalConnection(home_of(options).admin_socket) as connection:
        for action, number in wishes:
            connection.ask("thread", action=action, number=number)
    return 0


def sql(options: argparse.Namespace) -> int:
    """Execute statements, one after the other, and print what comes back."""
    with LocalConnection(home_of(options).admin_socket) as connection:
        for statement in options.statement:
            answer = connection.ask("sql", text=statement)
            if answer["columns"] is None:
                print(answer["said"])
                continue
            print("\t".join(answer["columns"]))
            for row in answer["rows"]:
                print("\t".join("" if value is None else str(value) for value in row))
    return 0


def rman(options: argparse.Namespace) -> int:
    """RMAN's commands, one after the other."""
    with LocalConnection(home_of(options).admin_socket) as connection:
        for statement in options.statement:
            print(connection.ask("rman", text=statement)["said"])
    return 0


def fill(options: argparse.Namespace) -> int:
    """Make a full datafile."""
    # making files is not needed by the other commands, which should be quick
    from oracle_simulator.data.filled_files import make_filled_file
    from oracle_simulator.program.spec import size_bytes

    make_filled_file(
        options.file,
        size_bytes(options.size),
        block_size=size_bytes(options.block_size),
        bigfile=options.bigfile,
        seed=options.seed,
    )
    return 0


def run_server(options: argparse.Namespace) -> int:
    """Be the instance."""
    # the engine with all it needs is loaded by the server alone
    from oracle_simulator.program.server import serve

    serve(home_of(options))
    return 0
