# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that mean nothing are refused by every module, by name and with what they may be."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.limits import Limit

from unit.modules.conftest import LOGIN, MODULES, RunModule
from unit.oracle.fake_database import FakeDatabase

NAMES = sorted(path.stem for path in (Path(__file__).parents[3] / "plugins" / "modules").glob("*.py"))
LOCAL = {"host": "dbhost", "oracle_home": "/nowhere", "oracle_sid": "ORCL"}
SET = {"destination": "/nowhere", "set_id": "20260301T010000Z"}
NEEDED: Mapping[str, Mapping[str, Any]] = {
    "archive_wait": {**LOGIN, "through_scn": 1},
    "archivelog_backup": {**LOGIN, "destination": "/nowhere", "from_scn": 1},
    "backup_mode": {**LOGIN, "state": "active", "tablespaces": ["USERS"]},
    "backup_set": {**LOGIN, **SET, "state": "sealed"},
    "backup_set_info": {"destination": "/nowhere"},
    "controlfile_backup": {**LOGIN, **SET},
    "database_info": LOGIN,
    "datafile_restore": {**LOCAL, **SET},
    "log_switch": LOGIN,
    "recovery": {**LOGIN, **SET},
    "tablespace_backup": {**LOGIN, **SET},
    "tablespace_info": LOGIN,
}


def spec_of(module: str) -> Mapping[str, Mapping[str, Any]]:
    options: Mapping[str, Mapping[str, Any]] = importlib.import_module(MODULES + module).SPEC.options
    return options


def numbers_of(options: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, rules in options.items():
        if "int" in (rules["type"], rules.get("elements")):
            yield name, rules
        yield from numbers_of(rules.get("options", {}))


def numbers_beyond() -> Iterator[Any]:
    """Every number of every module at the first value below and above what it may be."""
    for module in NAMES:
        for name, rules in spec_of(module).items():
            limit = rules.get("limit")
            for value in () if limit is None else (limit.lowest - 1, (limit.highest or -2) + 1):
                yield pytest.param(module, name, rules, value, id=f"{module}-{name}={value}")


@pytest.mark.parametrize("module", NAMES)
def test_every_number_has_a_limit_that_allows_its_default(module: str) -> None:
    for name, rules in numbers_of(spec_of(module)):
        assert isinstance(rules.get("limit"), Limit), name
        if isinstance(rules.get("default"), int):
            assert rules["limit"].allows(rules["default"]), name


@pytest.mark.parametrize(("module", "name", "rules", "value"), list(numbers_beyond()))
def test_a_number_beyond_its_limit_is_refused_before_anything_is_asked(
    run_module: RunModule, fake: FakeDatabase, module: str, name: str, rules: Mapping[str, Any], value: int
) -> None:
    options = {**NEEDED[module], name: [value] if rules["type"] == "list" else value}
    result = run_module(module, **options)
    assert result["failed"]
    assert result["msg"] == f"Option {name} is {value}; it must be {rules['limit']}."
    assert fake.connection.executed == []


def test_numbers_within_a_list_of_groups_are_looked_at_too(run_module: RunModule, fake: FakeDatabase) -> None:
    result = run_module(
        "archive_wait", logs=[{"thread": 1, "sequence": 5}, {"thread": 0, "sequence": 5}], **LOGIN
    )
    assert result["msg"] == "Option thread is 0; it must be at least 1."


@pytest.mark.parametrize(
    ("limit", "words", "taken", "refused"),
    [
        (Limit(0, zero="no limit"), "0 (no limit) or more", (0, 1, 1 << 70), (-1,)),
        (Limit(1), "at least 1", (1, 2), (0, -1)),
        (Limit(0, 19), "0 to 19", (0, 19), (-1, 20)),
        (Limit(64, 256, step=64), "a multiple of 64, at most 256", (64, 256), (0, 63, 65, 320)),
    ],
    ids=str,
)
def test_a_limit_says_what_it_takes(
    limit: Limit, words: str, taken: tuple[int, ...], refused: tuple[int, ...]
) -> None:
    assert str(limit) == words
    assert all(map(limit.allows, taken))
    assert not any(map(limit.allows, refused))
