# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real folder ``ansible_collections/hotbackup/oracle`` with a copy of the repository's files.

Some tools insist on that folder and do not follow a link to it. The copy holds what git tracks or would
track, which is what a fresh clone would hold.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"


def repository_files(root: Path = ROOT) -> list[Path]:
    """Files of the repository, relative to its root: tracked or new, not ignored, and present on disk.

    Raises ``subprocess.CalledProcessError`` where ``root`` is not in a git repository.
    """
    listing = subprocess.run(
        # The clone may belong to somebody else, as in a container: its owner does not matter for a listing.
        [
            "git",
            "-c",
            f"safe.directory={root}",
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "-z",
        ],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = sorted({name for name in listing.split("\0") if name})
    return [Path(name) for name in names if (root / name).is_file()]


def stage(name: str, root: Path = ROOT) -> Path:
    """Copy the repository to a new tree ``.build/<name>`` and return the collection's folder in it."""
    parent = BUILD / name
    shutil.rmtree(parent, ignore_errors=True)
    collection = parent / "ansible_collections" / "hotbackup" / "oracle"
    for file in repository_files(root):
        target = collection / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / file, target)
    # A repository of its own: tools ask git what there is, and the outer one ignores everything here.
    subprocess.run(["git", "init", "--quiet"], cwd=collection, check=True)
    subprocess.run(["git", "add", "--all"], cwd=collection, check=True)
    return collection
