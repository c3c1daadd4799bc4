# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backup mode that nobody is left to end: the repair playbook ends what is provably ours, and nothing else."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import oracledb
import pytest

from .conftest import SPEC, MakeSite, Outcome, Site, wait_until

PLAYBOOK = "end_stale_backup_mode"
SET = "20260101T000000Z"
BIG = {"tablespaces": [*SPEC["tablespaces"], {"name": "BIG", "files": [{"size": "192M"}, {"size": "192M"}]}]}


@pytest.fixture
def big_site(make_site: MakeSite) -> Site:
    """A database whose copy takes long enough to be interrupted."""
    return make_site(**BIG)


def processes_of_the_run(site: Site) -> list[int]:
    """Runner and guardian: what executes the code in the set's runtime folder."""
    wanted = os.fsencode(site.state_dir / "runtime" / SET)
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and wanted in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return sorted(found)


def sessions_of_the_run(site: Site) -> int:
    with site.database.connect("SYS") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM gv$session WHERE action = :action", action=SET)
        return int(cursor.fetchone()[0])


def start_and_wait_for_a_window(site: Site) -> subprocess.Popen[str]:
    """Start a backup; the play's process, which leads a group of its own."""
    play = site.start_play("hot_backup", hot_backup_set_id=SET)
    wait_until(site.files_in_backup_mode, "a tablespace in backup mode")
    assert len(processes_of_the_run(site)) == 2
    return play


@pytest.fixture
def abandoned_site(big_site: Site) -> Site:
    """Play, runner and guardian were killed together inside a window: only the repair is left."""
    play = start_and_wait_for_a_window(big_site)
    os.killpg(play.pid, signal.SIGKILL)
    for pid in processes_of_the_run(big_site):
        os.kill(pid, signal.SIGKILL)
    play.communicate()
    wait_until(lambda: processes_of_the_run(big_site) == [], "no process of the run")
    wait_until(lambda: sessions_of_the_run(big_site) == 0, "no session of the run")
    assert big_site.files_in_backup_mode()
    return big_site


def files_of(site: Site, tablespace: str) -> list[int]:
    rows = site.database.sql(
        f"SELECT file_id FROM dba_data_files WHERE tablespace_name = '{tablespace}' ORDER BY file_id"
    )
    return [int(row[0]) for row in rows]


def succeeded(outcome: Outcome) -> Outcome:
    assert outcome.status == 0, outcome.output
    return outcome


def test_what_a_dead_run_left_is_ended_and_the_set_completes(abandoned_site: Site) -> None:
    site = abandoned_site
    before = site.files_in_backup_mode()
    assert succeeded(site.play(PLAYBOOK, "--check")).changed == 1
    assert site.files_in_backup_mode() == before
    assert succeeded(site.play(PLAYBOOK)).changed == 1
    assert site.files_in_backup_mode() == []
    assert succeeded(site.play(PLAYBOOK)).changed == 0
    succeeded(site.play("hot_backup", hot_backup_set_id=SET))
    assert (site.sets()[0] / "manifest.json").is_file()


def test_somebody_elses_backup_mode_does_not_keep_ours_from_being_ended(abandoned_site: Site) -> None:
    site = abandoned_site
    users = files_of(site, "USERS")
    assert not set(users) & set(site.files_in_backup_mode())
    site.database.sql("ALTER TABLESPACE users BEGIN BACKUP")
    assert "not ours, left alone: USERS@dbhost" in succeeded(site.play(PLAYBOOK)).output
    assert site.files_in_backup_mode() == users


def test_somebody_elses_backup_mode_is_ended_only_when_named(site: Site) -> None:
    users, sales = files_of(site, "USERS"), files_of(site, "SALES")
    site.database.sql("ALTER TABLESPACE users BEGIN BACKUP", "ALTER TABLESPACE sales BEGIN BACKUP")
    reported = succeeded(site.play(PLAYBOOK))
    assert reported.changed == 0
    assert "SALES@dbhost" in reported.output
    assert "USERS@dbhost" in reported.output
    succeeded(site.play(PLAYBOOK, end_stale_tablespaces="USERS@otherhost,SALES@dbhost2,USERS"))
    assert site.files_in_backup_mode() == sorted(users + sales)
    ended = succeeded(site.play(PLAYBOOK, end_stale_tablespaces="USERS@dbhost"))
    assert 'ALTER TABLESPACE \\"USERS\\" END BACKUP' in ended.output
    assert site.files_in_backup_mode() == sales


@pytest.fixture
def halted_run(big_site: Site) -> Iterator[Site]:
    """A run that lives, but stands still inside a window."""
    play = start_and_wait_for_a_window(big_site)
    pids = processes_of_the_run(big_site)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield big_site
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    output, _nothing = play.communicate(timeout=300)
    assert play.returncode == 0, output


def test_the_windows_of_a_live_run_are_left_alone(halted_run: Site) -> None:
    before = halted_run.files_in_backup_mode()
    assert before
    outcome = succeeded(halted_run.play(PLAYBOOK, end_stale_tablespaces="BIG@dbhost"))
    assert f"left to runs at work: {SET}" in outcome.output
    assert outcome.changed == 0
    assert halted_run.files_in_backup_mode() == before


def test_a_database_that_does_not_open_is_not_touched_and_recovery_helps_it(site: Site) -> None:
    users = files_of(site, "USERS")
    site.database.sql("ALTER TABLESPACE users BEGIN BACKUP")
    site.database.crash()
    site.database.start("mount")
    with site.database.connect("SYS") as connection, connection.cursor() as cursor:
        with pytest.raises(oracledb.DatabaseError, match="ORA-10873"):
            cursor.execute("ALTER DATABASE OPEN")
        administrator = {
            "oracle_login_user": "SYS",
            "oracle_login_mode": "sysdba",
            "oracle_login_password": "{{ oracle_admin_password }}",
        }
        refused = site.play(PLAYBOOK, end_stale_tablespaces="USERS@dbhost", **administrator)
        assert refused.status != 0
        assert "RECOVER DATABASE, then ALTER DATABASE OPEN" in refused.output
        assert site.files_in_backup_mode() == users
        cursor.execute("ALTER DATABASE RECOVER DATABASE")
        cursor.execute("ALTER DATABASE OPEN")
    assert site.files_in_backup_mode() == []
