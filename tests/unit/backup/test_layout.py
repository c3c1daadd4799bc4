# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of a set, and names that could lead elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import (
    DatabaseLayout,
    SetLayout,
    check_set_id,
    new_set_id,
    safe_relative_path,
)

LAYOUT = SetLayout("/backup", "ORCL", 17, "20261121T221500Z")


def test_paths_are_those_of_the_documented_layout() -> None:
    folder = Path("/backup/ORCL-17/sets/20261121T221500Z")
    assert LAYOUT.set_folder == folder
    assert LAYOUT.journal_path == folder / "journal.jsonl"
    assert LAYOUT.manifest_path == folder / "manifest.json"
    assert LAYOUT.control_copy == folder / "control/control.ctl"
    assert LAYOUT.noresetlogs_script == folder / "control/create_controlfile_noresetlogs.sql"
    assert LAYOUT.resetlogs_script == folder / "control/create_controlfile_resetlogs.sql"
    assert LAYOUT.pfile == folder / "parameters/init.ora"
    assert LAYOUT.datafile_path(4, "/u01/oradata/users01.dbf") == folder / "datafiles/4_users01.dbf"
    assert LAYOUT.datafile_path(4, "/u01/users01.dbf", "zstd") == folder / "datafiles/4_users01.dbf.zst"
    assert LAYOUT.redo_path(77, 1, 11) == Path("/backup/ORCL-17/redo/77/t1/11.arc")


def test_relative_paths_lead_back() -> None:
    copy = LAYOUT.datafile_path(4, "/u01/users01.dbf")
    assert LAYOUT.absolute(LAYOUT.relative(copy)) == copy
    log = LAYOUT.redo_path(77, 1, 11)
    assert LAYOUT.redo_relative(log) == "redo/77/t1/11.arc"
    assert LAYOUT.redo_absolute("redo/77/t1/11.arc") == log


@pytest.mark.parametrize("text", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/", "a\0b"])
def test_path_that_could_lead_out_of_the_set_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        safe_relative_path(text)


def test_file_names_stay_within_what_a_file_system_takes() -> None:
    name = LAYOUT.datafile_path(1234, "/u01/" + "ä" * 200 + ".dbf").name
    assert len(name.encode()) <= 247 and name.startswith("1234_") and name.endswith(".dbf")
    name = LAYOUT.datafile_path(1234, "/u01/" + "ä" * 200 + ".dbf", "zstd").name
    assert len(name.encode()) <= 247 and name.startswith("1234_") and name.endswith(".dbf.zst")


def test_redo_files_are_known_by_their_names_only_in_the_store() -> None:
    store = LAYOUT.database
    assert store.redo_key(store.redo_path(77, 2, 11)) == (77, 2, 11)
    assert store.redo_key(store.redo_folder / "77" / "t2" / "11.partial") is None


@pytest.mark.parametrize("folder", ["ORCL-17", "A_B$#-1"])
def test_database_folder_names_its_database(folder: str) -> None:
    layout = DatabaseLayout.from_folder(Path("/backup") / folder)
    assert layout is not None and layout.database_folder == Path("/backup") / folder


@pytest.mark.parametrize("folder", ["lost+found", "ORCL", "ORCL-0", "-17", "OR CL-17"])
def test_other_folders_are_no_databases(folder: str) -> None:
    assert DatabaseLayout.from_folder(Path("/backup") / folder) is None


def test_set_ids_are_moments_in_utc() -> None:
    moment = datetime(2026, 11, 22, 0, 15, tzinfo=timezone(timedelta(hours=2)))
    assert new_set_id(moment) == "20261121T221500Z"
    assert check_set_id("20261121T221500Z") == "20261121T221500Z"


@pytest.mark.parametrize("text", ["", "today", "20261121T221500", "20261321T221500Z", "../20261121T221500Z"])
def test_what_is_no_set_id_is_refused(text: str) -> None:
    with pytest.raises(PreconditionError):
        check_set_id(text)


@pytest.mark.parametrize(
    ("destination", "name", "dbid"),
    [("backup", "ORCL", 17), ("/backup", "../ORCL", 17), ("/backup", "", 17), ("/backup", "ORCL", 0)],
)
def test_layout_of_what_is_no_database_is_refused(destination: str, name: str, dbid: int) -> None:
    with pytest.raises(PreconditionError):
        SetLayout(destination, name, dbid, "20261121T221500Z")
