# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every role can be used from its papers alone: README, metadata, argument specification and defaults agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLES = sorted(path for path in (ROOT / "roles").glob("*") if path.is_dir())
COMMENTED_OUT = re.compile(r"^#\s?([a-z]\w*):", re.MULTILINE)
MAIN_LINES_AT_MOST = 80


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def defaults_of(role: Path) -> set[str]:
    """Names in defaults/main.yml, those that are commented out (no sane default) included."""
    path = role / "defaults" / "main.yml"
    if not path.exists():
        return set()
    return set(load(path) or {}) | set(COMMENTED_OUT.findall(path.read_text(encoding="utf-8")))


def specifications_of(role: Path) -> dict[str, Any]:
    specifications: dict[str, Any] = load(role / "meta" / "argument_specs.yml")["argument_specs"]
    return specifications


def all_roles() -> Any:
    return pytest.mark.parametrize("role", ROLES, ids=[role.name for role in ROLES])


def test_there_are_roles() -> None:
    assert ROLES


@all_roles()
def test_role_has_a_readme_that_names_its_inputs(role: Path) -> None:
    text = (role / "README.md").read_text(encoding="utf-8")
    assert [name for name in sorted(defaults_of(role)) if name not in text] == []


@all_roles()
def test_role_has_a_description(role: Path) -> None:
    assert load(role / "meta" / "main.yml")["galaxy_info"]["description"]


@all_roles()
def test_argument_specification_and_defaults_name_the_same_variables(role: Path) -> None:
    specified = {name for spec in specifications_of(role).values() for name in spec.get("options", {})}
    assert specified == defaults_of(role)


@all_roles()
def test_argument_specification_and_defaults_agree_on_the_values(role: Path) -> None:
    path = role / "defaults" / "main.yml"
    defaults = (load(path) or {}) if path.exists() else {}
    options = {
        name: o for spec in specifications_of(role).values() for name, o in spec.get("options", {}).items()
    }
    plain = {name: value for name, value in defaults.items() if "{{" not in str(value)}
    assert {name: options[name].get("default", value) for name, value in plain.items()} == plain


@all_roles()
def test_every_input_is_described_and_typed(role: Path) -> None:
    for entry, spec in specifications_of(role).items():
        assert spec.get("short_description"), entry
        for name, option in spec.get("options", {}).items():
            assert option.get("description"), name
            assert option.get("type"), name


@all_roles()
def test_every_entry_point_has_a_specification_and_tasks(role: Path) -> None:
    for entry in specifications_of(role):
        assert (role / "tasks" / f"{entry}.yml").exists()


@all_roles()
def test_inputs_carry_the_role_s_name(role: Path) -> None:
    prefix = role.name.lstrip("_") + "_"
    assert [name for name in sorted(defaults_of(role)) if not name.startswith(prefix)] == []


@all_roles()
def test_main_tasks_are_a_table_of_contents(role: Path) -> None:
    lines = (role / "tasks" / "main.yml").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MAIN_LINES_AT_MOST
