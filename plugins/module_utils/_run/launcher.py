# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start the runner and the guardian as processes of their own. Private to the collection.

Ansible removes the archive a module was loaded from as soon as the module returns, and a process forked from
the module fails at its first late import. So the code is copied into the run's state folder and executed from
there by a separate interpreter: new session, no inherited descriptors but those meant, secrets through its
standard input.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
import zipimport
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.certain import certain
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import make_private_folder

_PACKAGE = "ansible_collections/hotbackup/oracle/plugins/module_utils"
_LAYERS = ("_backup", "_files", "_oracle", "_run")

# In isolated mode neither the environment nor the working folder decide what is imported. The library folders
# of the interpreter that ran the module come last: the driver may be installed where an isolated interpreter
# does not look.
_START = """\
import importlib
import sys

sys.path.insert(0, {code!r})
sys.path.extend(folder for folder in {libraries!r} if folder not in sys.path)
sys.exit(importlib.import_module({package!r} + sys.argv[1]).main())
"""


@dataclass(frozen=True)
class Program:
    """Code laid out so that it can be executed on its own."""

    start_file: Path
    log_path: Path

    def command(self, role: str, set_id: str) -> list[str]:
        """Arguments hold nothing secret: they are what ``ps`` shows."""
        return [sys.executable, "-I", str(self.start_file), role, set_id]


def install_program(code_folder: Path, log_path: Path) -> Program:
    """Copy the collection's code from where this module was loaded. Raises BackupError."""
    make_private_folder(code_folder)
    written = set()
    for name, data in _own_sources():
        target = code_folder / name
        for package in _packages_of(target, code_folder):
            if package not in written:
                make_private_folder(package)
                _write_if_different(package / "__init__.py", b"")
                written.add(package)
        _write_if_different(target, data)
    start_file = code_folder / "start.py"
    content = _START.format(
        code=str(code_folder),
        libraries=[folder for folder in sys.path if Path(folder).is_absolute() and Path(folder).is_dir()],
        package=_PACKAGE.replace("/", ".") + "._run.",
    )
    _write_if_different(start_file, content.encode("utf-8"))
    return Program(start_file, log_path)


def start(
    program: Program,
    role: str,
    set_id: str,
    request: object,
    inherited: Iterable[int] = (),
    answers: bool = False,
) -> subprocess.Popen[bytes]:
    """Execute ``role`` (``runner`` or ``guardian``) and hand it ``request`` as one JSON line on standard
    input.

    Standard input stays open; with ``answers``, standard output is a pipe, otherwise it goes to the log.
    Raises BackupError if the process cannot be started or does not take the request.
    """
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        log = os.open(program.log_path, flags, 0o600)
        try:
            process = subprocess.Popen(
                program.command(role, set_id),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if answers else log,
                stderr=log,
                cwd="/",
                close_fds=True,
                pass_fds=tuple(inherited),
                start_new_session=True,
            )
        finally:
            os.close(log)
        pipe = certain(process.stdin, "the pipe to the process")
        pipe.write(json.dumps(request).encode("ascii") + b"\n")
        pipe.flush()
    except OSError as exc:
        raise BackupError(
            f"Failed to start the {role} with {sys.executable}: {exc.strerror}.",
            hint=f"Its log is {program.log_path}.",
        ) from exc
    return process


def log_tail(log_path: Path, lines: int = 10) -> list[str]:
    """The log's last lines; none if there is no log."""
    try:
        with open(log_path, "rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 16 * 1024))
            return log.read().decode("utf-8", errors="replace").splitlines()[-lines:]
    except OSError:
        return []


def _own_sources() -> Iterator[tuple[str, bytes]]:
    """Yield every source file of the layers a run needs, named from the root of the package tree."""
    wanted = tuple(f"{_PACKAGE}/{layer}/" for layer in _LAYERS)
    loader = __spec__.loader if __spec__ else None
    if isinstance(loader, zipimport.zipimporter):
        with zipfile.ZipFile(loader.archive) as archive:
            for name in archive.namelist():
                if name.startswith(wanted) and name.endswith(".py"):
                    yield name, archive.read(name)
        return
    package = Path(__file__).resolve().parents[1]
    for layer in _LAYERS:
        for source in sorted((package / layer).rglob("*.py")):
            yield f"{_PACKAGE}/{source.relative_to(package)}", source.read_bytes()


def _packages_of(target: Path, root: Path) -> list[Path]:
    """The folders between ``root`` (left out) and the file, outermost first."""
    folders = [folder for folder in target.parents if root in folder.parents]
    return list(reversed(folders))


def _write_if_different(path: Path, data: bytes) -> None:
    """A later run of the same set finds the code in place; a process still running from it is not disturbed.

    Not flushed to storage: after a crash of the host the next run compares, and writes what differs.
    """
    try:
        if path.is_file() and path.read_bytes() == data:
            return
        staged = path.with_name(f".{path.name}.{os.getpid()}")
        staged.write_bytes(data)
        staged.replace(path)
    except OSError as exc:
        raise BackupError(f"Failed to write {path}: {exc.strerror}.") from exc
