# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How quick and how cheap the simulated instance is: ``make bench-simulator``.

Nothing here is asserted: the figures are for reading, and a slow machine is not a failure. What depends on
the disk is printed beside what the disk itself gives in the same run. The last line is for programs.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import oracledb

from benchmarks.machine import Spread, memory_bytes, process_cpu_seconds, repeat
from oracle_simulator.data.filled_files import make_filled_file
from oracle_simulator.instance.home import Home
from oracle_simulator.program import processes
from oracle_simulator.testing import SimulatedDatabase

COMMIT_SECONDS = 5.0
IDLE_SECONDS = 10.0
MEBIBYTE = 1 << 20
# Groups large enough that the archiver's part is what a database in production would see.
BUSY: Mapping[str, Any] = {"redo": {"groups": 3, "size": "16M"}}


@contextlib.contextmanager
def _database(folder: Path, sid: str, spec: Mapping[str, Any] | None = None) -> Iterator[SimulatedDatabase]:
    database = SimulatedDatabase(folder / sid.lower(), sid, spec)
    try:
        database.start(launch=processes.launch_program)  # as a user starts it
        yield database
    finally:
        database.destroy()


def _pid(home: Home) -> int:
    pid = processes.running_pid(home)
    if pid is None:
        raise RuntimeError(f"instance {home.sid} does not run")
    return pid


# ---------------------------------------------------------------- start


def time_to_open(folder: Path) -> float:
    """Seconds from a spec to an open database."""
    start = time.monotonic()
    with _database(folder, "QUICK"):
        return time.monotonic() - start


def fleet(folder: Path, count: int) -> tuple[float, float, int]:
    """(seconds until ``count`` databases are open, processors they use when idle, bytes of memory)."""
    with contextlib.ExitStack() as stack:
        start = time.monotonic()
        databases = [stack.enter_context(_database(folder, f"F{number}")) for number in range(count)]
        opened = time.monotonic() - start
        pids = [_pid(database.home) for database in databases]
        time.sleep(2.0)  # what follows an open (checkpoints, the first archived log) is not idleness
        before = sum(process_cpu_seconds(pid) for pid in pids)
        time.sleep(IDLE_SECONDS)
        idle = (sum(process_cpu_seconds(pid) for pid in pids) - before) / IDLE_SECONDS
        return opened, idle, sum(memory_bytes(pid) for pid in pids)


# ---------------------------------------------------------------- commits


def _commit_rows(dsn: str, password: str, session: int, seconds: float, results: Any) -> None:
    """One client: single-row inserts, each committed, until the time is over; reports how many were acknowledged."""
    with oracledb.connect(user="APP", password=password, dsn=dsn) as connection:
        cursor = connection.cursor()
        acknowledged = 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            cursor.execute("INSERT INTO commits VALUES (:1, :2)", [session, acknowledged])
            connection.commit()
            acknowledged += 1
    results.put(acknowledged)


def commits_per_second(folder: Path, sessions: int) -> float:
    """Durable single-row commits per second; the instance is killed afterwards and every row must be there."""
    with _database(folder, "COMMIT", BUSY) as database:
        with database.connect() as connection:
            connection.cursor().execute("CREATE TABLE commits (session_id NUMBER, n NUMBER)")
        context = multiprocessing.get_context("spawn")
        results = context.Queue()
        clients = [
            context.Process(
                target=_commit_rows,
                args=(database.dsn, database.passwords["APP"], number, COMMIT_SECONDS, results),
            )
            for number in range(sessions)
        ]
        for client in clients:
            client.start()
        acknowledged = sum(results.get(timeout=COMMIT_SECONDS + 120) for _client in clients)
        for client in clients:
            client.join()
        database.crash()
        database.start(launch=processes.launch_program)
        with database.connect() as connection:
            (found,) = connection.cursor().execute("SELECT COUNT(*) FROM commits").fetchone()
        if found != acknowledged:
            raise RuntimeError(f"{acknowledged} commits were acknowledged, {found} are there after a kill")
        return acknowledged / COMMIT_SECONDS


def syncs_per_second(folder: Path) -> float:
    """What the disk gives: appends of 512 bytes, each made durable, from one process."""
    path = folder / "syncs"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        count, end = 0, time.monotonic() + 2.0
        while time.monotonic() < end:
            os.write(descriptor, bytes(512))
            os.fdatasync(descriptor)
            count += 1
        return count / 2.0
    finally:
        os.close(descriptor)
        path.unlink()


def rows_per_second(folder: Path) -> float:
    """Rows inserted by executemany in batches of 10,000, committed at the end of each batch."""
    rows = [(number, f"row {number}") for number in range(10_000)]
    with _database(folder, "BATCH", BUSY) as database, database.connect() as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE batch (n NUMBER, t VARCHAR2(40))")
        start = time.monotonic()
        for _batch in range(5):
            cursor.executemany("INSERT INTO batch VALUES (:1, :2)", rows)
            connection.commit()
        return 5 * len(rows) / (time.monotonic() - start)


# ---------------------------------------------------------------- filling


def fill_speed(folder: Path, size_bytes: int) -> float:
    """Megabytes per second of a datafile filled with valid blocks, made durable."""
    path = folder / "filled.dbf"
    start = time.monotonic()
    make_filled_file(path, size_bytes)
    elapsed = time.monotonic() - start
    path.unlink()
    return size_bytes / elapsed / 1e6


def write_speed(folder: Path, size_bytes: int) -> float:
    """Megabytes per second of the same size written from one buffer: what the disk gives."""
    path, buffer = folder / "plain", os.urandom(4 * MEBIBYTE)
    start = time.monotonic()
    with open(path, "wb", buffering=0) as file:
        for _chunk in range(size_bytes // len(buffer)):
            file.write(buffer)
    _sync(path)
    elapsed = time.monotonic() - start
    path.unlink()
    return size_bytes / elapsed / 1e6


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ---------------------------------------------------------------- report


def main(arguments: list[str]) -> int:
    """Run everything, print each figure as it comes, and one line for programs at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each short measurement")
    parser.add_argument("--databases", type=int, default=20, help="databases running at once")
    parser.add_argument("--fill", type=int, default=2048, metavar="MIB", help="size of the filled datafile")
    chosen = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="bench-simulator-"))
    try:
        line = _measure(folder, chosen.rounds, chosen.databases, chosen.fill * MEBIBYTE)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"bench-simulator: {line}")
    return 0


def _measure(folder: Path, rounds: int, databases: int, fill_bytes: int) -> str:
    opening = repeat(rounds, lambda: time_to_open(folder))
    _say("from a spec to an open database", f"{opening.text()} s")
    opened, idle, memory = fleet(folder, databases)
    _say(f"{databases} databases, one after the other", f"{opened:.1f} s until all are open")
    _say(f"{databases} databases, idle", f"{idle:.3f} processors, {memory / (1 << 30):.2f} GiB of memory")
    alone = repeat(3, lambda: commits_per_second(folder, 1))
    four = repeat(3, lambda: commits_per_second(folder, 4))
    syncs = repeat(3, lambda: syncs_per_second(folder))
    _say("durable single-row commits, one session", f"{alone.text('{:.0f}')} per second")
    _say("durable single-row commits, four sessions", f"{four.text('{:.0f}')} per second")
    _say("  the disk by itself: appends made durable", f"{syncs.text('{:.0f}')} per second")
    batch = repeat(3, lambda: rows_per_second(folder))
    _say("rows by executemany", f"{batch.text('{:.0f}')} per second")
    filling, writing = _interleaved(folder, fill_bytes, rounds=3)
    _say("filling a datafile with valid blocks", f"{filling.text('{:.0f}')} MB/s")
    ratio = filling.median / writing.median
    _say(
        "  the disk by itself: plain writes", f"{writing.text('{:.0f}')} MB/s; filling is {ratio:.2f}x of it"
    )
    return (
        f"open {opening.median:.2f} s; {databases} idle {idle:.3f} cpu {memory / (1 << 30):.2f} GiB; "
        f"commits {alone.median:.0f}/s one session {four.median:.0f}/s four; rows {batch.median:.0f}/s; "
        f"fill {filling.median:.0f} MB/s {ratio:.2f}x of plain writes"
    )


def _interleaved(folder: Path, size_bytes: int, rounds: int) -> tuple[Spread, Spread]:
    """Filling and plain writing in turn, so that a busy moment of the machine meets both."""
    pairs = [(fill_speed(folder, size_bytes), write_speed(folder, size_bytes)) for _round in range(rounds)]
    return Spread(tuple(pair[0] for pair in pairs)), Spread(tuple(pair[1] for pair in pairs))


def _say(what: str, figure: str) -> None:
    print(f"{what:<46} {figure}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
