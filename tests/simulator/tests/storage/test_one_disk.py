# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file of an instance is opened through the instance's disk: what goes past it cannot fail or lose power."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import oracle_simulator

PACKAGE = Path(oracle_simulator.__file__).parent
OPENERS = {
    "Datafile.open", "Datafile.create", "RedoLogFile.open", "RedoLogFile.create", "DoubleWrite", "read_log_header",
    "read_records", "load_control_file", "write_control_file",
}  # fmt: skip
BEFORE_ANY_INSTANCE = {"create.py", "create_redo.py", "filled_files.py"}


def openings(path: Path) -> Iterator[tuple[int, bool]]:
    """(line, whether it names a disk) of every call that opens one of Oracle's files."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in OPENERS:
            yield node.lineno, any(keyword.arg == "disk" for keyword in node.keywords)


def test_whoever_opens_a_file_names_the_disk() -> None:
    found = [
        (path.name, line, named)
        for folder in ("instance", "data", "sql", "program")
        for path in sorted((PACKAGE / folder).rglob("*.py"))
        if path.name not in BEFORE_ANY_INSTANCE
        for line, named in openings(path)
    ]
    assert len(found) > 20, "the names above are still those of the package"
    assert [f"{name}:{line}" for name, line, named in found if not named] == []
