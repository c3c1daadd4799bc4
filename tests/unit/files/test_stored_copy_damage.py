# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever becomes of a stored copy, verifying it tells; also where every block still looks sound."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_check import (
    DatafileChecker,
    RedoChecker,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    copy_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import (
    VerifyResult,
    verify_file,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from unit.files import oracle_file_writer as writer
from unit.files.damage import SECTOR, draw_damaged, draw_sample

KIND = {
    writer.Datafile: FileKind.DATAFILE,
    writer.RedoLog: FileKind.REDO,
    writer.ControlFile: FileKind.CONTROL,
}
SIZE = 2048
ACCELERATORS = ("none", "numpy")
accelerated = pytest.mark.parametrize("accelerator", ACCELERATORS)


@dataclass(frozen=True)
class Stored:
    """A copy in a set, with what was recorded of it."""

    path: Path
    copied: CopyResult
    kind: FileKind

    def verify(self, accelerator: str = "auto") -> VerifyResult:
        return verify_file(
            str(self.path),
            FileExpectations(self.kind),
            self.copied.digest,
            IoContext(accelerator=accelerator),
        )

    def verify_changed(self, content: bytes, accelerator: str = "auto") -> VerifyResult:
        self.path.write_bytes(content)
        return self.verify(accelerator)


@contextmanager
def stored(image: Any, content: bytes | None = None) -> Iterator[Stored]:
    """The image, or ``content`` in its place, copied by the engine."""
    with TemporaryDirectory() as folder:
        source, path = Path(folder, "source"), Path(folder, "copy")
        source.write_bytes(image.to_bytes() if content is None else content)
        kind = KIND[type(image)]
        copied = copy_file(CopyRequest(str(source), str(path), kind), IoContext(pause=lambda _seconds: None))
        copy = Stored(path, copied, kind)
        assert copy.verify().intact
        yield copy


def same_blocks(result: VerifyResult, copied: CopyResult) -> bool:
    """Whether the block check saw nothing that it had not seen in the source."""
    return result.faults == copied.faults and result.blocks_examined == copied.blocks_examined


# --- every single bit


@accelerated
def test_every_bit_of_a_small_log_counts(accelerator: str) -> None:
    """For the block check alone, and for whoever verifies the stored file."""
    image = writer.RedoLog(blocks_written=4)
    content = bytearray(image.to_bytes())
    with stored(image) as copy, copy.path.open("r+b", buffering=0) as file:
        for bit in range(len(content) * 8):
            place = bit // 8
            content[place] ^= 1 << bit % 8
            checker = RedoChecker(512, image.sequence, accelerator, next_available_block=4)
            found = [*checker.check(0, memoryview(content)), *checker.finish()]
            assert [fault.block for fault in found] == [place // 512], bit
            # Verifying costs ten times as much: every other bit by each way of checking.
            if bit % 2 == ACCELERATORS.index(accelerator):
                os.pwrite(file.fileno(), content, 0)
                assert not copy.verify(accelerator).intact, bit
            content[place] ^= 1 << bit % 8
        assert copy.verify_changed(bytes(content), accelerator).intact


@pytest.mark.parametrize(("accelerator", "big_endian"), [("none", False), ("numpy", True)])
def test_every_bit_of_a_small_datafile_counts(accelerator: str, big_endian: bool) -> None:
    image = writer.Datafile(block_size=SIZE, big_endian=big_endian).fill(2)
    content = image.to_bytes()
    checker = DatafileChecker(SIZE, 4, False, image.compatibility, accelerator, big_endian=big_endian)
    for number in range(4):
        block = bytearray(content[number * SIZE : (number + 1) * SIZE])
        for bit in range(SIZE * 8):
            block[bit // 8] ^= 1 << bit % 8
            assert len(checker.check(number, memoryview(block))) == 1, (number, bit)
            block[bit // 8] ^= 1 << bit % 8


def test_every_byte_of_a_small_datafile_counts_when_the_copy_is_verified() -> None:
    image = writer.Datafile(block_size=SIZE).fill(2)
    content = image.to_bytes()
    with stored(image) as copy, copy.path.open("r+b", buffering=0) as file:
        for place, byte in enumerate(content):
            os.pwrite(file.fileno(), bytes([byte ^ 1 << place % 8]), place)
            assert not copy.verify(ACCELERATORS[place % 2]).intact, place
            os.pwrite(file.fileno(), bytes([byte]), place)
        assert copy.verify().intact


@pytest.mark.parametrize(
    "image", [writer.RedoLog(blocks_written=4), writer.Datafile(block_size=SIZE).fill(2)]
)
def test_every_shorter_and_every_longer_copy_is_told(image: Any) -> None:
    content = image.to_bytes()
    with stored(image) as copy:
        for length in range(0, len(content), 61):
            assert not copy.verify_changed(content[:length]).intact, length
        for more in (1, 511, 512, image.block_size, 4 * image.block_size):
            assert not copy.verify_changed(content + bytes(more)).intact, more
        assert copy.verify_changed(content).intact


def test_a_datafile_longer_than_an_address_can_name_is_refused() -> None:
    image = writer.Datafile(block_size=SIZE).fill(2)
    with stored(image) as copy:
        os.truncate(copy.path, (2**22 + 1) * SIZE)
        (problem,) = copy.verify().problems
        assert f"at most {2**22 * SIZE} bytes, found {(2**22 + 1) * SIZE}" in problem


# --- any damage


@settings(deadline=None, derandomize=True, max_examples=120)
@given(st.randoms(use_true_random=True))
def test_any_damage_to_a_stored_copy_is_told(random: Random) -> None:
    """Of files that were damaged before they were copied too: their copy has the damage the source had."""
    sample = draw_sample(random)
    content = sample.data
    changed = draw_damaged(random, sample, most=2)
    if random.random() < 0.2:
        changed = changed[: random.randrange(len(changed))]
    elif random.random() < 0.2:
        changed += random.choice((bytes, random.randbytes))(random.choice((1, SECTOR, sample.block_size)))
    assume(changed != content)
    with stored(sample.image) as copy:
        found = copy.verify_changed(changed, random.choice(ACCELERATORS))
        assert not found.intact
        assert all(str(copy.path) in problem for problem in found.problems)


# --- what leaves every block sound


def body_of(block: bytes, change: Callable[[bytearray], None]) -> bytes:
    changed = bytearray(block)
    change(changed)
    assert bytes(changed) != block
    return bytes(changed)


def twin_errors(block: bytearray) -> None:
    for place in (700, 900):
        block[place] ^= 0x10


def swapped_sectors(block: bytearray) -> None:
    block[512:1024], block[1024:1536] = block[1024:1536], block[512:1024]


def sector_of_even_words_lost(block: bytearray) -> None:
    block[1024:1536] = bytes(512)


def row_moved_in_an_old_sector(block: bytearray) -> None:
    block[512:516], block[516:520] = block[516:520], block[512:516]


@accelerated
@pytest.mark.parametrize(
    "change", [twin_errors, swapped_sectors, sector_of_even_words_lost, row_moved_in_an_old_sector]
)
def test_damage_that_cancels_in_the_checksum_is_left_to_the_digest(
    accelerator: str, change: Callable[[bytearray], None]
) -> None:
    image = writer.Datafile(block_size=SIZE)
    random = Random(1)
    # The third sector holds everything twice, so its words cancel.
    body = random.randbytes(1004) + random.randbytes(256) * 2 + random.randbytes(500)
    image.bodies.append(image.data_block(2, body=body))
    with stored(image) as copy:
        image.bodies[0] = body_of(image.bodies[0], change)
        found = copy.verify_changed(image.to_bytes(), accelerator)
        assert same_blocks(found, copy.copied)
        assert [("digest" in problem) for problem in found.problems] == [True]


def older_image(image: writer.Datafile) -> None:
    image.bodies[0] = image.data_block(2, scn=1, body=b"as it was last week")


def forgotten_block(image: writer.Datafile) -> None:
    image.bodies[0] = writer.never_used_block(SIZE, 2)


def block_of_another_database(image: writer.Datafile) -> None:
    image.bodies[0] = writer.Datafile(block_size=SIZE, dbid=1).data_block(2, body=b"same address")


def unchecked_block_changed(image: writer.Datafile) -> None:
    image.bodies[1] = writer.patch(image.bodies[1], 1000, b"\xaa", None)


def checksum_of_zero_without_its_flag(image: writer.Datafile) -> None:
    image.bodies[2] = writer.patch(image.bodies[2], 15, b"\x00", None)


def longer_by_sound_blocks(image: writer.Datafile) -> None:
    image.bodies.append(writer.never_used_block(SIZE, len(image.bodies) + 2))


@accelerated
@pytest.mark.parametrize(
    "change",
    [
        older_image,
        forgotten_block,
        block_of_another_database,
        unchecked_block_changed,
        checksum_of_zero_without_its_flag,
        longer_by_sound_blocks,
    ],
)
def test_sound_blocks_that_are_not_those_stored_are_left_to_the_digest(
    accelerator: str, change: Callable[[writer.Datafile], None]
) -> None:
    image = writer.Datafile(block_size=SIZE)
    unchecked = writer.cache_block(SIZE, 0x06, image.rdba(3), 5, 1, b"row", flags=0x00)
    sealed = image.data_block(4, seq=1)
    # One word more in the body makes zero the right checksum.
    zero = writer.patch(sealed, 1000, sealed[16:18])
    assert zero[16:18] == b"\0\0"
    image.bodies += [image.data_block(2), unchecked, zero]
    header = image.header()
    with stored(image) as copy:
        assert copy.copied.faults == ()
        change(image)
        zeroth, _header, *bodies = image.blocks()
        found = copy.verify_changed(b"".join([zeroth, header, *bodies]), accelerator)
        assert found.faults == ()
        assert [("digest" in problem) for problem in found.problems] == [True]


@accelerated
def test_what_a_log_holds_behind_its_end_is_left_to_the_digest(accelerator: str) -> None:
    image = writer.RedoLog(blocks_written=5, blocks_allocated=9)
    with stored(image) as copy:
        content = bytearray(image.to_bytes())
        content[7 * 512 + 100] ^= 1
        found = copy.verify_changed(bytes(content), accelerator)
        assert same_blocks(found, copy.copied)
        assert [("digest" in problem) for problem in found.problems] == [True]


@accelerated
@pytest.mark.parametrize("lost", [True, False], ids=["zeroed", "swapped"])
def test_lost_and_swapped_blocks_of_a_control_file_are_left_to_the_digest(
    accelerator: str, lost: bool
) -> None:
    """A control file's blocks need not tell their place, and may be unused."""
    image = writer.ControlFile(block_size=SIZE)
    with stored(image) as copy:
        blocks = image.blocks()
        blocks[3], blocks[4] = (bytes(SIZE), blocks[4]) if lost else (blocks[4], blocks[3])
        found = copy.verify_changed(b"".join(blocks), accelerator)
        assert same_blocks(found, copy.copied)
        assert [("digest" in problem) for problem in found.problems] == [True]


# --- what the block check alone tells, at every place


@accelerated
@pytest.mark.parametrize("block_size", [2048, 4096])
def test_every_torn_write_of_a_block_is_fractured_or_fails_its_checksum(
    accelerator: str, block_size: int
) -> None:
    """All mixes of old and new sectors but the two whole ones."""
    image = writer.Datafile(block_size=block_size)
    random = Random(2)
    old, new = (image.data_block(9, 77 + age, 1, random.randbytes(block_size - 24)) for age in range(2))
    checker = DatafileChecker(block_size, 4, False, image.compatibility, accelerator)
    sectors = block_size // SECTOR
    for mix in range(1, 2**sectors - 1):
        parts = [(new if mix >> place & 1 else old)[place * SECTOR :][:SECTOR] for place in range(sectors)]
        (fault,) = checker.check(9, memoryview(b"".join(parts)))
        same_version = mix & 1 == mix >> sectors - 1
        assert fault.kind == ("bad_checksum" if same_version else "fractured")


@accelerated
def test_every_pair_of_swapped_blocks_is_misplaced(accelerator: str) -> None:
    image = writer.Datafile(block_size=SIZE).fill(10)
    for first in range(2, 12):
        for second in range(first + 1, 12):
            blocks = image.blocks()
            blocks[first], blocks[second] = blocks[second], blocks[first]
            checker = DatafileChecker(SIZE, 4, False, image.compatibility, accelerator)
            faults = checker.check(0, memoryview(b"".join(blocks)))
            assert [(fault.block, fault.kind) for fault in faults] == [
                (first, "misplaced"),
                (second, "misplaced"),
            ]
