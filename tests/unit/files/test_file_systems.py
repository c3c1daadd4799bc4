# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies from and to every kind of file system: with direct I/O and without, with holes, with shared blocks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    copy_file,
    copy_many,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings

from unit.files import oracle_file_writer as writer

MEBIBYTE = 1 << 20
SIZE = 8192
IMAGE_BYTES = 320 * MEBIBYTE  # XFS wants 300 MiB at least; the image is sparse itself
MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-F"],
    "xfs": ["mkfs.xfs", "-q", "-m", "reflink=1"],
    "btrfs": ["mkfs.btrfs", "-q"],
}
# bindfs passes calls on through a process of its own, as clients of remote file systems do; it has no direct I/O.
NEEDED = {**{kind: make[0] for kind, make in MAKE.items()}, "bindfs": "bindfs"}


def mounted(kind: str, tmp_path: Path) -> Iterator[Path]:
    """A new file system of that kind, mounted for one test."""
    if os.geteuid() != 0:
        pytest.skip(f"only root can mount a {kind} to copy to")
    if kind in NEEDED and shutil.which(NEEDED[kind]) is None:
        pytest.skip(f"{NEEDED[kind]} is not installed")
    place = tmp_path / f"mounted_{kind}"
    place.mkdir()
    done = subprocess.run(mount_command(kind, place), capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no {kind} can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def mount_command(kind: str, place: Path) -> list[str]:
    if kind == "tmpfs":
        return ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    layers = {name: place.with_name(f"{kind}_{name}") for name in ("lower", "upper", "work")}
    for folder in layers.values():
        folder.mkdir()
    if kind == "bindfs":
        return ["bindfs", str(layers["lower"]), str(place)]
    if kind == "overlay":
        options = "lowerdir={lower},upperdir={upper},workdir={work}".format_map(layers)
        return ["mount", "-t", "overlay", "-o", options, "overlay", str(place)]
    image = layers["lower"] / f"{kind}.image"
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run([*MAKE[kind], str(image)], check=True, capture_output=True)
    return ["mount", "-t", kind, "-o", "loop", str(image), str(place)]


@pytest.fixture(params=["ext4", "xfs", "btrfs", "tmpfs", "overlay", "bindfs"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    yield from mounted(request.param, tmp_path)


@pytest.fixture(params=["xfs", "btrfs"])
def sharing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A file system in which files can share blocks."""
    yield from mounted(request.param, tmp_path)


def copied(source: Path, target: Path, reflink: bool = False, files: OsFileLayer | None = None) -> CopyResult:
    wanted = CopyRequest(
        source=str(source),
        destination=str(target),
        kind=FileKind.DATAFILE,
        reflink=reflink,
        reread_attempts=0,
    )
    (result,) = copy_many([wanted], StreamSettings(2), IoContext(files=files or OsFileLayer()))
    assert target.read_bytes() == source.read_bytes()
    return result


def occupied_bytes(path: Path) -> int:
    return path.stat().st_blocks * 512


# --- there and back


@pytest.mark.parametrize("block_size", [2048, 8192])
def test_a_copy_goes_there_and_back(place: Path, tmp_path: Path, block_size: int) -> None:
    source = writer.Datafile(block_size=block_size).fill(700).write(tmp_path / "users01.dbf")
    there = copied(source, place / "users01.dbf")
    back = copied(place / "users01.dbf", tmp_path / "back.dbf")
    assert back.digest == there.digest
    assert [path.name for path in place.iterdir() if path.is_file()] == ["users01.dbf"]


def test_a_name_that_is_taken_is_spared(place: Path) -> None:
    files = OsFileLayer()
    for name in ("old", "taken"):
        (place / name).write_text(name)
    with pytest.raises(FileExistsError):
        files.rename_new(str(place / "old"), str(place / "taken"))
    files.rename_new(str(place / "old"), str(place / "new"))
    assert {path.name: path.read_text() for path in place.iterdir() if path.is_file()} == {
        "new": "old",
        "taken": "taken",
    }


class NoDirectIo(OsFileLayer):
    """As a network file system that was mounted without any of it: no direct I/O, no call to allocate ahead."""

    def open_direct(self, path: str, descriptor: int) -> int | None:
        return None

    def allocate(self, descriptor: int, offset: int, length: int) -> bool:
        return False

    def resident_pages(self, descriptor: int, offset: int, length: int) -> bytes | None:
        return None


def test_a_file_system_that_offers_nothing_special_is_served(tmp_path: Path) -> None:
    source = writer.Datafile().fill(700).write(tmp_path / "users01.dbf")
    copied(source, tmp_path / "copy.dbf", files=NoDirectIo())


# --- holes


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    """A datafile whose middle was never written: the file system gives it no blocks there."""
    content = writer.Datafile().fill(40).to_bytes()
    path = tmp_path / "sparse.dbf"
    hole = range(8, 32)
    with path.open("wb") as file:
        file.write(content[: hole.start * SIZE])
        file.seek(hole.stop * SIZE)
        file.write(content[hole.stop * SIZE :])
    if occupied_bytes(path) >= path.stat().st_size:
        pytest.skip(f"the file system of {tmp_path} has no holes")
    return path


def test_holes_stay_holes_and_are_reported_as_what_they_are(sparse: Path, tmp_path: Path) -> None:
    result = copied(sparse, tmp_path / "copy.dbf")
    assert occupied_bytes(tmp_path / "copy.dbf") <= occupied_bytes(sparse)
    assert {(fault.block, fault.kind) for fault in result.faults} == {(n, "all_zero") for n in range(8, 32)}
    assert copied(tmp_path / "copy.dbf", tmp_path / "back.dbf").digest == result.digest
    assert occupied_bytes(tmp_path / "back.dbf") <= occupied_bytes(sparse)


def test_zeros_that_were_written_are_written_again(tmp_path: Path) -> None:
    content = bytearray(writer.Datafile().fill(40).to_bytes())
    content[8 * SIZE : 32 * SIZE] = bytes(24 * SIZE)
    source = tmp_path / "zeroed.dbf"
    source.write_bytes(content)
    copied(source, tmp_path / "copy.dbf")
    assert occupied_bytes(tmp_path / "copy.dbf") >= len(content)


def test_a_file_that_ends_in_a_hole_keeps_its_length(sparse: Path, tmp_path: Path) -> None:
    whole = sparse.stat().st_size
    os.truncate(sparse, 8 * SIZE)
    os.truncate(sparse, whole)
    copied(sparse, tmp_path / "copy.dbf")
    assert occupied_bytes(tmp_path / "copy.dbf") < whole


# --- shared blocks


def free_bytes(place: Path) -> int:
    subprocess.run(["sync", "-f", str(place)], check=True)
    status = os.statvfs(place)
    return status.f_bfree * status.f_frsize


def test_a_reflink_shares_blocks_until_one_side_changes(sharing: Path) -> None:
    source = writer.Datafile().fill(1000).write(sharing / "users01.dbf")
    before = free_bytes(sharing)
    result = copied(source, sharing / "copy.dbf", reflink=True)
    assert result.reflinked
    assert (result.blocks_examined, result.fault_count) == (1001, 0)
    assert before - free_bytes(sharing) < MEBIBYTE
    kept = (sharing / "copy.dbf").read_bytes()
    with source.open("r+b") as file:
        file.seek(500 * SIZE)
        file.write(b"changed since")
    assert (sharing / "copy.dbf").read_bytes() == kept


def test_without_being_asked_a_copy_has_blocks_of_its_own(sharing: Path) -> None:
    source = writer.Datafile().fill(1000).write(sharing / "users01.dbf")
    before = free_bytes(sharing)
    assert not copied(source, sharing / "copy.dbf").reflinked
    assert before - free_bytes(sharing) >= source.stat().st_size * 0.9


def test_a_reflink_to_another_file_system_is_a_plain_copy(sharing: Path, tmp_path: Path) -> None:
    source = writer.Datafile().fill(100).write(tmp_path / "users01.dbf")
    assert not copied(source, sharing / "copy.dbf", reflink=True).reflinked


class TornClone(OsFileLayer):
    """A clone that caught a block while the database was writing it: bytes of an older version at its end."""

    def clone(self, source: int, descriptor: int) -> bool:
        content = bytearray(os.pread(source, os.fstat(source).st_size, 0))
        content[9 * SIZE - 4 : 9 * SIZE] = b"\x01\x06\x00\x00"
        os.pwrite(descriptor, content, 0)
        return True


def test_what_was_torn_in_the_clone_is_copied_from_the_source(tmp_path: Path) -> None:
    source = writer.Datafile().fill(40).write(tmp_path / "users01.dbf")
    result = copied(source, tmp_path / "copy.dbf", reflink=True, files=TornClone())
    assert (result.reflinked, result.fault_count, result.blocks_examined) == (True, 0, 41)
    assert (
        result.digest
        == copy_file(CopyRequest(str(source), str(tmp_path / "other.dbf"), FileKind.DATAFILE)).digest
    )


class LateClone(OsFileLayer):
    """The database has extended the file since its size was looked at."""

    def clone(self, source: int, descriptor: int) -> bool:
        content = os.pread(source, os.fstat(source).st_size, 0)
        os.pwrite(descriptor, content + bytes(8 * SIZE), 0)
        return True


def test_what_grows_before_it_is_cloned_is_copied_up_to_the_size_it_had(tmp_path: Path) -> None:
    source = writer.Datafile().fill(40).write(tmp_path / "users01.dbf")
    result = copied(source, tmp_path / "copy.dbf", reflink=True, files=LateClone())
    assert (result.reflinked, result.fault_count) == (True, 0)
    assert (tmp_path / "copy.dbf").read_bytes() == source.read_bytes()


class StaleClone(OsFileLayer):
    """A clone that holds something where the source has a hole by now."""

    def clone(self, source: int, descriptor: int) -> bool:
        content = bytearray(os.pread(source, os.fstat(source).st_size, 0))
        content[16 * SIZE : 24 * SIZE] = b"x" * (8 * SIZE)
        os.pwrite(descriptor, content, 0)
        return True


def test_zeros_of_the_source_take_the_place_of_what_the_clone_held(sparse: Path, tmp_path: Path) -> None:
    assert copied(sparse, tmp_path / "copy.dbf", reflink=True, files=StaleClone()).reflinked
