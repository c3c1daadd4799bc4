# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tablespaces are meant."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.selection import select_tablespaces

from unit.backup.samples import datafile, tablespace

ALL = [
    tablespace("SYSTEM", datafile(1)),
    tablespace("USERS", datafile(4), con_id=1, container="CDB$ROOT"),
    tablespace("USERS", datafile(9), con_id=3, container="PDB1"),
    tablespace("users", datafile(10), con_id=3, container="PDB1"),
    tablespace("USERS_INDEX", datafile(5)),
]


def labels(*arguments: Any, **options: Any) -> list[str]:
    return [item.label for item in select_tablespaces(ALL, *arguments, **options).tablespaces]


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ([], [], ["SYSTEM", "CDB$ROOT:USERS", "PDB1:USERS", "PDB1:users", "USERS_INDEX"]),
        (["SYSTEM"], [], ["SYSTEM"]),
        (["system"], [], ["SYSTEM"]),
        (["users"], [], ["PDB1:users"]),
        (["PDB1:USERS"], [], ["PDB1:USERS"]),
        (["PDB1:*"], [], ["PDB1:USERS", "PDB1:users"]),
        (["USERS*"], ["PDB1:*"], ["CDB$ROOT:USERS", "USERS_INDEX"]),
        (["USERS_INDEX", "SYSTEM"], [], ["SYSTEM", "USERS_INDEX"]),
    ],
    ids=["all", "name", "typed in lower case", "exact case first", "container", "glob", "exclude", "order"],
)
def test_names_and_globs(include: list[str], exclude: list[str], expected: list[str]) -> None:
    assert labels(include, exclude) == expected


@pytest.mark.parametrize(("include", "exclude"), [(["NOSUCH*"], []), ([], ["NOSUCH"])])
def test_pattern_that_fits_nothing_names_what_there_is(include: list[str], exclude: list[str]) -> None:
    with pytest.raises(PreconditionError, match="CDB\\$ROOT:USERS"):
        labels(include, exclude)


def test_what_was_left_out_has_a_reason() -> None:
    found = select_tablespaces(
        ALL, ["SYSTEM", "USERS_INDEX"], ["SYSTEM"], "anything", lambda _query, _data: ["SYSTEM"]
    )
    assert {item.label: reason for item, reason in found.excluded} == {
        "SYSTEM": "excluded",
        "CDB$ROOT:USERS": "not selected",
        "PDB1:USERS": "not selected",
        "PDB1:users": "not selected",
        "USERS_INDEX": "not selected by the query",
    }


def test_query_may_answer_tablespaces_or_names() -> None:
    def whole(_query: str, data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [item for item in data if item["con_id"] == 3 and item["name"] == "USERS"]

    assert labels(query="q", search=whole) == ["PDB1:USERS"]
    assert labels(query="q", search=lambda _query, _data: ["USERS"]) == ["CDB$ROOT:USERS", "PDB1:USERS"]
    assert labels(query="q", search=lambda _query, _data: []) == []
    assert labels(query="q", search=lambda _query, _data: None) == []


@pytest.mark.parametrize("answer", ["USERS", 5, {"name": "USERS"}, ["NOSUCH"], [None]])
def test_query_that_does_not_answer_tablespaces_is_refused(answer: Any) -> None:
    with pytest.raises(PreconditionError):
        labels(query="q", search=lambda _query, _data: answer)
