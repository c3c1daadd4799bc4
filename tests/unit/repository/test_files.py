# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold for files as such: licence headers, no tokens of one developer's machine, one home for versions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import yaml

LICENCE = "SPDX-License-Identifier: GPL-3.0-or-later"
COPYRIGHT = "Copyright (c) 2026 hotbackup contributors"
GENERATED = {Path("changelogs/changelog.yaml")}
HEADER_LINES = 6
PLAYBOOK_NAME = re.compile(r"[a-z0-9_]+\.yml")


def head(path: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8").splitlines()[:HEADER_LINES])


def has_annotations(source: str) -> bool:
    defining = (ast.FunctionDef, ast.AsyncFunctionDef, ast.AnnAssign)
    return any(isinstance(node, defining) for node in ast.walk(ast.parse(source)))


def test_every_python_file_names_its_licence_and_copyright(root: Path, files: list[Path]) -> None:
    python = [file for file in files if file.suffix == ".py" and (root / file).stat().st_size]
    assert python
    assert [str(f) for f in python if LICENCE not in head(root / f) or COPYRIGHT not in head(root / f)] == []


def test_every_yaml_file_names_its_licence(root: Path, files: list[Path]) -> None:
    documents = [file for file in files if file.suffix in (".yml", ".yaml") and file not in GENERATED]
    fragments = Path("changelogs/fragments")
    assert [str(f) for f in documents if fragments not in f.parents and LICENCE not in head(root / f)] == []


def test_every_python_file_with_code_postpones_annotations(root: Path, files: list[Path]) -> None:
    sources = {f: (root / f).read_text(encoding="utf-8") for f in files if f.suffix == ".py"}
    later = "from __future__ import annotations"
    assert [str(f) for f, source in sources.items() if has_annotations(source) and later not in source] == []


def test_sanity_has_no_ignore_entries(files: list[Path]) -> None:
    assert [str(file) for file in files if file.match("tests/sanity/ignore*.txt")] == []


def test_playbooks_can_be_called_by_their_full_name(root: Path) -> None:
    playbooks = list((root / "playbooks").glob("*.yml"))
    assert [path.name for path in playbooks if not PLAYBOOK_NAME.fullmatch(path.name)] == []


def test_versions_are_pinned_in_one_place_only(root: Path, files: list[Path]) -> None:
    pinned = re.compile(r"^\s*[A-Za-z0-9_.-]+==[0-9]", re.MULTILINE)
    text_files = [file for file in files if file.suffix in (".txt", ".toml", ".cfg", ".yml", ".yaml")]
    places = [str(f) for f in text_files if pinned.search((root / f).read_text(encoding="utf-8"))]
    assert places == ["tests/requirements.txt"]


def test_every_requirement_is_pinned(root: Path) -> None:
    lines = (root / "tests" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in wanted if "==" not in line.partition(";")[0]] == []


def test_execution_environment_names_files_that_exist(root: Path) -> None:
    described = yaml.safe_load((root / "meta" / "execution-environment.yml").read_text(encoding="utf-8"))
    assert [path for path in described["dependencies"].values() if not (root / path).is_file()] == []


def test_oldest_python_is_the_same_everywhere(root: Path) -> None:
    targets = yaml.safe_load((root / "tests" / "config.yml").read_text(encoding="utf-8"))
    assert targets["modules"]["python_requires"] == ">=3.9"
    assert 'target-version = "py39"' in (root / "pyproject.toml").read_text(encoding="utf-8")
    assert 'OLDEST_TARGET = "3.9"' in (root / "tests/toolchain/sanity.py").read_text(encoding="utf-8")
