# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The buffers of a stream: what is put off is done, in order, before its buffer is used again, or the block ends."""

from __future__ import annotations

import contextlib
import ctypes
import threading

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import BufferRing

KIBIBYTES_64 = 64 * 1024


def address(buffer: memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))


def test_buffers_are_different_places_aligned_for_direct_writes() -> None:
    ring = BufferRing(KIBIBYTES_64, count=3)
    places = [address(ring.next()) for _turn in range(4)]
    assert places[3] == places[0]
    assert len(set(places[:3])) == 3
    assert all(place % 4096 == 0 for place in places)
    ring.close()


def test_a_buffer_comes_again_only_when_its_action_is_over() -> None:
    ring, release, done = BufferRing(KIBIBYTES_64, count=2), threading.Event(), []

    def write() -> None:
        release.wait(30)
        done.append("written")

    with ring:
        ring.next()
        ring.later(write)
        ring.next()  # the other one: nothing to wait for
        assert done == []
        threading.Timer(0.01, release.set).start()
        ring.next()
        assert done == ["written"]
    ring.close()


def test_actions_are_done_in_order_and_before_the_block_ends() -> None:
    ring, done = BufferRing(KIBIBYTES_64, count=3), []
    with ring:
        for number in range(10):
            ring.next()
            ring.later(lambda number=number: done.append(number))  # type: ignore[misc]
    assert done == list(range(10))
    ring.close()


def test_the_only_action_of_a_block_needs_no_second_thread() -> None:
    ring, threads = BufferRing(KIBIBYTES_64), []
    with ring:
        ring.next()
        ring.later(lambda: threads.append(threading.current_thread()))
    assert threads == [threading.current_thread()]
    ring.close()


@pytest.mark.parametrize("pieces", [1, 2, 3, 7])
def test_a_failed_action_is_raised_by_the_block(pieces: int) -> None:
    def fail() -> None:
        raise OSError("no room")

    ring, after = BufferRing(KIBIBYTES_64, count=2), []
    with pytest.raises(OSError, match="no room"), ring:
        for _piece in range(pieces):
            ring.next()
            ring.later(fail)
    with ring:  # the next file starts afresh
        ring.next()
        ring.later(lambda: after.append(1))
    assert after == [1]
    ring.close()


def test_a_block_that_fails_waits_for_what_is_under_way_and_drops_the_rest() -> None:
    ring, release, done = BufferRing(KIBIBYTES_64, count=3), threading.Event(), []

    def write() -> None:
        release.wait(30)
        done.append("under way")

    with pytest.raises(ValueError, match="the reader"), ring:
        ring.next()
        ring.later(write)
        ring.next()
        ring.later(lambda: done.append("never"))
        threading.Timer(0.01, release.set).start()
        raise ValueError("the reader")
    assert done == ["under way"]
    ring.close()


@pytest.mark.parametrize("size", [0, -65536, 4096, 65537])
def test_a_size_that_direct_io_or_large_blocks_do_not_fit_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="64 KiB"):
        BufferRing(size)


def test_a_buffer_is_filled_ahead_while_the_one_before_is_in_use() -> None:
    ring, begun = BufferRing(KIBIBYTES_64), threading.Event()

    def fill(buffer: memoryview) -> None:
        buffer[:5] = b"ahead"
        begun.set()

    with ring:
        first = ring.next()
        first[:5] = b"first"
        ring.ahead(fill)
        assert begun.wait(30)
        assert bytes(first[:5]) == b"first"
        assert bytes(ring.next()[:5]) == b"ahead"
    ring.close()


def test_a_buffer_that_is_being_written_is_not_filled_before() -> None:
    ring, release, order = BufferRing(KIBIBYTES_64, count=2), threading.Event(), []

    def write() -> None:
        release.wait(30)
        order.append("written")

    with ring:
        ring.next()
        ring.later(write)
        ring.next()
        ring.ahead(lambda _buffer: order.append("filled"))
        threading.Timer(0.01, release.set).start()
        ring.next()
    assert order == ["written", "filled"]
    ring.close()


def test_what_fails_ahead_is_raised_when_its_buffer_is_asked_for() -> None:
    def fail(_buffer: memoryview) -> None:
        raise OSError("no disk")

    ring, done = BufferRing(KIBIBYTES_64), []
    with pytest.raises(OSError, match="no disk"), ring:
        ring.next()
        ring.ahead(fail)
        ring.later(lambda: done.append("written"))
        ring.next()
    assert done == ["written"]
    ring.close()


@pytest.mark.parametrize("failure", [None, ValueError("the reader")], ids=["in order", "after a failure"])
def test_a_block_waits_for_what_is_filled_ahead(failure: Exception | None) -> None:
    ring, release, done = BufferRing(KIBIBYTES_64, count=2), threading.Event(), []

    def fill(_buffer: memoryview) -> None:
        release.wait(30)
        done.append("filled")

    with contextlib.suppress(ValueError), ring:
        ring.next()
        ring.ahead(fill)
        threading.Timer(0.01, release.set).start()
        if failure is not None:
            raise failure
    assert done == ["filled"]
    ring.close()
