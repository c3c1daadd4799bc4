# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the built artefact: what a user needs is in it, and what only a developer needs is not."""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ALLOWED_AT_TOP = frozenset(
    {
        "CHANGELOG.rst",
        "CODE_OF_CONDUCT.md",
        "CONTRIBUTING.md",
        "FILES.json",
        "LICENSE",
        "MANIFEST.json",
        "README.md",
        "changelogs",
        "docs",
        "meta",
        "playbooks",
        "plugins",
        "roles",
    }
)
REQUIRED = frozenset(
    {"LICENSE", "README.md", "CHANGELOG.rst", "meta/runtime.yml", "meta/execution-environment.yml"}
)
# What Galaxy accepts at most.
LARGEST_BYTES = 20 * 1024 * 1024


def findings(artefact: Path) -> list[str]:
    """What is wrong with the artefact, one sentence each."""
    with tarfile.open(artefact) as archive:
        members = {member.name.removeprefix("./"): member for member in archive.getmembers()}
    links = sorted(name for name, member in members.items() if member.issym() or member.islnk())
    found = [f"{name} is not for users (galaxy.yml, build_ignore)" for name in _unexpected(members)]
    found += [f"{name} is missing" for name in sorted(REQUIRED - members.keys())]
    found += [f"{name} is a link" for name in links]
    if artefact.stat().st_size > LARGEST_BYTES:
        found.append(f"{artefact.name} is larger than {LARGEST_BYTES} bytes")
    return found


def _unexpected(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not _is_for_users(PurePosixPath(name).parts))


def _is_for_users(parts: tuple[str, ...]) -> bool:
    if not parts:
        return True  # the top folder itself
    return parts[0] in ALLOWED_AT_TOP and "__pycache__" not in parts and parts[:2] != ("playbooks", "demo")


def main(arguments: list[str]) -> int:
    """Check the one artefact in the given folder."""
    (artefact,) = Path(arguments[0]).glob("*.tar.gz")
    found = findings(artefact)
    for finding in found:
        print(f"{artefact.name}: {finding}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
