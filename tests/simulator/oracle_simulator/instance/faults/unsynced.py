# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes that are not on stable storage yet, and the power failure that takes them away.

SIGKILL alone loses nothing that was written: the operating system has it. So that a database can also be
tried against a failing machine, an instance can keep, beside its files, what each of them held before the
writes since its last sync. After the process was killed, :func:`lose_power` takes those writes back: all of
them, or, sector by sector, some of them, as a disk with a cache might.

One journal per file, named by inode: the path, then entries (kind, offset, size of the file before, length,
CRC-32) each followed by the old bytes. A sync empties it. An entry that is not whole belongs to a write that
has not begun.
"""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from oracle_simulator.storage.disk import SECTOR_BYTES, PlainFile

_ENTRY = struct.Struct("<BQQII")
_CREATED, _WRITTEN, _RESIZED = 1, 2, 3


class Entry(NamedTuple):
    """What a file was before one write: ``old`` is at most as long as the write, shorter at the file's end."""

    kind: int
    offset: int
    size_before: int
    old: bytes


class UnsyncedWrites:
    """The journals of one instance in ``folder``. What an earlier instance left there is forgotten."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.Lock()
        self._locks: dict[int, threading.RLock] = {}
        self._journals: dict[int, int] = {}
        folder.mkdir(mode=0o700, exist_ok=True)
        forget(folder)

    @contextmanager
    def exclusive(self, inode: int) -> Iterator[None]:
        """One write or sync of a file at a time: a sync covers what was written before it, not during it."""
        with self._guard:
            lock = self._locks.setdefault(inode, threading.RLock())
        with lock:
            yield

    def created(self, path: Path, inode: int) -> None:
        """A new file: it is gone after a power failure unless it was synced."""
        with self.exclusive(inode):
            self._drop(inode)
            self._append(path, inode, Entry(_CREATED, 0, 0, b""))

    def before_write(self, file: PlainFile, offset: int, length: int) -> None:
        """Keep what ``length`` bytes at ``offset`` are now."""
        entry = Entry(_WRITTEN, offset, file.size, file.read_at(length, offset).ljust(length, b"\0"))
        self._append(file.path, file.inode, entry)

    def before_resize(self, file: PlainFile, size: int) -> None:
        """Keep the size, and what is about to be cut off."""
        before = file.size
        cut = file.read_at(before - size, size) if size < before else b""
        self._append(file.path, file.inode, Entry(_RESIZED, size, before, cut))

    def synced(self, inode: int) -> None:
        """All of it is on stable storage."""
        journal = self._journals.get(inode)
        if journal is not None:
            os.ftruncate(journal, 0)

    def removed(self, path: Path) -> None:
        """Removing a file is final here."""
        if path.exists():
            with self.exclusive(path.stat().st_ino):
                self._drop(path.stat().st_ino)

    def close(self) -> None:
        """Close the journals."""
        for inode in list(self._journals):
            os.close(self._journals.pop(inode))

    def _drop(self, inode: int) -> None:
        journal = self._journals.pop(inode, None)
        if journal is not None:
            os.close(journal)
            (self._folder / str(inode)).unlink()

    def _append(self, path: Path, inode: int, entry: Entry) -> None:
        journal = self._journals.get(inode)
        if journal is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            journal = self._journals[inode] = os.open(self._folder / str(inode), flags, 0o600)
        data = b"" if os.fstat(journal).st_size else _header(path)
        head = _ENTRY.pack(entry.kind, entry.offset, entry.size_before, len(entry.old), zlib.crc32(entry.old))
        view = memoryview(data + head + entry.old)
        while view:
            view = view[os.write(journal, view) :]


def forget(folder: Path) -> None:
    """The operating system wrote everything after all: no machine failed."""
    if folder.is_dir():
        for journal in folder.iterdir():
            journal.unlink()


def lose_power(folder: Path, random: Random | None = None) -> list[str]:
    """Take back what was not synced when the process was killed; returns a line for each file that changed.

    Without ``random`` everything goes back to the last sync. With it each sector ends as one of the states it
    went through since then, each file with one of its sizes, and a new file may or may not be there.
    """
    said = []
    for journal in sorted(folder.iterdir()) if folder.is_dir() else ():
        path, entries = _read(journal.read_bytes())
        if entries and path.exists() and path.stat().st_ino == int(journal.name):
            said.append(_take_back(path, entries, random))
    forget(folder)
    return said


def _header(path: Path) -> bytes:
    name = os.fsencode(path)
    return len(name).to_bytes(2, "little") + name


def _read(data: bytes) -> tuple[Path, list[Entry]]:
    start = 2 + int.from_bytes(data[:2], "little")
    path = Path(os.fsdecode(data[2:start]))
    entries = []
    while start + _ENTRY.size <= len(data):
        kind, offset, size_before, length, crc = _ENTRY.unpack_from(data, start)
        old = data[start + _ENTRY.size : start + _ENTRY.size + length]
        if len(old) != length or zlib.crc32(old) != crc:
            break
        entries.append(Entry(kind, offset, size_before, old))
        start += _ENTRY.size + length
    return path, entries


def _take_back(path: Path, entries: list[Entry], random: Random | None) -> str:
    if entries[0].kind == _CREATED and (random is None or random.random() < 0.5):
        path.unlink()
        return f"{path}: gone"
    with path.open("r+b") as file:
        sizes = [entry.size_before for entry in entries if entry.kind != _CREATED]
        sizes.append(os.fstat(file.fileno()).st_size)
        size = random.choice(sizes) if random else sizes[0]
        file.truncate(max(sizes))
        changed = 0
        sectors = _sectors(entries)
        choices = {
            sector: random.randint(0, len(states)) if random else 0 for sector, states in sectors.items()
        }
        for sector, states in sectors.items():
            state = min(len(states), choices[_unit(sector, entries)])
            for first, old in reversed(states[state:]):
                file.seek(sector * SECTOR_BYTES + first)
                file.write(old)
            changed += state < len(states)
        file.truncate(size)
    return f"{path}: {changed} sectors taken back, {size} bytes"


def _unit(sector: int, entries: list[Entry]) -> int:
    """The sector whose fate this one shares: block 1 of a file, its header, is taken to be written whole."""
    for entry in entries:
        first = entry.offset // SECTOR_BYTES
        if entry.offset == len(entry.old) and first <= sector < 2 * first:
            return first
    return sector


def _sectors(entries: list[Entry]) -> dict[int, list[tuple[int, bytes]]]:
    """Per sector what the writes to it replaced, oldest first: (first byte within the sector, bytes)."""
    found: dict[int, list[tuple[int, bytes]]] = {}
    for entry in entries:
        position = 0
        while position < len(entry.old):
            sector, first = divmod(entry.offset + position, SECTOR_BYTES)
            piece = entry.old[position : position + SECTOR_BYTES - first]
            found.setdefault(sector, []).append((first, piece))
            position += len(piece)
    return found
