# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``simulator fault``: its options, as requests to the fault desk."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from oracle_simulator.instance.faults import Operation, Step, Trouble
from oracle_simulator.instance.home import Home
from oracle_simulator.program.local_socket import LocalConnection

FILES = "FILE#, control[:n], redo[:group|:current], archive[:DEST_ID] or a pattern of paths"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    archiver = parser.add_argument_group("the archiver")
    archiver.add_argument("--archiver-delay", type=float, metavar="SECONDS", help="for one log")
    archiver.add_argument("--archiver", choices=["stop", "go"])
    archiver.add_argument("--fail-destination", type=int, metavar="DEST_ID")
    archiver.add_argument("--repair-destination", type=int, metavar="DEST_ID")
    archiver.add_argument("--error", default="No space left on device", help="with --fail-destination")
    files = parser.add_argument_group("files")
    files.add_argument("--io", choices=[*Trouble], help="disk full, I/O error, slow, or a kill in a write")
    files.add_argument("--on", metavar="FILES", help=FILES)
    files.add_argument("--operation", action="append", choices=[*Operation], help="may be repeated")
    files.add_argument("--kept-bytes", type=int, metavar="N", help="of the write that --io kill tears")
    files.add_argument("--repair", nargs="?", const=True, metavar="FILES", help="end faults of files, or all")
    steps = parser.add_argument_group("steps")
    steps.add_argument("--kill-at", choices=[*Step], metavar="STEP", help="SIGKILL at: " + ", ".join(Step))
    steps.add_argument("--hold-at", choices=[*Step], metavar="STEP", help="stop there until --release")
    steps.add_argument("--after", action="store_true", help="when the step is done, not before it")
    steps.add_argument("--file", type=int, metavar="FILE#", help="only a step about this datafile")
    steps.add_argument(
        "--hold-file", type=int, metavar="FILE#", help="hold its next write between two pieces"
    )
    steps.add_argument("--release", action="store_true", help="end every hold")
    others = parser.add_argument_group("others")
    others.add_argument("--redo-storm", type=float, metavar="MIB", help="per second; 0 ends it")
    others.add_argument("--clock-jump", type=float, metavar="SECONDS", help="set the clock forward or back")
    others.add_argument("--core-dump", type=int, metavar="SID", help="of a session's server process")
    others.add_argument("--nth", type=int, metavar="N", help="begin at the nth occurrence")
    others.add_argument("--seconds", type=float, help="how long a hold lasts at most, or how slow is slow")


def request_of(options: argparse.Namespace) -> dict[str, Any]:
    """The request these options are; empty when they ask for nothing. Raises ValueError."""
    wish: dict[str, Any] = {}
    if options.archiver is not None:
        wish["archiver_stopped"] = options.archiver == "stop"
    if options.fail_destination is not None:
        wish.update(destination=options.fail_destination, error=options.error)
    if options.repair_destination is not None:
        wish.update(destination=options.repair_destination, error=None)
    plain = (
        "archiver_delay",
        "io",
        "on",
        "repair",
        "kill_at",
        "hold_at",
        "hold_file",
        "redo_storm",
        "clock_jump",
        "core_dump",
    )
    wish.update({name: getattr(options, name) for name in plain if getattr(options, name) is not None})
    if options.release:
        wish["release"] = True
    if not wish:
        return wish
    if (options.io is None) != (options.on is None):
        raise ValueError("--io and --on go together")
    details = {name: getattr(options, name) for name in ("nth", "seconds", "file", "kept_bytes")}
    wish.update({name: value for name, value in details.items() if value is not None})
    if options.after:
        wish["when"] = "after"
    if options.operation:
        wish["operations"] = options.operation
    return wish


def run(options: argparse.Namespace) -> int:
    """Switch trouble on or off."""
    wish = request_of(options)
    if not wish:
        print("name a fault: see --help", file=sys.stderr)
        return 2
    with LocalConnection(Home(options.home.resolve(), options.sid).admin_socket) as connection:
        connection.ask("fault", **wish)
    return 0
