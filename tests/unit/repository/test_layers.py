# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import whom: the floors of the plugins, and the wall between the product and the simulated instance."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

COLLECTION = "ansible_collections.hotbackup.oracle."
UTILITIES = "plugins/module_utils/"
ACCELERATORS = frozenset({"backports", "compression", "numpy", "xxhash", "zstandard"})
PROCESS_MODULES = frozenset({"multiprocessing", "pty", "subprocess"})
#: Each floor may use those named here, and itself.
FLOORS_BELOW = {
    "_backup": frozenset(),
    "_files": frozenset({"_backup"}),
    "_oracle": frozenset({"_backup"}),
    "_run": frozenset({"_backup", "_files", "_oracle"}),
    "_module": frozenset({"_backup", "_files", "_oracle", "_run"}),
    "top": frozenset({"_backup", "_files", "_module", "_oracle", "_run"}),
}
#: What a floor may use besides the standard library.
THIRD_PARTY = {
    "_backup": frozenset(),
    "_files": ACCELERATORS,
    "_oracle": frozenset({"oracledb"}),
    "_run": frozenset({"jmespath"}),
    "_module": frozenset({"ansible", "jmespath"}),
    "top": frozenset({"ansible", "jmespath"}),
}


@dataclass(frozen=True)
class Import:
    """One imported module, by its full name, and where the import is."""

    importer: Path
    line: int
    name: str

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.name}"


def imports_of(root: Path, file: Path) -> Iterator[Import]:
    """Every import of a file, wherever it stands, those by ``importlib.import_module("name")`` included."""
    for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = file.parts[: len(file.parts) - node.level] if node.level else ()
            names = [".".join((*above, node.module or ""))]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names = [
                arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            ]
        else:
            continue
        yield from (Import(file, node.lineno, name) for name in names)


def floor_of(path: str) -> str:
    """The floor a plugin file belongs to, from its path relative to the repository."""
    if not path.startswith(UTILITIES):
        return "top"
    return path.removeprefix(UTILITIES).partition("/")[0].removesuffix(".py")


@pytest.fixture(scope="session")
def plugin_imports(root: Path, files: list[Path]) -> list[Import]:
    plugins = [file for file in files if file.parts[0] == "plugins" and file.suffix == ".py"]
    assert plugins
    return [found for file in plugins for found in imports_of(root, file)]


def test_plugins_import_only_from_lower_floors(plugin_imports: list[Import]) -> None:
    upward = []
    for found in plugin_imports:
        if found.name.startswith(COLLECTION + "plugins."):
            own = floor_of(str(found.importer))
            other = floor_of(found.name.removeprefix(COLLECTION).replace(".", "/"))
            if other != own and other not in FLOORS_BELOW[own]:
                upward.append(str(found))
    assert upward == []


def test_floors_use_the_standard_library_and_what_is_theirs(plugin_imports: list[Import]) -> None:
    strangers = [
        str(found)
        for found in plugin_imports
        if found.package not in sys.stdlib_module_names
        and not found.name.startswith(COLLECTION)
        and found.package not in THIRD_PARTY[floor_of(str(found.importer))]
    ]
    assert strangers == []


def test_only_the_run_floor_starts_processes(plugin_imports: list[Import]) -> None:
    starters = [
        str(found)
        for found in plugin_imports
        if found.package in PROCESS_MODULES and floor_of(str(found.importer)) != "_run"
    ]
    assert starters == []


def test_pure_floor_does_not_look_at_the_clock_the_disk_or_the_network(plugin_imports: list[Import]) -> None:
    worldly = {"glob", "io", "os", "shutil", "socket", "tempfile", "threading", "time"}
    found = [
        str(one)
        for one in plugin_imports
        if floor_of(str(one.importer)) == "_backup" and one.package in worldly
    ]
    assert found == []


def test_simulated_instance_and_product_never_import_each_other(root: Path, files: list[Path]) -> None:
    simulator = Path("tests/simulator")
    crossings = [
        str(found)
        for file in files
        if file.suffix == ".py" and (file.parts[0] == "plugins" or simulator in file.parents)
        for found in imports_of(root, file)
        if found.package
        in ({"ansible_collections", "plugins"} if simulator in file.parents else {"oracle_simulator"})
    ]
    assert crossings == []


def test_imports_are_found_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    source = "import a.b\ndef f():\n    from c import d\n    importlib.import_module('e')\nfrom . import g\n"
    (tmp_path / "plugins" / "x.py").write_text(source, encoding="utf-8")
    found = imports_of(tmp_path, Path("plugins/x.py"))
    assert {one.name.rstrip(".") for one in found} == {"a.b", "c", "e", "plugins"}
