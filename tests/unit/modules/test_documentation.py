# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, argument specs and results of the modules agree."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.plugin_docs import read_docstring
from ansible_collections.hotbackup.oracle.plugins.module_utils._module import (
    OptionSpec,
    connection_spec,
    selection_spec,
    set_spec,
    wait_spec,
)

PLUGINS = Path(__file__).parents[3] / "plugins"
FRAGMENTS = "ansible_collections.hotbackup.oracle.plugins.doc_fragments."


def fragment(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(
        importlib.import_module(FRAGMENTS + name).ModuleDocFragment.DOCUMENTATION
    )
    return document["options"]


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("_connection", connection_spec()),
        ("_selection", selection_spec()),
        ("_set", set_spec()),
        ("_wait", wait_spec()),
    ],
)
def test_fragment_documents_exactly_the_spec(name: str, spec: OptionSpec) -> None:
    documented = fragment(name)
    assert set(documented) == set(spec.options)
    for option, rules in spec.options.items():
        for key in ("type", "default", "choices", "required", "elements"):
            assert documented[option].get(key) == rules.get(key), (option, key)


def test_passwords_are_kept_from_logs() -> None:
    assert connection_spec().options["login_password"]["no_log"] is True


def test_specs_with_a_common_option_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="login_dsn"):
        _ignored = connection_spec() + connection_spec()


def test_action_group_is_exactly_the_modules_that_connect() -> None:
    runtime = yaml.safe_load((PLUGINS.parent / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    connecting = []
    for path in sorted((PLUGINS / "modules").glob("*.py")):
        fragments = read_docstring(str(path))["doc"]["extends_documentation_fragment"]
        source = path.read_text(encoding="utf-8")
        has_spec = "connection_spec()" in source
        assert has_spec is ("hotbackup.oracle._connection" in fragments), path.stem
        if has_spec:
            assert "hotbackup.oracle._attributes.actiongroup_oracle" in fragments, path.stem
            connecting.append(path.stem)
    assert runtime["action_groups"]["oracle"] == connecting
