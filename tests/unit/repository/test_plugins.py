# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module is documented, wired to the shared connection options, and private where it must be."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
CONNECTION = "hotbackup.oracle._connection"
PLUGIN_FOLDERS = {
    "action",
    "callback",
    "doc_fragments",
    "filter",
    "lookup",
    "module_utils",
    "modules",
    "plugin_utils",
}


def documentation_of(path: Path) -> dict[str, Any]:
    """The YAML constants of a plugin file, by name, without importing it."""
    constants: dict[str, Any] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id in ("DOCUMENTATION", "EXAMPLES", "RETURN"):
                    constants[target.id] = yaml.safe_load(node.value.value)
    return constants


def fragments_of(documentation: dict[str, Any]) -> list[str]:
    named = documentation.get("extends_documentation_fragment", [])
    return [named] if isinstance(named, str) else list(named)


def all_modules() -> Any:
    return pytest.mark.parametrize("path", MODULES, ids=[path.stem for path in MODULES])


def test_there_are_modules() -> None:
    assert MODULES


@all_modules()
def test_module_has_documentation_examples_and_return(path: Path) -> None:
    found = documentation_of(path)
    assert set(found) == {"DOCUMENTATION", "EXAMPLES", "RETURN"}
    assert found["DOCUMENTATION"]["module"] == path.stem
    assert f"hotbackup.oracle.{path.stem}" in str(found["EXAMPLES"])


@all_modules()
def test_module_states_its_attributes(path: Path) -> None:
    documentation = documentation_of(path)["DOCUMENTATION"]
    assert any(name.startswith("hotbackup.oracle._attributes") for name in fragments_of(documentation))
    stated = set(documentation.get("attributes", {}))
    only_reads = "hotbackup.oracle._attributes.info_module" in fragments_of(documentation)
    assert only_reads or stated >= {"check_mode", "diff_mode", "idempotent"}
    assert only_reads or not path.stem.endswith("_info")


@all_modules()
def test_module_documents_every_result_with_a_sample(path: Path) -> None:
    for name, value in documentation_of(path)["RETURN"].items():
        assert {"description", "returned", "type"} <= set(value), name
        assert "sample" in value or "contains" in value, name


@all_modules()
def test_module_names_every_option_that_it_documents_in_lower_case(path: Path) -> None:
    for name, option in (documentation_of(path)["DOCUMENTATION"].get("options") or {}).items():
        assert name == name.lower()
        assert "description" in option, name
        assert option.get("type", "str") != "list" or "elements" in option, name


def test_action_group_is_exactly_the_modules_that_connect() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    connecting = [
        path.stem for path in MODULES if CONNECTION in fragments_of(documentation_of(path)["DOCUMENTATION"])
    ]
    assert runtime["action_groups"]["oracle"] == connecting


def test_module_utilities_are_private() -> None:
    folder = ROOT / "plugins" / "module_utils"
    public = [path.name for path in folder.iterdir() if not path.name.startswith("_")]
    assert public == []


def test_only_folders_that_ansible_knows_hold_plugins() -> None:
    found = {path.name for path in (ROOT / "plugins").iterdir() if path.name != "__pycache__"}
    assert found <= PLUGIN_FOLDERS
