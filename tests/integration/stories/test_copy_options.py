# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy that leaves room for others: what was asked for is seen from outside, and every row comes back."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from witness.process import WorkloadClient

from .conftest import Site, wait_until
from .test_backup_and_restore import judge, lose

STREAMS = 2
THREADS_PER_STREAM = 2
NICE = 17
BUFFER_BYTES = 65536
BYTES_PER_SECOND = 6_000_000
CREDIT_SECONDS = 0.5
"""For this long streams may make up for a time in which they copied nothing."""


def options_of(role: str) -> dict[str, Any]:
    """The variables of a role. ``reflink`` is done without where the file system has no such thing."""
    wishes = {
        "streams": STREAMS,
        "max_bytes_per_second": BYTES_PER_SECOND,
        "nice": NICE,
        "io_class": "idle",
        "reflink": True,
    }
    return {f"{role}_{option}": value for option, value in wishes.items()}


def backup_with_small_buffers(site: Site) -> Path:
    """The playbook of a DBA who wants an option that the role does not have."""
    task = {
        "hosts": "dbhost",
        "gather_facts": False,
        "module_defaults": {"hotbackup.oracle.tablespace_backup": {"buffer_bytes": BUFFER_BYTES}},
        "roles": ["hotbackup.oracle.hot_backup"],
    }
    playbook = site.folder / "backup_with_small_buffers.yml"
    playbook.write_text(yaml.safe_dump([task]))
    return playbook


def process_writing_below(folder: Path) -> int:
    """The process that has an unfinished copy below the folder open; 0 when there is none."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            names = [descriptor.readlink() for descriptor in (process / "fd").iterdir()]
            if any(name.suffix == ".partial" and folder in name.parents for name in names):
                return int(process.name)
    return 0


def nice_values(pid: int) -> dict[int, int]:
    """What the kernel says of each thread of a process; nothing of one that has ended."""
    found = {}
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            fields = (thread / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
            found[int(thread.name)] = int(fields[16])
    return found


def see_modest_threads(pid: int) -> None:
    """The copying threads are modest in processor and disk time; the one that talks to the database is not."""

    def modest() -> list[int]:
        return [thread for thread, nice in nice_values(pid).items() if nice == NICE]

    # Libraries that these threads load may start further ones, which inherit it.
    fewest = STREAMS * THREADS_PER_STREAM
    threads = wait_until(lambda: len(found := modest()) >= fewest and found, f"{fewest} threads of that nice")
    assert nice_values(pid)[pid] == os.getpriority(os.PRIO_PROCESS, 0)
    if shutil.which("ionice") is not None:
        command = ["ionice", "-p", *map(str, threads)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert {line.rpartition(": ")[2] for line in shown.splitlines()} == {"idle"}


def bytes_and_reads(pid: int) -> tuple[int, int]:
    """What a process has read until now, and in how many calls."""
    lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    counts = dict(line.split(": ") for line in lines)
    return int(counts["rchar"]), int(counts["syscr"])


def see_small_reads(pid: int) -> None:
    """It reads no more than a buffer at once."""
    bytes_before, reads_before = bytes_and_reads(pid)
    wait_until(lambda: bytes_and_reads(pid)[0] - bytes_before > 100 * BUFFER_BYTES, "that much read")
    bytes_after, reads_after = bytes_and_reads(pid)
    assert bytes_after - bytes_before <= (reads_after - reads_before) * BUFFER_BYTES


def seconds_of_the_copy(site: Site) -> float:
    """From the first to the last step of the only set's run, by its journal."""
    lines = (site.sets()[0] / "journal.jsonl").read_text().splitlines()
    moments = {entry["event"]: entry["at"] for entry in map(json.loads, lines)}
    begun, ended = (
        datetime.fromisoformat(moments[event].replace("Z", "+00:00"))
        for event in ("run_started", "run_copied")
    )
    return (ended - begun).total_seconds()


def seconds_of_the_restore(site: Site, datafiles: Sequence[Path]) -> float:
    """From the last thing done before the first file is written to the last one's name, by the file system."""
    wait_until(lambda: all(path.exists() for path in datafiles), "every datafile in place")
    ended = max(path.stat().st_ctime for path in datafiles)
    (preserved,) = site.destination.glob("*/preserved/*")
    return ended - preserved.stat().st_mtime


def test_a_modest_copy_is_modest_and_gives_every_row_back(working_site: tuple[Site, WorkloadClient]) -> None:
    site, client = working_site
    datafiles = [Path(row[0]) for row in site.database.sql("SELECT name FROM v$datafile")]
    least_seconds = sum(path.stat().st_size for path in datafiles) / BYTES_PER_SECOND - CREDIT_SECONDS

    play = site.start_play(backup_with_small_buffers(site), **options_of("hot_backup"))
    runner = wait_until(lambda: process_writing_below(site.destination), "a copy under way")
    see_modest_threads(runner)
    see_small_reads(runner)
    assert (backup := site.end_of(play)).status == 0, backup.output
    assert seconds_of_the_copy(site) >= least_seconds
    assert site.files_in_backup_mode() == []

    client.wait_for_commits(30)
    lose(site)
    client.wait_until_ended()
    play = site.start_restore(**options_of("restore"))
    module = wait_until(lambda: process_writing_below(datafiles[0].parent), "a restore under way")
    see_modest_threads(module)
    assert seconds_of_the_restore(site, datafiles) >= least_seconds
    assert (restore := site.end_of(play)).status == 0, restore.output
    verdict = judge(site, client)
    assert verdict.good, verdict.findings
    assert verdict.checked >= 30
