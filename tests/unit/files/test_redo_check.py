# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of redo log blocks: every rule, with and without numpy, on logs made by an independent writer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_check import RedoChecker

from unit.files import oracle_file_writer as writer

accelerated = pytest.mark.parametrize("accelerator", ["none", "numpy"])
in_both_orders = pytest.mark.parametrize("big_endian", [False, True], ids=["little", "big"])


def redo_checker(accelerator: str, image: writer.RedoLog) -> RedoChecker:
    return RedoChecker(
        image.block_size,
        image.sequence,
        accelerator,
        big_endian=image.big_endian,
        next_available_block=None if image.current else image.blocks_written,
    )


@accelerated
@in_both_orders
@pytest.mark.parametrize("block_size", [512, 1024, 4096])
def test_a_sound_archived_log_has_no_fault(accelerator: str, block_size: int, big_endian: bool) -> None:
    image = writer.RedoLog(block_size=block_size, blocks_written=68, big_endian=big_endian)
    checker = redo_checker(accelerator, image)
    assert checker.check(0, memoryview(image.to_bytes())) == []
    assert checker.finish() == []
    assert (checker.counts.examined, checker.counts.without_checksum) == (67, 0)


@accelerated
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda block: writer.patch(block, 0, b"\x02", 14), "bad_header"),
        (lambda block: writer.patch(block, 1, b"\x82", 14), "bad_header"),
        (lambda block: writer.patch(block, 2, b"\x01", 14), "bad_header"),
        (lambda block: writer.patch(block, 4, b"\x06", 14), "misplaced"),
        (lambda block: writer.patch(block, 8, b"\x01", 14), "misplaced"),
        (lambda block: writer.patch(block, 100, b"\x01", None), "bad_checksum"),
        (lambda block: bytes(512), "bad_header"),
    ],
)
def test_a_bad_log_block_is_named(accelerator: str, change: Callable[[bytes], bytes], kind: str) -> None:
    image = writer.RedoLog(blocks_written=10)
    blocks = image.blocks()
    blocks[5] = change(blocks[5])
    checker = redo_checker(accelerator, image)
    faults = checker.check(0, memoryview(b"".join(blocks)))
    assert [(fault.kind, fault.block, fault.offset) for fault in faults] == [(kind, 5, 5 * 512)]
    assert checker.counts.corrupt == 1


@accelerated
def test_what_older_logs_left_behind_the_end_is_not_checked(accelerator: str) -> None:
    image = writer.RedoLog(blocks_written=10, blocks_allocated=30)
    checker = redo_checker(accelerator, image)
    data = memoryview(image.to_bytes())
    assert checker.check(0, data[: 8 * 512]) == []
    assert checker.check(8, data[8 * 512 : 20 * 512]) == []
    assert checker.check(20, data[20 * 512 :]) == []
    assert checker.counts.examined == 9


@accelerated
def test_a_current_log_ends_where_another_sequence_begins(accelerator: str) -> None:
    image = writer.RedoLog(blocks_written=10, blocks_allocated=30, current=True)
    data = bytearray(image.to_bytes())
    checker = redo_checker(accelerator, image)
    assert checker.check(0, memoryview(data)) == []
    assert checker.counts.examined == 9
    data[5 * 512 + 100] ^= 1
    assert [fault.block for fault in redo_checker(accelerator, image).check(0, memoryview(data))] == [5]


@accelerated
def test_a_log_written_without_checksums_is_not_damaged(accelerator: str) -> None:
    image = writer.RedoLog(blocks_written=10, checksums=False)
    checker = redo_checker(accelerator, image)
    assert checker.check(0, memoryview(image.to_bytes())) == []
    assert checker.finish() == []
    assert (checker.counts.without_checksum, checker.counts.corrupt) == (9, 0)


@accelerated
def test_a_missing_checksum_is_damage_if_any_other_block_has_one(accelerator: str) -> None:
    image = writer.RedoLog(blocks_written=10, checksums=False)
    blocks = image.blocks()
    blocks[9] = bytes(writer.store_checksum(bytearray(blocks[9]), 14))
    data = memoryview(b"".join(blocks))
    checker = redo_checker(accelerator, image)
    assert checker.check(0, data[: 5 * 512]) == []
    assert checker.check(5, data[5 * 512 :]) == []
    assert [fault.block for fault in checker.finish()] == list(range(1, 9))
    assert (checker.counts.without_checksum, checker.counts.corrupt) == (0, 8)


@accelerated
def test_a_log_block_read_again_may_be_the_one_that_shows_the_checksums(accelerator: str) -> None:
    image = writer.RedoLog(blocks_written=8, checksums=False)
    blocks = image.blocks()
    right = bytes(writer.store_checksum(bytearray(blocks[3]), 14))
    blocks[3] = writer.patch(right, 100, b"\xaa", None)
    checker = redo_checker(accelerator, image)
    (fault,) = checker.check(0, memoryview(b"".join(blocks)))
    assert (fault.kind, fault.block) == ("bad_checksum", 3)
    assert checker.recheck(fault, memoryview(right)) is None
    assert [fault.block for fault in checker.finish()] == [1, 2, 4, 5, 6, 7]
    assert (checker.counts.without_checksum, checker.counts.corrupt) == (0, 6)


@accelerated
@pytest.mark.parametrize("current", [False, True])
def test_half_a_log_block_is_a_programming_error(accelerator: str, current: bool) -> None:
    """Wherever it lies: behind the log's end too."""
    image = writer.RedoLog(blocks_written=3, blocks_allocated=6, current=current)
    data = memoryview(image.to_bytes())
    for length in (1500, 1600, 3000):
        with pytest.raises(ValueError, match="whole blocks"):
            redo_checker(accelerator, image).check(0, data[:length])
