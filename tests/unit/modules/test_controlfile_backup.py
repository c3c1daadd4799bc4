# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""controlfile_backup: what the server writes gets its name only after it was verified."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal, read_journal

from unit.backup.test_control_script import NORESETLOGS, RESETLOGS
from unit.files.oracle_file_writer import ControlFile
from unit.modules.conftest import LOGIN, RunModule
from unit.oracle.fake_database import FakeDatabase, ora

SET_ID = "20261121T221500Z"
DBID = 1684523458
KINDS = ["control_file", "noresetlogs_script", "resetlogs_script", "pfile"]


class Server:
    """Writes what the statements ask for, as the database server does."""

    def __init__(self) -> None:
        self.control_file = ControlFile(dbid=DBID)
        self.script = {"NORESETLOGS": NORESETLOGS, "RESETLOGS": RESETLOGS}
        self.may_create_pfile = True

    def react(self, statement: str) -> None:
        (path,) = re.findall(r"'([^']+)'", statement)
        if statement.startswith("CREATE PFILE"):
            if not self.may_create_pfile:
                raise ora(1031, "insufficient privileges")
            Path(path).write_text("*.db_name='ORCL'\n", encoding="utf-8")
        elif "TO TRACE" in statement:
            Path(path).write_text(self.script[statement.rsplit(" ", 1)[1]], encoding="utf-8")
        else:
            self.control_file.write(Path(path))


@pytest.fixture
def server(fake: FakeDatabase) -> Server:
    found = Server()
    fake.connection.react = found.react
    return found


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    return {**LOGIN, "destination": str(tmp_path), "set_id": SET_ID}


def set_folder(options: dict[str, Any]) -> Path:
    return Path(options["destination"]) / f"ORCL-{DBID}" / "sets" / SET_ID


def test_parts_are_written_once(
    server: Server, fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    first = run_module("controlfile_backup", **options)
    assert first["changed"] and [item["kind"] for item in first["files"]] == KINDS
    assert len(first["statements"]) == 4 and first["control_scn"] == 5000
    second = run_module("controlfile_backup", **options)
    assert second["changed"] is False
    assert (second["files"], second["control_scn"]) == (first["files"], first["control_scn"])
    assert len(fake.connection.executed) == 4


def test_files_are_private_complete_and_nothing_else_is_left(
    server: Server, run_module: RunModule, options: dict[str, Any]
) -> None:
    run_module("controlfile_backup", **options)
    folder = set_folder(options)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == [
        "control/control.ctl",
        "control/create_controlfile_noresetlogs.sql",
        "control/create_controlfile_resetlogs.sql",
        "journal.jsonl",
        "parameters/init.ora",
    ]
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in files} == {0o600}
    assert (folder / "control/control.ctl").read_bytes() == server.control_file.to_bytes()
    assert "CREATE CONTROLFILE" in (folder / "control/create_controlfile_resetlogs.sql").read_text()


def test_what_a_dead_run_left_is_not_taken_for_what_a_server_elsewhere_wrote(
    server: Server, fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    left = set_folder(options) / "control" / ".control.ctl.from_server"
    left.parent.mkdir(parents=True)
    server.control_file.write(left)
    fake.connection.react = lambda _statement: None
    failed = run_module("controlfile_backup", **options)
    assert failed["failed"] and "cannot be seen from here" in failed["msg"]
    assert list(left.parent.iterdir()) == []


def test_journal_names_every_file_with_its_digest(
    server: Server, run_module: RunModule, options: dict[str, Any]
) -> None:
    result = run_module("controlfile_backup", **options)
    (entry,) = read_journal(set_folder(options) / "journal.jsonl")
    assert (entry["event"], entry["control_scn"]) == ("control_saved", 5000)
    assert entry["files"] == result["files"]


def test_check_mode_writes_nothing(
    server: Server, fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    checked = run_module("controlfile_backup", check=True, **options)
    assert fake.connection.executed == [] and not set_folder(options).exists()
    done = run_module("controlfile_backup", **options)
    assert checked["changed"] and set(checked) == set(done)
    assert checked["statements"] == done["statements"]
    assert [item["path"] for item in checked["files"]] == [item["path"] for item in done["files"]]


def test_file_copied_later_needs_a_new_control_file(
    server: Server, run_module: RunModule, options: dict[str, Any]
) -> None:
    run_module("controlfile_backup", **options)
    with Journal.open(set_folder(options) / "journal.jsonl") as journal:
        journal.append("window_intent", run_id="r2", tablespace="USERS", con_id=0, files=[3])
    assert run_module("controlfile_backup", **options)["changed"]


def test_damaged_part_is_written_again(
    server: Server, run_module: RunModule, options: dict[str, Any]
) -> None:
    run_module("controlfile_backup", **options)
    copy = set_folder(options) / "control/control.ctl"
    damaged = bytearray(copy.read_bytes())
    damaged[20000] ^= 1
    copy.write_bytes(damaged)
    assert run_module("controlfile_backup", **options)["changed"]
    assert copy.read_bytes() == server.control_file.to_bytes()


def test_control_file_of_another_database_does_not_get_into_the_set(
    server: Server, run_module: RunModule, options: dict[str, Any]
) -> None:
    server.control_file = ControlFile(dbid=1)
    result = run_module("controlfile_backup", **options)
    assert result["failed"] and "dbid" in result["msg"]
    assert list((set_folder(options) / "control").iterdir()) == []
    assert not (set_folder(options) / "journal.jsonl").exists()


def test_script_of_the_wrong_variant_does_not_get_into_the_set(
    server: Server, run_module: RunModule, options: dict[str, Any]
) -> None:
    server.script["NORESETLOGS"] = RESETLOGS
    assert run_module("controlfile_backup", **options)["failed"]
    assert not (set_folder(options) / "control/create_controlfile_noresetlogs.sql").exists()


def test_account_without_privilege_gets_its_parameters_from_the_view(
    server: Server, fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    server.may_create_pfile = False
    fake.views["v$parameter2"] = [
        {"name": "control_files", "value": "/u01/c1.ctl", "isdefault": "FALSE"},
        {"name": "control_files", "value": "/u01/c2.ctl", "isdefault": "FALSE"},
        {"name": "db_name", "value": "ORCL", "isdefault": "FALSE"},
    ]
    result = run_module("controlfile_backup", **options)
    assert (set_folder(options) / "parameters/init.ora").read_text() == (
        "*.control_files='/u01/c1.ctl','/u01/c2.ctl'\n*.db_name='ORCL'\n"
    )
    assert result["warnings"]


def test_password_file_is_saved_where_it_can_be_read(
    server: Server, run_module: RunModule, options: dict[str, Any], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / "dbs").mkdir(parents=True)
    (home / "dbs/orapwORCL").write_bytes(b"verifiers")
    result = run_module("controlfile_backup", oracle_home=str(home), oracle_sid="ORCL", **options)
    assert result["files"][-1]["kind"] == "password_file"
    assert (set_folder(options) / "parameters/orapwORCL").read_bytes() == b"verifiers"


def test_missing_password_file_is_a_warning(
    server: Server, run_module: RunModule, options: dict[str, Any], tmp_path: Path
) -> None:
    result = run_module("controlfile_backup", oracle_home=str(tmp_path), oracle_sid="ORCL", **options)
    assert result["changed"] and "orapwORCL" in str(result["warnings"])


def test_server_that_writes_elsewhere_is_explained(
    fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    fake.connection.react = lambda _statement: None
    result = run_module("controlfile_backup", **options)
    assert result["failed"] and "cannot be seen from here" in result["msg"]


def test_set_of_another_incarnation_is_refused(
    server: Server, fake: FakeDatabase, run_module: RunModule, options: dict[str, Any]
) -> None:
    folder = set_folder(options)
    folder.mkdir(parents=True)
    with Journal.open(folder / "journal.jsonl") as journal:
        fields = {"dbid": DBID, "db_unique_name": "ORCL", "resetlogs_id": 78, "policy": {}}
        journal.append("run_started", run_id="r1", set_id=SET_ID, **fields)
    result = run_module("controlfile_backup", **options)
    assert result["failed"] and "incarnation 78" in result["msg"]
    assert fake.connection.executed == []
