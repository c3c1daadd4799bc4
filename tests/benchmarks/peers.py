# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other ways to copy the same files: cp, rsync, Ansible's copy module, restic."""

from __future__ import annotations

import abc
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PLAYBOOK = Path(__file__).with_name("copy_files.yml")


class PeerAbsent(Exception):
    """Why a peer takes no part, and what to install."""


def tool(program: str, package: str) -> str:
    """The path of a program. Raises PeerAbsent."""
    path = shutil.which(program)
    if path is None:
        raise PeerAbsent(f"{program} is not installed; install the package {package}")
    return path


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    user: str | None = None,
) -> str:
    """What the program printed. Raises RuntimeError with all it said when it fails."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
        cwd=directory,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    if done.returncode:
        words = " ".join(map(str, command))
        raise RuntimeError(f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def sync(*paths: str | Path) -> None:
    """Make files and folders durable."""
    run(["sync", *paths])


class Peer(abc.ABC):
    """One way to copy. ``besides`` tells what it does besides copying, ``version`` what was measured."""

    version: str
    besides: str
    pids: tuple[int, ...] = ()
    """Processes whose processor time is this peer's, though they are not our children."""

    @abc.abstractmethod
    def sources(self) -> list[str]:
        """The files it will read."""

    @abc.abstractmethod
    def prepare(self, target: Path) -> None:
        """Put into the empty folder what must be there before a copy; not measured."""

    @abc.abstractmethod
    def copy(self, target: Path) -> None:
        """Copy, durably. This is what is measured."""

    @abc.abstractmethod
    def check(self, target: Path) -> None:
        """Raises RuntimeError unless the copy is right."""

    def bytes_copied(self, _target: Path) -> int:
        return sum(Path(path).stat().st_size for path in self.sources())


class FilePeer(Peer):
    """Copies files to files of the same names."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = list(files)

    def sources(self) -> list[str]:
        return self._files

    def prepare(self, target: Path) -> None:
        """Nothing is needed."""

    def check(self, target: Path) -> None:
        check_copies(self._files, target)

    def _copies(self, target: Path) -> list[str]:
        return [str(target / Path(path).name) for path in self._files]


def check_copies(files: Sequence[str], target: Path) -> None:
    """Raises RuntimeError unless every file is in the folder, byte for byte."""
    for path in files:
        run(["cmp", path, target / Path(path).name])


class Cp(FilePeer):
    besides = "nothing: no checksum, no check; sync afterwards; one process, one thread"

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(files)
        self.version = _first_line(["cp", "--version"])

    def copy(self, target: Path) -> None:
        run(["cp", "--reflink=never", "--sparse=never", *self._files, target])
        sync(*self._copies(target), target)


class Rsync(FilePeer):
    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(files)
        self._program = tool("rsync", "rsync")
        self.version = _first_line([self._program, "--version"])
        # releases before 3.2.4 cannot flush by themselves
        self._fsync = ["--fsync"] if "--fsync" in run([self._program, "--help"]) else []
        self.besides = (
            "a digest of each file at both ends, compared (not with the copy on disk); "
            f"{'fsync of each file' if self._fsync else 'sync afterwards'}; sender and receiver with a pipe between"
        )

    def copy(self, target: Path) -> None:
        run([self._program, "-a", "--whole-file", *self._fsync, *self._files, f"{target}/"])
        sync(*self._copies(target), target)


class AnsibleCopy(FilePeer):
    besides = (
        "SHA-1 and MD5 of each source (not of what was copied); sync afterwards; one start of ansible-playbook, "
        "one of Python for each file; one file at a time"
    )

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(files)
        self._program = Path(sys.executable).with_name("ansible-playbook")
        self.version = _first_line([self._program, "--version"])

    def copy(self, target: Path) -> None:
        variables = json.dumps({"files": self._files, "target": str(target)})
        run([self._program, PLAYBOOK, "--extra-vars", variables])
        sync(*self._copies(target), target)


class Restic(Peer):
    """A first backup into a new repository; ``compression`` is restic's option of that name."""

    def __init__(self, files: Sequence[str], compression: str) -> None:
        self._files = list(files)
        self._compression = compression
        self._program = tool("restic", "restic")
        self.version = _first_line([self._program, "version"])
        compressing = "no compression" if compression == "off" else "zstd where it pays"
        self.besides = (
            f"cuts files into chunks by content, SHA-256 and index of each, encryption, {compressing}; "
            "fsync of each pack; one process, several threads"
        )

    def sources(self) -> list[str]:
        return self._files

    def prepare(self, target: Path) -> None:
        (target / "temporary").mkdir()
        # format 2 is the one that can compress
        run([self._program, "init", "--repository-version", "2"], environment=self._environment(target))

    def copy(self, target: Path) -> None:
        command = [self._program, "backup", "--quiet", "--compression", self._compression, *self._files]
        run(command, environment=self._environment(target))

    def check(self, target: Path) -> None:
        environment = {**os.environ, **self._environment(target)}
        for path in self._files:
            command = [self._program, "--quiet", "dump", "latest", path]
            with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as restored:
                compared = subprocess.run(["cmp", "-", path], stdin=restored.stdout, check=False)
            if restored.returncode or compared.returncode:
                raise RuntimeError(f"restic does not give {path} back as it was")

    def _environment(self, target: Path) -> dict[str, str]:
        return {
            "RESTIC_REPOSITORY": str(target / "repository"),
            "RESTIC_PASSWORD": "not a secret",  # restic cannot do without one
            "RESTIC_CACHE_DIR": str(target / "cache"),
            "TMPDIR": str(target / "temporary"),  # packs are assembled there
        }


def _first_line(command: Sequence[str | Path]) -> str:
    return run(command).partition("\n")[0].strip()
