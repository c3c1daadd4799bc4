# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that only read: their results, their documentation, their failures."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml

from unit.modules.conftest import LOGIN, MODULES, RunModule
from unit.oracle.fake_database import FakeDatabase, ora

TYPES = {"dict": dict, "list": list, "str": str, "int": int, "bool": bool, "float": float}


def documented(name: str) -> dict[str, Any]:
    result: dict[str, Any] = yaml.safe_load(importlib.import_module(MODULES + name).RETURN)
    return result


def compare(value: Any, documentation: Any, where: str) -> None:
    """Every documented key is there with its type, and no other key."""
    if value is None:
        return
    assert isinstance(value, TYPES[documentation["type"]]), where
    contents = documentation.get("contains")
    if contents is None:
        sample = documentation.get("sample")
        first: Any = value[0] if isinstance(value, list) and value else None
        if isinstance(first, dict) and sample:
            assert set(first) == set(sample[0]), where
        return
    items: list[Any] = value if isinstance(value, list) else [value]
    for item in items:
        assert set(item) == set(contents), where
        for key, content in contents.items():
            compare(item[key], content, f"{where}.{key}")


@pytest.mark.parametrize("name", ["database_info", "tablespace_info"])
@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
def test_result_is_what_is_documented(
    name: str, check: bool, fake: FakeDatabase, run_module: RunModule
) -> None:
    fake.activate(3, scn=4711)
    result = run_module(name, check=check, **LOGIN)
    assert result.pop("changed") is False
    result.pop("invocation", None)
    returned = documented(name)
    assert set(result) == set(returned)
    for key, value in result.items():
        compare(value, returned[key], key)
    assert fake.connection.executed == []
    assert fake.connection.closed
    assert fake.connection.action == name


def test_database_info_tells_who_is_in_backup_mode(fake: FakeDatabase, run_module: RunModule) -> None:
    fake.activate(3, scn=4711)
    found = run_module("database_info", **LOGIN)["files_in_backup_mode"]
    assert [(item["file_number"], item["begin_scn"]) for item in found] == [(3, 4711)]


def test_tablespace_info_selects(fake: FakeDatabase, run_module: RunModule) -> None:
    result = run_module("tablespace_info", tablespaces=["U*"], exclude=["UNDO*"], **LOGIN)
    assert [item["name"] for item in result["tablespaces"]] == ["USERS"]
    assert {"label": "UNDOTBS1", "reason": "excluded"} in result["excluded"]


def test_tablespace_info_queries(fake: FakeDatabase, run_module: RunModule) -> None:
    result = run_module("tablespace_info", query="[?method == 'plain_copy'].name", **LOGIN)
    assert [item["name"] for item in result["tablespaces"]] == ["HISTORY"]
    refused = run_module("tablespace_info", query="[?", **LOGIN)
    assert refused["failed"] and "not valid" in refused["msg"]


def test_failure_carries_oracles_error_and_no_password(fake: FakeDatabase, run_module: RunModule) -> None:
    fake.connection.query_errors = [ora(1034, "ORACLE not available")]
    result = run_module("database_info", **LOGIN)
    assert result["failed"]
    assert result["oracle_error"]["code"] == 1034
    assert result["statements"] == []
    assert "tiger-4711" not in str(result)


def test_unexpected_failure_carries_its_traceback(fake: FakeDatabase, run_module: RunModule) -> None:
    fake.views["v$database"][0]["dbid"] = b"not a number"
    result = run_module("database_info", **LOGIN)
    assert result["failed"] and "Unexpected failure of database_info: TypeError" in result["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "login_service"),
        ({"login_service": "ORCL"}, "login_user"),
        ({**LOGIN, "login_sid": "ORCL"}, "mutually exclusive"),
        (
            {"login_dsn": "x", "login_host": "y", "login_user": "u", "login_password": "p"},
            "mutually exclusive",
        ),
        ({"login_service": "x", "login_driver": "thick"}, "login_mode"),
    ],
    ids=["nothing", "no user", "two names", "descriptor and host", "local login"],
)
def test_options_that_cannot_work_are_refused(
    options: dict[str, Any], words: str, fake: FakeDatabase, run_module: RunModule
) -> None:
    result = run_module("database_info", **options)
    assert result["failed"] and words in result["msg"]
    assert fake.connection.queried == []
