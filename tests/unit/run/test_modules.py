# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules tablespace_backup, archivelog_backup and backup_set, as Ansible calls them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import file_digest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal, read_journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings
from ansible_collections.hotbackup.oracle.plugins.module_utils._run import redo_intake
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.copy_settings import stream_settings
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.state_folder import StateFolder
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.status import RunStatus, StatusWriter

from unit.files.oracle_file_writer import ControlFile, Datafile, RedoLog
from unit.modules.conftest import LOGIN, RunModule
from unit.oracle.fake_database import FakeDatabase
from unit.run.host import SET_ID

DBID = 1684523458
RESETLOGS_ID = 77
BEGIN_SCN = 4700
END_SCN = 4750
READ_ONLY_FILE = 5
CLOSED_PORT = 1


class Backup:
    """One set of the stand-in's database, and calls of the modules on it."""

    def __init__(self, tmp_path: Path, database: FakeDatabase, run_module: RunModule) -> None:
        self.database = database
        self.destination = tmp_path / "backup"
        self.destination.mkdir()
        self.archive = tmp_path / "archive"
        self.archive.mkdir()
        self.state = StateFolder(tmp_path / "state")
        self.layout = SetLayout(str(self.destination), "ORCL", DBID, SET_ID)
        self._run_module = run_module

    def call(self, name: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        common = {
            **LOGIN,
            "login_host": "127.0.0.1",
            "login_port": CLOSED_PORT,
            "login_connect_timeout": 2,
            "destination": str(self.destination),
        }
        if name != "archivelog_backup":
            common["state_dir"] = str(self.state.root)
        if "from_scn" not in options:
            common["set_id"] = SET_ID
        return self._run_module(name, check=check, **{**common, **options})

    def disk(self) -> list[str]:
        roots = (self.destination, self.state.root)
        return sorted(str(path) for root in roots if root.exists() for path in root.rglob("*"))

    def copy_everything(self) -> None:
        """What a run leaves, made by hand: stored files whose headers are right, and the journal."""
        self.layout.datafiles_folder.mkdir(parents=True)
        hot = [row["file#"] for row in self.database.views["v$datafile"] if row["file#"] != READ_ONLY_FILE]
        windows = {str(number): BEGIN_SCN for number in hot}
        with Journal.open(self.layout.journal_path) as journal:
            journal.append(
                "run_started",
                run_id="run1",
                set_id=SET_ID,
                dbid=DBID,
                db_unique_name="ORCL",
                resetlogs_id=RESETLOGS_ID,
                policy={"tablespaces": [], "exclude": [], "query": ""},
            )
            journal.append("window_intent", run_id="run1", tablespace="ALL", con_id=0, files=hot)
            journal.append("window_opened", run_id="run1", tablespace="ALL", con_id=0, files=windows)
            for row in self.database.views["v$datafile"]:
                self._copy(journal, row)
            journal.append(
                "window_closed",
                run_id="run1",
                tablespace="ALL",
                con_id=0,
                files=windows,
                end_scn=4740,
                by="runner",
            )
            journal.append("run_copied", run_id="run1", end_scn=END_SCN)
            journal.append("run_ended", run_id="run1")

    def _copy(self, journal: Journal, row: dict[str, Any]) -> None:
        number = row["file#"]
        hot = number != READ_ONLY_FILE
        path = self.layout.datafile_path(number, row["name"])
        Datafile(
            number=number,
            relative=number,
            dbid=DBID,
            resetlogs_time=RESETLOGS_ID,
            status=0x0005 if hot else 0,
            creation_scn=row["creation_change#"],
            checkpoint_scn=BEGIN_SCN if hot else 4500,
            begin_backup_scn=BEGIN_SCN if hot else 0,
        ).fill(3).write(path)
        found, status = file_digest(path), path.stat()
        journal.append(
            "file_copied",
            run_id="run1",
            file_number=number,
            tablespace="ALL" if hot else "HISTORY",
            creation_scn=row["creation_change#"],
            source=row["name"],
            path=self.layout.relative(path),
            size_bytes=found.size_bytes,
            digest=found.digest,
            chunk_digests=list(found.chunk_digests),
            chunk_size_bytes=found.chunk_size_bytes,
            inode=status.st_ino,
            mtime_ns=status.st_mtime_ns,
            begin_scn=BEGIN_SCN if hot else None,
            checkpoint_scn=BEGIN_SCN if hot else 4500,
            method="backup_mode" if hot else "plain_copy",
        )

    def archive_log(self, sequence: int, first_scn: int, next_scn: int) -> Path:
        path = RedoLog(
            sequence=sequence,
            dbid=DBID,
            resetlogs_id=RESETLOGS_ID,
            first_scn=first_scn,
            next_scn=next_scn,
        ).write(self.archive / f"1_{sequence}.arc")
        rows = self.database.views["v$archived_log"]
        rows[:] = [row for row in rows if row["sequence#"] != sequence]
        rows.append(self.database.archived(sequence, first_scn, next_scn, name=str(path), blocks=9))
        return path

    def save_control(self) -> None:
        files = []
        self.layout.control_folder.mkdir()
        self.layout.parameters_folder.mkdir()
        ControlFile(dbid=DBID).write(self.layout.control_copy)
        for kind, path in (
            ("control_file", self.layout.control_copy),
            ("noresetlogs_script", self.layout.noresetlogs_script),
            ("resetlogs_script", self.layout.resetlogs_script),
            ("pfile", self.layout.pfile),
        ):
            if not path.exists():
                path.write_text(kind)
            found = file_digest(path)
            files.append(
                {
                    "kind": kind,
                    "path": self.layout.relative(path),
                    "size_bytes": found.size_bytes,
                    "digest": found.digest,
                }
            )
        with Journal.open(self.layout.journal_path) as journal:
            journal.append("control_saved", run_id="c", files=files, control_scn=END_SCN + 1)


@pytest.fixture
def backup(tmp_path: Path, fake: FakeDatabase, run_module: RunModule) -> Backup:
    return Backup(tmp_path, fake, run_module)


def documented_keys(name: str) -> set[str]:
    module = importlib.import_module(f"ansible_collections.hotbackup.oracle.plugins.modules.{name}")
    return set(yaml.safe_load(module.RETURN))


def keys_of(result: dict[str, Any]) -> set[str]:
    return set(result) - {"changed", "invocation", "warnings"}


def test_check_mode_returns_the_plan_and_touches_nothing(backup: Backup) -> None:
    before = backup.disk()
    result = backup.call("tablespace_backup", check=True, streams=3)
    assert result["changed"]
    assert [item["name"] for item in result["plan"]["tablespaces"]] == [
        "USERS",
        "HISTORY",
        "UNDOTBS1",
        "SYSTEM",
    ]
    assert result["plan"]["streams"] == 3
    assert 'ALTER TABLESPACE "USERS" BEGIN BACKUP' in result["statements"]
    assert 'ALTER TABLESPACE "HISTORY" BEGIN BACKUP' not in result["statements"]
    assert backup.disk() == before
    assert not backup.state.root.exists()
    assert backup.database.connection.executed == []
    assert keys_of(result) == documented_keys("tablespace_backup")


def test_noarchivelog_is_refused_with_the_reason_also_in_check_mode(backup: Backup) -> None:
    backup.database.database_row["log_mode"] = "NOARCHIVELOG"
    for check in (True, False):
        result = backup.call("tablespace_backup", check=check)
        assert result["failed"]
        assert "NOARCHIVELOG" in result["msg"]
        assert result["problems"][0]["code"] == "noarchivelog"
    assert backup.disk() == []


def test_an_impossible_way_to_copy_is_refused_before_the_database_is_asked(backup: Backup) -> None:
    result = backup.call("tablespace_backup", nice=20)
    assert result["failed"]
    assert result["msg"] == "Option nice is 20; it must be 0 to 19."
    assert result["statements"] == []
    assert backup.disk() == []


def test_foreign_backup_mode_is_refused(backup: Backup) -> None:
    backup.database.activate(3, 4, scn=4600)
    result = backup.call("tablespace_backup")
    assert result["failed"]
    assert "USERS is in backup mode" in result["msg"]
    assert backup.disk() == []


def test_finished_set_is_unchanged_and_starts_nothing(backup: Backup) -> None:
    backup.copy_everything()
    before = backup.disk()
    for check in (True, False):
        result = backup.call("tablespace_backup", check=check)
        assert not result["changed"]
        assert [item["file_number"] for item in result["files"]] == [1, 2, 3, 4, 5]
        assert (result["begin_scn"], result["end_scn"]) == (BEGIN_SCN, END_SCN)
        assert result["run"] is None
        assert keys_of(result) == documented_keys("tablespace_backup")
    assert backup.disk() == before


def test_finished_set_with_another_selection_is_refused(backup: Backup) -> None:
    backup.copy_everything()
    result = backup.call("tablespace_backup", exclude=["USERS"])
    assert result["failed"]
    assert "was begun with" in result["msg"]


def test_started_runner_is_a_process_of_its_own_and_its_failure_is_the_tasks(backup: Backup) -> None:
    # The runner connects for itself, and nothing listens there.
    result = backup.call("tablespace_backup")
    assert result["failed"]
    assert "Failed to connect" in result["msg"]
    assert result["run"]["state"] == "failed"
    assert result["run"]["pid"] > 1
    assert not backup.layout.database_folder.exists()
    everything = json.dumps(result) + Path(result["run"]["log_path"]).read_text()
    assert LOGIN["login_password"] not in everything
    for path in backup.state.root.rglob("*"):
        if path.is_file():
            assert LOGIN["login_password"].encode() not in path.read_bytes()


def test_started_run_can_be_followed(backup: Backup) -> None:
    started = backup.call("tablespace_backup", wait=False)
    assert started["changed"]
    followed = backup.call("tablespace_backup", follow=started["run"]["run_id"], poll_interval=60)
    assert followed["failed"]
    assert "Failed to connect" in followed["msg"]


def test_followed_run_that_succeeded_returns_what_is_in_the_set(backup: Backup) -> None:
    backup.copy_everything()
    backup.state.create()
    status = RunStatus(
        set_id=SET_ID,
        run_id="run1",
        pid=1,
        started_at="2026-03-01T01:00:00Z",
        journal_path=str(backup.layout.journal_path),
    )
    StatusWriter(backup.state.status_path, status).update(state="succeeded", phase="finished")
    result = backup.call("tablespace_backup", follow="run1")
    assert result["changed"]
    assert len(result["files"]) == 5
    assert result["windows"][0]["closed_by"] == "runner"
    assert result["statements"] == [
        'ALTER TABLESPACE "ALL" BEGIN BACKUP',
        'ALTER TABLESPACE "ALL" END BACKUP',
    ]
    assert result["plan"] is None
    assert keys_of(result) == documented_keys("tablespace_backup")


def test_set_id_that_is_none_is_refused(backup: Backup) -> None:
    result = backup.call("tablespace_backup", set_id="../../etc")
    assert result["failed"]
    assert "not a set id" in result["msg"]


def test_redo_of_a_set_is_kept_and_unchanged_the_second_time(backup: Backup) -> None:
    backup.copy_everything()
    backup.archive_log(10, 4000, 4720)
    backup.archive_log(11, 4720, 4800)
    planned = backup.call("archivelog_backup", check=True)
    assert planned["changed"]
    assert not backup.layout.redo_folder.exists()
    first = backup.call("archivelog_backup")
    assert first["changed"]
    assert [log["sequence"] for log in first["logs"]] == [10, 11]
    assert first["chain"]["complete"]
    assert keys_of(first) == keys_of(planned) == documented_keys("archivelog_backup")
    second = backup.call("archivelog_backup")
    assert not second["changed"]
    assert second["logs"] == [{**log, "changed": False} for log in first["logs"]]
    events = [record["event"] for record in read_journal(backup.layout.journal_path)]
    assert events.count("redo_copied") == 2


def test_a_damaged_log_fails_the_task_and_the_others_are_kept_and_noted(backup: Backup) -> None:
    backup.copy_everything()
    damaged = backup.archive_log(10, 4000, 4720)
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-512])
    backup.archive_log(11, 4720, 4800)
    result = backup.call("archivelog_backup", streams=2)
    assert result["failed"]
    assert "Redo thread 1 sequence 10 cannot be kept: destination 1: " in result["msg"]
    assert [(log["thread"], log["sequence"]) for log in result["lost_logs"]] == [(1, 10)]
    noted = [entry for entry in read_journal(backup.layout.journal_path) if entry["event"] == "redo_copied"]
    assert [entry["sequence"] for entry in noted] == [11]
    assert backup.layout.redo_path(RESETLOGS_ID, 1, 11).is_file()
    damaged.write_bytes(content)
    result = backup.call("archivelog_backup")
    assert [(log["sequence"], log["changed"]) for log in result["logs"]] == [(10, True), (11, False)]


def test_how_redo_is_copied_can_be_said(backup: Backup, monkeypatch: pytest.MonkeyPatch) -> None:
    backup.copy_everything()
    backup.archive_log(10, 4000, 4720)
    backup.archive_log(11, 4720, 4800)
    asked: list[CopyTuning] = []

    def noting(tuning: CopyTuning) -> StreamSettings:
        asked.append(tuning)
        return stream_settings(tuning)

    monkeypatch.setattr(redo_intake, "stream_settings", noting)
    options = {"streams": 2, "buffer_bytes": 65536, "max_bytes_per_second": 10**9, "nice": 1}
    assert backup.call("archivelog_backup", **options)["changed"]
    assert asked == [CopyTuning(**options)]
    for wrong in ({"streams": 0}, {"buffer_bytes": 1000}, {"max_bytes_per_second": -1}, {"nice": 20}):
        result = backup.call("archivelog_backup", **wrong)
        assert result["failed"], wrong
        assert f"Option {next(iter(wrong))} is" in result["msg"]
    assert backup.call("archivelog_backup", io_class="best_effort")["logs"]


def test_redo_that_is_not_archived_yet_is_an_error_with_the_gap(backup: Backup) -> None:
    backup.copy_everything()
    backup.archive_log(10, 4000, 4720)
    result = backup.call("archivelog_backup")
    assert result["failed"]
    assert "from sequence 11 on" in result["msg"]
    assert result["gaps"][0]["thread"] == 1


def test_redo_of_an_unfinished_set_is_refused(backup: Backup) -> None:
    result = backup.call("archivelog_backup")
    assert result["failed"]
    assert "not finished" in result["msg"]


def test_whole_chain_of_modules_passes_in_check_mode_before_anything_exists(backup: Backup) -> None:
    for name in ("tablespace_backup", "archivelog_backup", "backup_set"):
        result = backup.call(name, check=True)
        assert result["changed"], name
        assert keys_of(result) == documented_keys(name)
    assert backup.disk() == []


def test_redo_of_a_range_is_kept_without_a_set(backup: Backup) -> None:
    backup.archive_log(10, 4000, 4720)
    backup.archive_log(11, 4720, 4800)
    result = backup.call("archivelog_backup", from_scn=4100)
    assert (result["chain"]["begin_scn"], result["chain"]["end_scn"]) == (4100, 4799)
    result = backup.call("archivelog_backup", from_scn=4100, through_scn=4200)
    assert [log["sequence"] for log in result["logs"]] == [10]
    result = backup.call("archivelog_backup", from_scn=4900)
    assert result["failed"]


def complete(backup: Backup) -> None:
    backup.copy_everything()
    backup.archive_log(10, 4000, 4720)
    backup.archive_log(11, 4720, 4800)
    backup.call("archivelog_backup")
    backup.save_control()


def test_complete_set_is_sealed_once(backup: Backup) -> None:
    complete(backup)
    planned = backup.call("backup_set", check=True)
    assert planned["changed"]
    assert not backup.layout.manifest_path.exists()
    first = backup.call("backup_set", verify="full")
    assert first["changed"]
    assert first["verdict"] == "good"
    assert keys_of(first) == keys_of(planned) == documented_keys("backup_set")
    manifest = backup.layout.manifest_path.read_bytes()
    second = backup.call("backup_set")
    assert not second["changed"]
    assert {**second, "changed": True} == {**first, "invocation": second["invocation"]}
    assert backup.layout.manifest_path.read_bytes() == manifest
    assert not backup.call("tablespace_backup")["changed"]


def test_seal_missing_in_the_journal_is_noted_later(backup: Backup) -> None:
    complete(backup)
    backup.call("backup_set")
    lines = backup.layout.journal_path.read_bytes().splitlines(keepends=True)
    backup.layout.journal_path.write_bytes(b"".join(lines[:-1]))
    assert not backup.call("backup_set")["changed"]
    assert read_journal(backup.layout.journal_path)[-1]["event"] == "sealed"


def test_incomplete_set_is_not_sealed(backup: Backup) -> None:
    backup.copy_everything()
    result = backup.call("backup_set")
    assert result["failed"]
    assert not backup.layout.manifest_path.exists()


def test_set_is_removed_only_if_named(backup: Backup) -> None:
    complete(backup)
    backup.call("backup_set")
    assert backup.call("backup_set", state="absent", confirm="yes")["failed"]
    assert backup.call("backup_set", state="absent", confirm=SET_ID, check=True)["changed"]
    assert backup.layout.manifest_path.exists()
    result = backup.call("backup_set", state="absent", confirm=SET_ID)
    assert result["changed"]
    assert not backup.layout.set_folder.exists()
    assert not backup.call("backup_set", state="absent", confirm=SET_ID)["changed"]
    assert list(backup.layout.redo_folder.rglob("*.arc"))
