# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tablespaces came and went after the backup; a set was damaged before the restore."""

from __future__ import annotations

from pathlib import Path

from witness.check import check_database
from witness.process import WorkloadClient

from .conftest import Site


def add_news(site: Site) -> None:
    """A tablespace and a row in it that no set holds."""
    folder = site.database.home.datafile_folder
    site.database.sql(
        f"CREATE TABLESPACE news DATAFILE '{folder}/news01.dbf' SIZE 2M",
        "CREATE TABLE app.headlines (id NUMBER) TABLESPACE news",
    )
    with site.database.connect("APP") as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO headlines VALUES (7)")
        connection.commit()


def headlines(site: Site) -> list[list[int]]:
    return site.database.sql("SELECT id FROM app.headlines")


def test_the_past_has_the_dropped_tablespace_and_the_one_that_was_added(
    working_site: tuple[Site, WorkloadClient],
) -> None:
    site, client = working_site
    assert (backup := site.play("hot_backup")).status == 0, backup.output
    add_news(site)
    client.wait_for_commits(5)
    target = int(site.database.sql("SELECT current_scn FROM v$database")[0][0])
    client.wait_for_commits(5)
    client.stop()
    names = site.database.sql("SELECT name FROM v$datafile ORDER BY file#")
    site.database.sql("DROP TABLESPACE sales INCLUDING CONTENTS AND DATAFILES", "DELETE FROM app.headlines")
    assert (restore := site.restore(restore_until_scn=target)).status == 0, restore.output
    with site.database.connect("APP") as connection:
        verdict = check_database(connection, client.ledger(), target)
    assert verdict.good, verdict.findings
    assert headlines(site) == [[7]]
    assert site.database.sql("SELECT name FROM v$datafile ORDER BY file#") == names


def test_a_lost_file_that_no_set_holds_comes_back_from_redo(site: Site) -> None:
    assert (backup := site.play("hot_backup")).status == 0, backup.output
    add_news(site)
    victims = [Path(row[0]) for row in site.database.sql("SELECT name FROM v$datafile")]
    site.database.crash()
    for victim in victims:
        victim.unlink()
    assert (restore := site.restore()).status == 0, restore.output
    assert headlines(site) == [[7]]
    assert {Path(row[0]) for row in site.database.sql("SELECT name FROM v$datafile")} == set(victims)


def test_a_damaged_copy_is_found_before_any_file_is_replaced(site: Site) -> None:
    assert (backup := site.play("hot_backup")).status == 0, backup.output
    copy = next(site.sets()[0].glob("datafiles/*_sales02.dbf"))
    damaged = bytearray(copy.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    copy.write_bytes(damaged)
    folder = site.database.home.datafile_folder
    before = {path: path.stat().st_ino for path in folder.iterdir()}
    restore = site.restore()
    assert restore.status != 0
    assert "No file was replaced" in restore.output
    assert {path: path.stat().st_ino for path in folder.iterdir()} == before
    if not site.database.running:
        site.database.start("open")
    assert site.database.sql("SELECT open_mode FROM v$database") == [["READ WRITE"]]
