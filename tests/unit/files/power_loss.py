# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk whose power can be taken away: what is safe on it, and what could be found on it afterwards.

:class:`DiskLayer` works on real files and folders; :class:`Disk` keeps beside them what of it all is safe. The
model's assumptions are those that POSIX and the common file systems grant, and no more:

* Flushing a file makes its bytes and its size safe, and not its name.
* Flushing a folder makes the names in it safe: those made, renamed and removed, folders included.
* A rename is atomic: it has happened or not. A new name by link() and the old one's end by unlink() are two changes.
* A change of names that was not flushed has happened or not, each change by itself, in whatever order.
* Of bytes written since the file's last flush each sector is the new one or the old one; where a file has grown,
  its size is the old one, the new one or one between, and a sector that never arrived reads as zeros.
* What was safe and was not written again stays as it is; a device does not lie about a flush.

A file that was made and never flushed is safe as an empty one, once its name is.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from unittest import mock

from ansible_collections.hotbackup.oracle.plugins.module_utils._files import linux
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer

SECTOR = 512

#: Path below the disk's root to content; None for a folder; for a file's second name its first one.
Image = Mapping[str, bytes | str | None]
#: From the safe and the current bytes of a file to those that are found.
Content = Callable[[bytes, bytes], bytes]


def identity_of(status: os.stat_result) -> tuple[int, int]:
    return (status.st_dev, status.st_ino)


class Node:
    """A file or a folder of the disk. It stays readable when it has no name any more."""

    def __init__(self, path: Path, safe: bytes) -> None:
        self.is_folder = path.is_dir()
        self.safe = safe
        # Kept open, so that no other file gets this one's inode number.
        self._descriptor = os.open(path, os.O_RDONLY)
        self.identity = identity_of(os.fstat(self._descriptor))

    def current(self) -> bytes:
        return os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0)

    def close(self) -> None:
        os.close(self._descriptor)


class Disk:
    """What is below ``root``; all that is there at the beginning is safe."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._nodes: list[Node] = []
        self._names: dict[str, Node] = {}
        #: Changes of names that no flush has made safe yet, oldest first; None stands for a name that is gone.
        self._changes: list[dict[str, Node | None]] = []
        for path in root.rglob("*"):
            self._add(path, b"" if path.is_dir() else path.read_bytes())
        self._safe_names = dict(self._names)

    def close(self) -> None:
        for node in self._nodes:
            node.close()

    def made(self, path: str) -> None:
        known = self._names.get(path)
        if known is not None and known.identity != identity_of(Path(path).stat()):
            self.removed(path)
        if path not in self._names:
            self._changes.append({path: self._add(Path(path), b"")})

    def renamed(self, source: str, target: str) -> None:
        node = self._names[target] = self._names.pop(source)
        self._changes.append({source: None, target: node})

    def linked(self, source: str, target: str) -> None:
        node = self._names[target] = self._names[source]
        self._changes.append({target: node})

    def removed(self, path: str) -> None:
        del self._names[path]
        self._changes.append({path: None})

    def flushed(self, descriptor: int) -> None:
        identity = identity_of(os.fstat(descriptor))
        node = next(node for node in self._nodes if node.identity == identity)
        node.safe = node.current()

    def folder_flushed(self, folder: str) -> None:
        inside = [change for change in self._changes if str(Path(next(iter(change))).parent) == folder]
        self._changes = [change for change in self._changes if change not in inside]
        for change in inside:
            apply_change(self._safe_names, change)

    def image(self, happened: Callable[[], bool], content: Content) -> Image:
        """What is found after a loss of power, if it is decided so for each change of names and each file."""
        names = dict(self._safe_names)
        for change in self._changes:
            if happened():
                apply_change(names, change)
        image: dict[str, bytes | str | None] = {}
        first_names: dict[Node, str] = {}
        for path, node in names.items():
            if all(str(folder) in names for folder in Path(path).parents if self.root in folder.parents):
                name = os.path.relpath(path, self.root)
                if node.is_folder:
                    image[name] = None
                elif node in first_names:
                    image[name] = first_names[node]
                else:
                    first_names[node] = name
                    image[name] = content(node.safe, node.current())
        return image

    def images(self, chance: random.Random, more: int = 2) -> Iterator[Image]:
        """The worst that can be found, and ``more`` mixtures by chance."""
        for content in (old, new, zeros, half):
            yield self.image(lambda: False, content)
            yield self.image(lambda: True, content)
        for _number in range(more):
            yield self.image(lambda: chance.random() < 0.5, lambda *both: by_chance(chance, *both))

    def _add(self, path: Path, safe: bytes) -> Node:
        node = Node(path, safe)
        self._nodes.append(node)
        self._names[str(path)] = node
        return node


class DiskLayer(OsFileLayer):
    """The operating system, with a :class:`Disk` that is told what becomes safe. One thread at a time."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def open_staging(self, path: str) -> int | None:
        descriptor = super().open_staging(path)
        self._disk.made(path)
        return descriptor

    def open_new(self, path: str) -> int:
        descriptor = super().open_new(path)
        self._disk.made(path)
        return descriptor

    def open_journal(self, path: str) -> int:
        descriptor = super().open_journal(path)
        self._disk.made(path)
        return descriptor

    def make_folder(self, path: str) -> None:
        super().make_folder(path)
        self._disk.made(path)

    def rename(self, source: str, target: str) -> None:
        super().rename(source, target)
        self._disk.renamed(source, target)

    def rename_new(self, source: str, target: str) -> None:
        super().rename_new(source, target)
        self._disk.renamed(source, target)

    def remove(self, path: str) -> None:
        super().remove(path)
        self._disk.removed(path)

    def flush(self, descriptor: int) -> None:
        self._disk.flushed(descriptor)

    def flush_folder(self, folder: str) -> None:
        self._disk.folder_flushed(folder)


class LinkingDiskLayer(DiskLayer):
    """The same where the system has no call that renames to a free name only."""

    def rename_new(self, source: str, target: str) -> None:
        with mock.patch.object(linux, "rename_new", return_value=False):
            OsFileLayer.rename_new(self, source, target)
        self._disk.linked(source, target)
        self._disk.removed(source)


def restore_image(image: Image, root: Path) -> None:
    """Make ``root`` a folder in which everything is as in the image."""
    root.mkdir()
    for path, content in sorted(image.items()):
        if content is None:
            (root / path).mkdir()
        elif isinstance(content, bytes):
            (root / path).write_bytes(content)
    for path, first_name in image.items():
        if isinstance(first_name, str):
            (root / path).hardlink_to(root / first_name)


def apply_change(names: dict[str, Node], change: Mapping[str, Node | None]) -> None:
    for path, node in change.items():
        if node is None:
            names.pop(path, None)
        else:
            names[path] = node


def old(safe: bytes, _current: bytes) -> bytes:
    """Nothing arrived."""
    return safe


def new(_safe: bytes, current: bytes) -> bytes:
    """Everything arrived."""
    return current


def zeros(safe: bytes, current: bytes) -> bytes:
    """The new size arrived, and none of the bytes."""
    return safe[: len(current)].ljust(len(current), b"\0")


def half(safe: bytes, current: bytes) -> bytes:
    """Half of what was appended arrived."""
    return current[: (len(safe) + len(current)) // 2]


def by_chance(chance: random.Random, safe: bytes, current: bytes) -> bytes:
    """Any size, and of each sector the old or the new one."""
    sizes = sorted((len(safe), len(current)))
    size = chance.choice([*sizes, chance.randint(*sizes)])
    versions = [version[:size].ljust(size, b"\0") for version in (safe, current)]
    sectors = (chance.choice(versions)[start : start + SECTOR] for start in range(0, size, SECTOR))
    return b"".join(sectors)
