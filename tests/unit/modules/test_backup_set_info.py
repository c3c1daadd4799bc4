# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""backup_set_info: sets by their own files, without a database."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import SetLayout
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.manifest import (
    ManifestControl,
    ManifestRedo,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.verdict import Verdict
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digests import file_digest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal

from unit.backup.samples import manifest, manifest_file
from unit.files.oracle_file_writer import ControlFile, Datafile, RedoLog
from unit.modules.conftest import RunModule

DBID = 1684523458
OLD, NEW = "20261120T221500Z", "20261121T221500Z"


def write_log(layout: SetLayout, sequence: int, first_scn: int, next_scn: int) -> ManifestRedo:
    path = layout.redo_path(77, 1, sequence)
    path.parent.mkdir(parents=True, exist_ok=True)
    RedoLog(dbid=DBID, sequence=sequence, first_scn=first_scn, next_scn=next_scn, resetlogs_id=77).write(path)
    digest = file_digest(path)
    relative = layout.redo_relative(path)
    return ManifestRedo(77, 1, sequence, first_scn, next_scn, relative, digest.size_bytes, digest.digest)


def write_set(
    destination: Path, set_id: str, begin_scn: int, end_scn: int, sealed_at: str | None = None
) -> SetLayout:
    layout = SetLayout(str(destination), "ORCL", DBID, set_id)
    layout.datafiles_folder.mkdir(parents=True)
    layout.control_folder.mkdir()
    copy = layout.datafile_path(9, "/u01/users01.dbf")
    Datafile(dbid=DBID, checkpoint_scn=begin_scn, creation_scn=40).fill(5).write(copy)
    ControlFile(dbid=DBID).write(layout.control_copy)
    digest, control = file_digest(copy), file_digest(layout.control_copy)
    file = manifest_file(
        9,
        path=layout.relative(copy),
        size_bytes=digest.size_bytes,
        digest=digest.digest,
        chunk_digests=digest.chunk_digests,
        creation_scn=40,
        begin_scn=begin_scn,
        checkpoint_scn=begin_scn,
    )
    redo = write_log(layout, begin_scn // 100, begin_scn - 50, end_scn + 10)
    sealed = manifest(
        set_id=set_id,
        sealed_at=sealed_at or f"{set_id[:4]}-{set_id[4:6]}-{set_id[6:8]}T22:17:31Z",
        begin_scn=begin_scn,
        end_scn=end_scn,
        files=(file,),
        redo=(redo,),
        control=(ManifestControl("control_file", "control/control.ctl", control.size_bytes, control.digest),),
        verdict=Verdict.GOOD,
        findings=(),
    )
    layout.manifest_path.write_text(sealed.to_json(), encoding="utf-8")
    return layout


@pytest.fixture
def layouts(tmp_path: Path) -> tuple[SetLayout, SetLayout]:
    return write_set(tmp_path, OLD, 1000, 1090), write_set(tmp_path, NEW, 4000, 4090)


@pytest.fixture
def info(run_module: RunModule, tmp_path: Path) -> Any:
    return lambda **options: run_module("backup_set_info", destination=str(tmp_path), **options)


def test_sets_come_newest_first_with_what_can_be_reached(layouts: object, info: Any) -> None:
    result = info()
    assert [item["set_id"] for item in result["sets"]] == [NEW, OLD]
    assert result["changed"] is False and result["redo_problems"] == []
    newest = result["sets"][0]
    assert (newest["verdict"], newest["sealed"]) == ("good", True)
    assert newest["reachable"] == {"from_scn": 4090, "through_scn": 4099}
    assert (newest["begin_scn"], newest["end_scn"]) == (4000, 4090)
    assert newest["tablespaces"] == ["USERS"]


def begin_unsealed(destination: Path, set_id: str, begun: datetime) -> None:
    layout = SetLayout(str(destination), "ORCL", DBID, set_id)
    layout.set_folder.mkdir(parents=True)
    with Journal.open(layout.journal_path, clock=lambda: begun) as journal:
        journal.append(
            "run_started",
            run_id="run1",
            set_id=set_id,
            dbid=DBID,
            db_unique_name="ORCL",
            resetlogs_id=77,
            startup_times=[],
            policy={},
        )


def test_the_moment_of_the_seal_decides_what_is_newest_not_the_id(tmp_path: Path, info: Any) -> None:
    begun_long_ago, typed_by_hand, plain = "20200101T000000Z", "20991231T000000Z", "20261121T221500Z"
    write_set(tmp_path, begun_long_ago, 4000, 4090, sealed_at="2026-11-22T06:00:00Z")
    write_set(tmp_path, typed_by_hand, 1000, 1090, sealed_at="2026-11-20T06:00:00Z")
    write_set(tmp_path, plain, 2000, 2090, sealed_at="2026-11-21T22:17:31Z")
    begin_unsealed(tmp_path, "20990101T000000Z", datetime(2026, 11, 21, 23, tzinfo=UTC))
    SetLayout(str(tmp_path), "ORCL", DBID, "20261119T000000Z").set_folder.mkdir()
    assert [item["set_id"] for item in info()["sets"]] == [
        begun_long_ago,
        "20990101T000000Z",
        plain,
        typed_by_hand,
        "20261119T000000Z",
    ]


def begin_incarnation(path: Path, scn: int, *, current: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    RedoLog(
        dbid=DBID,
        sequence=1,
        first_scn=scn,
        next_scn=scn + 50,
        resetlogs_id=78,
        resetlogs_scn=scn,
        current=current,
    ).write(path)


@pytest.mark.parametrize("current", [True, False], ids=["an online log", "a log of the store"])
def test_sets_of_a_branch_that_was_given_up_say_so(tmp_path: Path, info: Any, current: bool) -> None:
    before, beyond = write_set(tmp_path, OLD, 1000, 1090), write_set(tmp_path, NEW, 4000, 4090)
    online = tmp_path / "redo01.log"
    for layout in (before, beyond):
        text = layout.manifest_path.read_text(encoding="utf-8")
        layout.manifest_path.write_text(text.replace("/u01/redo01.log", str(online)), encoding="utf-8")
    begin_incarnation(online if current else before.redo_path(78, 1, 1), 1095, current=current)
    newest, older = info()["sets"]
    assert (newest["verdict"], newest["reachable"]) == ("unusable", None)
    assert (older["verdict"], older["reachable"]) == (
        "good_with_findings",
        {"from_scn": 1090, "through_scn": 1094},
    )
    assert [item["findings"][0]["code"] for item in (newest, older)] == ["given_up", "given_up"]
    assert info(until_scn=1096)["sets"] == []


def test_more_redo_reaches_further(layouts: tuple[SetLayout, SetLayout], info: Any) -> None:
    write_log(layouts[1], 41, 4100, 4500)
    assert info()["sets"][0]["reachable"] == {"from_scn": 4090, "through_scn": 4499}


def test_only_sets_that_reach_the_target_are_listed(layouts: object, info: Any) -> None:
    assert [item["set_id"] for item in info(until_scn=1095)["sets"]] == [OLD]
    assert [item["set_id"] for item in info(until_scn=4095)["sets"]] == [NEW]
    assert info(until_scn=2000)["sets"] == []


def test_missing_redo_makes_a_set_unusable(layouts: tuple[SetLayout, SetLayout], info: Any) -> None:
    layouts[1].redo_path(77, 1, 40).unlink()
    newest = info()["sets"][0]
    assert (newest["verdict"], newest["reachable"]) == ("unusable", None)
    assert newest["findings"][0]["code"] == "redo_missing"


def test_damaged_log_is_named_and_does_not_count(layouts: tuple[SetLayout, SetLayout], info: Any) -> None:
    path = layouts[1].redo_path(77, 1, 40)
    path.write_bytes(path.read_bytes()[:-512])
    result = info()
    assert str(path) in result["redo_problems"][0]
    assert result["sets"][0]["verdict"] == "unusable"


def test_filters(layouts: object, info: Any) -> None:
    assert info(db_unique_name="OTHER")["sets"] == []
    assert info(dbid=1)["sets"] == []
    assert len(info(db_unique_name="ORCL", dbid=DBID)["sets"]) == 2
    assert [item["set_id"] for item in info(set_id=OLD)["sets"]] == [OLD]
    assert info(set_id="yesterday")["failed"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [("[?end_scn < `2000`]", [OLD]), ("[].set_id", [NEW, OLD]), ("[?verdict == 'unusable']", [])],
)
def test_query_chooses_sets(layouts: object, info: Any, query: str, expected: list[str]) -> None:
    assert [item["set_id"] for item in info(query=query)["sets"]] == expected


def test_query_that_does_not_answer_sets_is_refused(layouts: object, info: Any) -> None:
    assert info(query="[].verdict")["failed"]
    assert info(query="length(@)")["failed"]


def change_byte(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(("verify", "verdict"), [("none", "good"), ("headers", "good"), ("full", "unusable")])
def test_only_reading_every_byte_finds_a_changed_block(
    layouts: tuple[SetLayout, SetLayout], info: Any, verify: str, verdict: str
) -> None:
    change_byte(layouts[1].datafile_path(9, "/u01/users01.dbf"), 5 * 8192 + 100)
    assert info(verify=verify)["sets"][0]["verdict"] == verdict


@pytest.mark.parametrize("streams", [1, 2, 5])
def test_all_that_is_damaged_is_found_in_the_same_order_however_many_read(
    layouts: tuple[SetLayout, SetLayout], info: Any, streams: int
) -> None:
    newest = layouts[1]
    datafile, log = newest.datafile_path(9, "/u01/users01.dbf"), newest.redo_path(77, 1, 40)
    for path, offset in ((log, 5 * 512 + 40), (newest.control_copy, -700), (datafile, 5 * 8192 + 100)):
        change_byte(path, offset)
    findings = info(verify="full", streams=streams)["sets"][0]["findings"]
    assert [(item["severity"], item["code"], item["subject"]) for item in findings] == [
        ("prevents", "copy", newest.relative(datafile)),
        ("prevents", "copy", newest.relative(newest.control_copy)),
        ("prevents", "redo", newest.redo_relative(log)),
    ]
    assert "expected digest" in findings[0]["message"]
    for item, path in zip(findings[1:], (newest.control_copy, log), strict=True):
        assert item["message"].startswith(f"{path} has digest {file_digest(path).digest}, not ")


def test_a_copy_of_another_size_is_not_read(layouts: tuple[SetLayout, SetLayout], info: Any) -> None:
    log = layouts[1].redo_path(77, 1, 40)
    size = log.stat().st_size
    with log.open("ab") as stored:
        stored.write(bytes(512))
    messages = [item["message"] for item in info(verify="full")["sets"][0]["findings"]]
    assert f"{log} has {size + 512} bytes, not {size}." in messages


@pytest.mark.parametrize("verify", ["headers", "full"])
def test_lost_or_exchanged_copies_are_found(
    layouts: tuple[SetLayout, SetLayout], info: Any, verify: str
) -> None:
    copy = layouts[1].datafile_path(9, "/u01/users01.dbf")
    Datafile(dbid=DBID, number=8, checkpoint_scn=4000, creation_scn=40).fill(5).write(copy)
    assert info(verify=verify)["sets"][0]["verdict"] == "unusable"
    copy.unlink()
    assert info(verify=verify)["sets"][0]["findings"][0]["code"] == "copy"
    assert info(verify="none")["sets"][0]["verdict"] == "good"


def test_lost_control_file_copy_makes_a_set_unusable(layouts: tuple[SetLayout, SetLayout], info: Any) -> None:
    layouts[1].control_copy.unlink()
    assert info(verify="headers")["sets"][0]["verdict"] == "unusable"


def test_unfinished_set_is_unknown_and_tells_of_its_windows(tmp_path: Path, info: Any) -> None:
    layout = SetLayout(str(tmp_path), "ORCL", DBID, NEW)
    layout.set_folder.mkdir(parents=True)
    with Journal.open(layout.journal_path) as journal:
        journal.append("window_intent", run_id="r1", tablespace="USERS", con_id=0, files=[3])
    (found,) = info()["sets"]
    assert (found["sealed"], found["verdict"], found["open_windows"]) == (False, "unknown", ["USERS"])
    assert found["reachable"] is None


def test_manifest_that_is_not_valid_makes_a_set_unusable(
    layouts: tuple[SetLayout, SetLayout], info: Any
) -> None:
    layouts[1].manifest_path.write_text("{}", encoding="utf-8")
    newest = info()["sets"][0]
    assert (newest["verdict"], newest["findings"][0]["code"]) == ("unusable", "manifest")


def test_manifest_of_another_set_is_not_believed(layouts: tuple[SetLayout, SetLayout], info: Any) -> None:
    layouts[1].manifest_path.write_text(
        layouts[0].manifest_path.read_text(encoding="utf-8"), encoding="utf-8"
    )
    assert info()["sets"][0]["verdict"] == "unusable"


def test_destination_that_is_not_there_is_an_error(run_module: RunModule, tmp_path: Path) -> None:
    assert run_module("backup_set_info", destination=str(tmp_path / "no"))["failed"]


def test_recorded_findings_are_kept(layouts: tuple[SetLayout, SetLayout], info: Any) -> None:
    sealed = manifest()
    text = layouts[1].manifest_path.read_text(encoding="utf-8")
    kept = dataclasses.replace(type(sealed).from_json(text), findings=sealed.findings)
    layouts[1].manifest_path.write_text(kept.to_json(), encoding="utf-8")
    newest = info()["sets"][0]
    assert newest["verdict"] == "good_with_findings"
    assert newest["findings"][0]["code"] == "fractured_blocks"
