# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore to a point in time begins a new incarnation: what older sets are still good for is said, and is true."""

from __future__ import annotations

import re

from witness.process import WorkloadClient

from .conftest import Outcome, Site
from .test_backup_and_restore import incarnations, judge, lose

NEW_SET = "20200101T000000Z"
"""Older by its name than any other, but sealed last."""


def words(outcome: Outcome) -> str:
    """What was said, however it was wrapped."""
    return " ".join(outcome.output.replace("\\n", " ").split())


def test_without_a_new_backup_only_the_past_comes_back_and_with_one_everything(
    working_site: tuple[Site, WorkloadClient],
) -> None:
    site, client = working_site
    assert (backup := site.play("hot_backup")).status == 0, backup.output
    client.wait_for_commits(20)
    target = int(site.database.sql("SELECT current_scn FROM v$database")[0][0])
    client.wait_for_commits(10)
    client.stop()
    assert (back := site.restore(restore_until_scn=target)).status == 0, back.output
    assert incarnations(site) == 2

    refused = site.restore()
    assert refused.status != 0
    assert refused.changed == 0, refused.output
    assert "was given up from SCN" in words(refused)
    assert "take a new backup" in words(refused)
    (advised,) = set(re.findall(r"only SCN (\d+) to (\d+) can be reached", words(refused)))
    assert int(advised[1]) >= target
    for scn in advised:
        possible = site.play("restore", "--check", restore_hosts="dbhost", restore_until_scn=scn)
        assert possible.status == 0, possible.output
    beyond = int(advised[1]) + 1
    assert site.play("restore", "--check", restore_hosts="dbhost", restore_until_scn=beyond).status != 0

    assert (again := site.play("hot_backup", hot_backup_set_id=NEW_SET)).status == 0, again.output
    lose(site)
    assert (complete := site.restore()).status == 0, complete.output
    assert f"set {NEW_SET}" in words(complete)
    verdict = judge(site, client, target)
    assert verdict.good, verdict.findings
