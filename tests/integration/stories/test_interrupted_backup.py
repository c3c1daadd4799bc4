# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backup mode always ends: plays, runners and instances die in the middle of a copy."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from witness.check import check_database

from .conftest import SPEC, MakeSite, Site, wait_until

SET = "20260101T000000Z"
BIG = {"tablespaces": [*SPEC["tablespaces"], {"name": "BIG", "files": [{"size": "192M"}, {"size": "192M"}]}]}


@pytest.fixture
def big_site(make_site: MakeSite) -> Site:
    """A database whose copy takes long enough to be interrupted."""
    return make_site(**BIG)


def runner_pid(site: Site) -> int:
    """The runner's process, as its own status file says."""
    status = wait_until(lambda: list(site.state_dir.rglob("status.json")), "a status file")[0]
    return int(
        wait_until(lambda: json.loads(Path(status).read_text()).get("pid"), "a pid in the status file")
    )


def wait_for_a_window(site: Site) -> None:
    with site.database.connect("SYS") as connection, connection.cursor() as cursor:

        def active() -> bool:
            cursor.execute("SELECT COUNT(*) FROM v$backup WHERE status = 'ACTIVE'")
            return bool(cursor.fetchone()[0])

        wait_until(active, "a tablespace in backup mode")


def finish_and_prove(site: Site) -> None:
    """The same set id again completes the set; it restores."""
    client = site.client()
    client.start()
    client.wait_for_commits(5)
    again = site.play("hot_backup", hot_backup_set_id=SET)
    assert again.status == 0, again.output
    assert (site.sets()[0] / "manifest.json").is_file()
    client.wait_for_commits(5)
    victims = [Path(row[0]) for row in site.database.sql("SELECT name FROM v$datafile")]
    site.database.crash()
    for victim in victims:
        victim.unlink()
    client.wait_until_ended()
    assert (restore := site.restore()).status == 0, restore.output
    with site.database.connect("APP") as connection:
        verdict = check_database(connection, client.ledger(), None)
    assert verdict.good, verdict.findings


def test_the_play_is_killed_and_the_runner_closes_its_windows(big_site: Site) -> None:
    play = big_site.start_play("hot_backup", hot_backup_set_id=SET)
    wait_for_a_window(big_site)
    os.killpg(play.pid, signal.SIGKILL)
    play.wait()
    wait_until(lambda: big_site.files_in_backup_mode() == [], "no file in backup mode")
    finish_and_prove(big_site)


def test_the_runner_is_killed_and_the_guardian_ends_backup_mode(big_site: Site) -> None:
    play = big_site.start_play("hot_backup", hot_backup_set_id=SET)
    pid = runner_pid(big_site)
    wait_for_a_window(big_site)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: big_site.files_in_backup_mode() == [], "no file in backup mode")
    output, _nothing = play.communicate(timeout=120)
    assert play.returncode != 0, output
    assert f"The runner of set {SET} died; backup mode of " in output
    assert "was ended by the guardian. Run the same set_id again" in output
    assert str(big_site.state_dir / "runtime" / SET / "runner.log") in output
    finish_and_prove(big_site)


def test_play_and_runner_are_killed_together(big_site: Site) -> None:
    play = big_site.start_play("hot_backup", hot_backup_set_id=SET)
    pid = runner_pid(big_site)
    wait_for_a_window(big_site)
    os.killpg(play.pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    play.wait()
    wait_until(lambda: big_site.files_in_backup_mode() == [], "no file in backup mode")
    finish_and_prove(big_site)


def test_a_cancelled_play_leaves_nothing_in_backup_mode(big_site: Site) -> None:
    """AWX cancels with SIGTERM, a person with SIGINT; neither runs the play's always sections."""
    play = big_site.start_play("hot_backup", hot_backup_set_id=SET)
    wait_for_a_window(big_site)
    os.killpg(play.pid, signal.SIGINT)
    play.communicate(timeout=120)
    wait_until(lambda: big_site.files_in_backup_mode() == [], "no file in backup mode")
    finish_and_prove(big_site)
