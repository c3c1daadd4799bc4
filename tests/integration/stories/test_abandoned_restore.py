# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore outlives its play: nobody else touches the files meanwhile, and it touches none of an open database."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from witness.process import WorkloadClient

from .conftest import Site, wait_until
from .test_backup_and_restore import judge

#: So slow that a restore can be met while it reads the set.
BYTES_PER_SECOND = 4_000_000


def restore_of_files(site: Site) -> Path:
    """A play that puts the files back and does nothing else."""
    options = {
        "destination": str(site.destination),
        "set_id": site.sets()[0].name,
        "confirm": f"{site.database.sid}@dbhost",
        "host": "dbhost",
        "state_dir": "{{ oracle_state_dir }}",
        "oracle_home": "{{ oracle_home }}",
        "oracle_sid": "{{ oracle_sid }}",
        "max_bytes_per_second": BYTES_PER_SECOND,
    }
    play = {
        "hosts": "dbhost",
        "gather_facts": False,
        "tasks": [{"hotbackup.oracle.datafile_restore": options}],
    }
    playbook = site.folder / "restore_of_files.yml"
    playbook.write_text(yaml.safe_dump([play]))
    return playbook


def module_at_work(site: Site) -> int:
    """The process that holds the lease of restores; 0 while nobody does."""
    path = site.state_dir / "restore_lease"
    if not path.exists():
        return 0
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            content = file.read().decode()
            return int(json.loads(content)["pid"]) if content.strip() else 0
    return 0


def told(site: Site) -> dict[str, Any]:
    """What somebody sees who looks at the file that the restore keeps current."""
    found: dict[str, Any] = json.loads((site.state_dir / "restore_status.json").read_text())
    return found


def end(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def inodes(paths: list[Path]) -> list[int]:
    return [path.stat().st_ino for path in paths]


def test_a_restore_that_outlived_its_play_keeps_others_out_and_spares_an_open_database(
    working_site: tuple[Site, WorkloadClient], request: pytest.FixtureRequest
) -> None:
    site, client = working_site
    datafiles = [Path(row[0]) for row in site.database.sql("SELECT name FROM v$datafile")]
    assert (backup := site.play("hot_backup")).status == 0, backup.output
    client.wait_for_commits(30)
    site.database.crash()
    client.wait_until_ended()
    in_place = inodes(datafiles)

    # The files are there, so the copies that are to replace them are read first.
    play = site.start_play(restore_of_files(site))
    status = site.state_dir / "restore_status.json"
    module = wait_until(lambda: status.exists() and module_at_work(site), "a restore at work")
    os.kill(module, signal.SIGSTOP)
    request.addfinalizer(lambda: end(module))
    assert (told(site)["state"], told(site)["pid"]) == ("running", module)
    os.killpg(play.pid, signal.SIGKILL)
    play.communicate(timeout=60)

    refused = site.restore()
    assert refused.status != 0
    assert f"process {module} on" in refused.output
    assert "Wait until it has ended, or end that process" in refused.output
    assert "Recover | stop what still runs" not in refused.output
    assert inodes(datafiles) == in_place

    site.database.start()
    client.start(resume=True)
    client.wait_for_commits(30)
    os.kill(module, signal.SIGCONT)
    wait_until(lambda: module_at_work(site) == 0, "the end of the module")
    assert told(site)["state"] == "failed"
    assert "is open; its datafiles cannot be replaced" in told(site)["message"]
    assert inodes(datafiles) == in_place
    client.stop()
    site.database.crash()
    site.database.start()
    verdict = judge(site, client)
    assert verdict.good, verdict.findings
    assert verdict.checked >= 60
