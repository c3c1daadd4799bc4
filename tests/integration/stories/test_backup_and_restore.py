# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main stories: back up under load, lose something, restore, compare every row."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import zstandard

from oracle_simulator.program.local_socket import LocalError
from witness.check import Verdict, check_database
from witness.process import WorkloadClient

from .conftest import MakeSite, Site, wait_until

SET = "20260101T000000Z"
RESOURCE_BUSY = 54


def judge(site: Site, client: WorkloadClient, target_scn: int | None = None) -> Verdict:
    """Compare the database with the client's ledger."""
    with site.database.connect("APP") as connection:
        return check_database(connection, client.ledger(), target_scn)


def lose(site: Site, *, control_files: bool = False, online_logs: bool = False) -> None:
    """SIGKILL the instance and delete its datafiles, and more."""
    victims = [Path(row[0]) for row in site.database.sql("SELECT name FROM v$datafile")]
    if control_files:
        victims += [Path(row[0]) for row in site.database.sql("SELECT name FROM v$controlfile")]
    if online_logs:
        victims += [Path(row[0]) for row in site.database.sql("SELECT member FROM v$logfile")]
    site.database.crash()
    for victim in victims:
        victim.unlink()


def dropped(site: Site, table: str) -> bool:
    """Drop a table; False while a transaction holds it."""
    try:
        site.database.sql(f"DROP TABLE {table} PURGE")
    except LocalError as error:
        if error.code != RESOURCE_BUSY:
            raise
        return False
    return True


def incarnations(site: Site) -> int:
    return int(site.database.sql("SELECT COUNT(*) FROM v$database_incarnation")[0][0])


def test_all_datafiles_lost_nothing_acknowledged_is_lost(working_site: tuple[Site, WorkloadClient]) -> None:
    site, client = working_site
    assert (backup := site.play("hot_backup")).status == 0, backup.output
    assert site.files_in_backup_mode() == []
    client.wait_for_commits(30)
    lose(site)
    client.wait_until_ended()
    assert (restore := site.restore()).status == 0, restore.output
    verdict = judge(site, client)
    assert verdict.good, verdict.findings
    assert verdict.checked >= 30
    assert incarnations(site) == 1
    client.start(resume=True)
    client.wait_for_commits(5)


def decompressed(path: Path) -> bytes:
    """What a DBA's own tool makes of a stored file."""
    program = shutil.which("zstd")
    if program is not None:
        return subprocess.run([program, "-dc", str(path)], capture_output=True, check=True).stdout
    return zstandard.ZstdDecompressor().stream_reader(path.read_bytes(), read_across_frames=True).read()


def digest_of(content: bytes) -> str:
    """The digest of a file of a single chunk, by its definition."""
    assert len(content) <= 64 << 20
    return hashlib.sha256(hashlib.sha256(content).digest()).hexdigest()


def test_a_compressed_set_gives_every_row_back(working_site: tuple[Site, WorkloadClient]) -> None:
    site, client = working_site
    wishes = {"hot_backup_compression": "zstd", "hot_backup_compression_threads": 1}
    assert (backup := site.play("hot_backup", **wishes)).status == 0, backup.output
    assert site.files_in_backup_mode() == []
    (folder,) = site.sets()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {item["compression"] for item in manifest["files"]} == {"zstd"}
    assert len(manifest["files"]) == len(site.database.sql("SELECT name FROM v$datafile"))
    for item in manifest["files"]:
        stored = folder / item["path"]
        assert stored.name.endswith(".dbf.zst")
        assert item["stored_size_bytes"] == stored.stat().st_size < item["size_bytes"]
        assert item["stored_digest"] == hashlib.sha256(stored.read_bytes()).hexdigest()
        content = decompressed(stored)
        assert (len(content), digest_of(content)) == (item["size_bytes"], item["digest"])
    for item in (*manifest["control"], *manifest["redo"]):
        root = folder if (folder / item["path"]).exists() else folder.parents[1]
        assert digest_of((root / item["path"]).read_bytes()) == item["digest"]
    verified = site.ask("backup_set_info", destination=str(site.destination), verify="full")
    assert [item["verdict"] for item in verified["sets"]] == ["good"]
    client.wait_for_commits(30)
    lose(site)
    client.wait_until_ended()
    assert (restore := site.restore()).status == 0, restore.output
    verdict = judge(site, client)
    assert verdict.good, verdict.findings
    assert verdict.checked >= 30
    assert incarnations(site) == 1


def test_datafiles_and_control_files_lost_no_new_incarnation(
    working_site: tuple[Site, WorkloadClient],
) -> None:
    site, client = working_site
    assert (backup := site.play("hot_backup")).status == 0, backup.output
    client.wait_for_commits(30)
    lose(site, control_files=True)
    client.wait_until_ended()
    assert (restore := site.restore()).status == 0, restore.output
    verdict = judge(site, client)
    assert verdict.good, verdict.findings
    assert incarnations(site) == 1
    # read-only tablespaces and tempfiles are not in a control file made anew by itself
    assert site.database.sql(
        "SELECT status FROM dba_tablespaces WHERE tablespace_name = 'ARCHIVED_SALES'"
    ) == [["READ ONLY"]]
    assert site.database.sql("SELECT COUNT(*) FROM v$tempfile") == [[1]]


def test_everything_lost_every_archived_commit_survives(working_site: tuple[Site, WorkloadClient]) -> None:
    """Online redo is lost too: what its archived part holds is the most that can come back."""
    site, client = working_site
    assert (backup := site.play("hot_backup")).status == 0, backup.output
    client.wait_for_commits(20)
    client.stop()
    site.database.sql("ALTER SYSTEM ARCHIVE LOG CURRENT")
    lose(site, control_files=True, online_logs=True)
    manifest = json.loads((site.sets()[0] / "manifest.json").read_text())
    last_log = site.database.home.archive_folder
    assert any(last_log.iterdir())
    through = max(attempt.scn_after or 0 for attempt in client.ledger().attempts)
    assert through > manifest["end_scn"]
    assert (restore := site.restore(restore_until_scn=through)).status == 0, restore.output
    verdict = judge(site, client, through)
    assert verdict.good, verdict.findings
    assert incarnations(site) == 2


def test_point_in_time_before_a_drop(working_site: tuple[Site, WorkloadClient]) -> None:
    site, client = working_site
    assert (backup := site.play("hot_backup")).status == 0, backup.output
    client.wait_for_commits(30)
    target = int(site.database.sql("SELECT current_scn FROM v$database")[0][0])
    client.wait_for_commits(10)
    wait_until(lambda: dropped(site, "app.orders"), "no transaction on the table (ORA-00054)")
    client.wait_until_ended()
    assert (restore := site.restore(restore_until_scn=target)).status == 0, restore.output
    verdict = judge(site, client, target)
    assert verdict.good, verdict.findings
    assert any(attempt.scn_before > target for attempt in client.ledger().attempts)
    assert incarnations(site) == 2


def test_new_tablespaces_and_files_are_in_the_next_set(site: Site) -> None:
    assert site.play("hot_backup", hot_backup_set_id=SET).status == 0
    folder = site.database.home.datafile_folder
    site.database.sql(
        f"CREATE TABLESPACE news DATAFILE '{folder}/news01.dbf' SIZE 2M",
        f"ALTER TABLESPACE users ADD DATAFILE '{folder}/users02.dbf' SIZE 2M",
    )
    assert (again := site.play("hot_backup", hot_backup_set_id="20260102T000000Z")).status == 0, again.output
    names = {path.name.split("_", 1)[1] for path in (site.sets()[1] / "datafiles").iterdir()}
    assert {"news01.dbf", "users02.dbf"} <= names


def test_the_second_run_of_the_same_set_changes_nothing(site: Site) -> None:
    first = site.play("hot_backup", hot_backup_set_id=SET)
    assert first.status == 0, first.output
    before = {path: path.stat().st_mtime_ns for path in site.destination.rglob("*") if path.is_file()}
    second = site.play("hot_backup", hot_backup_set_id=SET)
    assert second.status == 0, second.output
    assert second.changed == 0, second.output
    assert {path: path.stat().st_mtime_ns for path in site.destination.rglob("*") if path.is_file()} == before


def test_check_mode_shows_the_plan_and_touches_nothing(site: Site) -> None:
    outcome = site.play("hot_backup", "--check")
    assert outcome.status == 0, outcome.output
    assert "SALES" in outcome.output
    assert not site.destination.exists()
    assert not site.state_dir.exists()
    assert site.database.sql("SELECT COUNT(*) FROM v$backup WHERE change# > 0") == [[0]]


def test_a_restore_without_consent_or_with_an_impossible_option_changes_nothing(site: Site) -> None:
    assert site.play("hot_backup").status == 0
    for wish, reason in (
        ({"restore_confirm": "OTHER@dbhost"}, "restore_confirm to ORCL@dbhost"),
        ({"restore_nice": 20}, "Option nice is 20; it must be 0 to 19."),
        ({"oracle_admin_password": ""}, "Option login_password is empty"),
        ({"restore_until_scn": -1}, "No set of ORCL"),
    ):
        refused = site.restore(**wish)
        assert refused.status != 0
        assert reason in refused.output
        assert refused.changed == 0, refused.output
        assert site.database.running
        assert site.database.sql("SELECT open_mode FROM v$database") == [["READ WRITE"]]


def test_a_database_in_noarchivelog_mode_is_refused_with_the_reason(make_site: MakeSite) -> None:
    site = make_site(archive_mode=False)
    refused = site.play("hot_backup")
    assert refused.status != 0
    assert "NOARCHIVELOG" in refused.output
    assert site.sets() == []
