# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan of block changes: built under the latch, written as one atomic piece of redo."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from oracle_simulator.instance.cache.changes import (
    BlockChange,
    Commit,
    RedoSpaceNeeded,
    wait_durable,
    wait_for_space,
    write_changes,
)
from oracle_simulator.storage.redo_record import Format, Marker, Put, Remove

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

BlockKey = tuple[int, int]
"""(absolute file number, block number)."""

Cancelled = Callable[[], bool]
T = TypeVar("T")


class Room:
    """What a plan has left of a block: free bytes, and the next unused slot number."""

    __slots__ = ("free", "next_slot")

    def __init__(self, free: int, next_slot: int) -> None:
        self.free = free
        self.next_slot = next_slot


class ChangePlan:
    """Changes that are going to be made together. Use as a context manager, under the latch.

    Planning changes the in-memory state of segments and space maps at once, so that later steps of the
    plan see it. If the block ends without :meth:`write` having succeeded, the ``on_failure`` callbacks
    make those forget what they know: they read it from the blocks again.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.changes: list[BlockChange] = []
        self.markers: list[Marker] = []
        self.room: dict[BlockKey, Room] = {}
        self.on_success: list[Callable[[], None]] = []
        self._on_failure: dict[int, Callable[[], None]] = {}
        self._before_write: dict[int, Callable[[ChangePlan], None]] = {}
        self._written = False

    def __enter__(self) -> ChangePlan:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._written:
            for forget in self._on_failure.values():
                forget()

    def put(self, key: BlockKey, slot: int, data: bytes) -> None:
        """Set a slot of a block."""
        self.changes.append(BlockChange(*key, Put(slot, data)))

    def remove(self, key: BlockKey, slot: int) -> None:
        """Empty a slot of a block."""
        self.changes.append(BlockChange(*key, Remove(slot)))

    def format(self, key: BlockKey, block_type: int, object_id: int) -> None:
        """Make a block an empty one of this type."""
        self.changes.append(BlockChange(*key, Format(block_type, object_id)))

    def involve(
        self,
        owner: object,
        forget: Callable[[], None],
        before_write: Callable[[ChangePlan], None] | None = None,
    ) -> None:
        """Register in-memory state the plan has changed: what to do when it fails, and before it is written."""
        self._on_failure[id(owner)] = forget
        if before_write is not None:
            self._before_write[id(owner)] = before_write

    def write(self, transaction_id: int = 0) -> Commit:
        """Write the plan (once); under the same hold of the latch as the planning. Raises as
        ``write_changes`` does, and then nothing has changed."""
        for finish in self._before_write.values():
            finish(self)
        commit = write_changes(self.instance, self.changes, self.markers, transaction_id)
        self._written = True
        for done in self.on_success:
            done()
        return commit


def write_plan(
    instance: Instance,
    planner: Callable[[ChangePlan], T],
    transaction_id: int = 0,
    cancelled: Cancelled | None = None,
) -> tuple[T, Commit]:
    """Plan and write a change under the latch, which waiting for room in the redo logs releases.

    ``planner`` may be called again when its redo turned out to be more than there was room for.
    """
    size = 0
    while True:
        wait_for_space(instance, cancelled, size)
        with ChangePlan(instance) as plan:
            result = planner(plan)
            try:
                return result, plan.write(transaction_id)
            except RedoSpaceNeeded as exc:
                size = exc.size


def make_change(
    instance: Instance, planner: Callable[[ChangePlan], T], cancelled: Cancelled | None = None
) -> tuple[T, Commit]:
    """Plan and write a change, and wait until it is durable. The caller must not hold the latch.

    ``cancelled`` only counts before the change is written: afterwards files and control file must follow it.
    """
    with instance.latch:
        result, commit = write_plan(instance, planner, 0, cancelled)
    wait_durable(instance, commit.position)
    return result, commit
