# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The power goes at every single call: what was acknowledged is there, nothing half is, the next run completes."""

from __future__ import annotations

import errno
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import move_aside
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    copy_file,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext

from unit.files.faulty_files import READING, FailingLayer, Killed, WatchedLayer, subject_of
from unit.files.power_loss import (
    Disk,
    DiskLayer,
    Image,
    LinkingDiskLayer,
    by_chance,
    old,
    restore_image,
)
from unit.files.small_backup import Entry, SmallBackup, no_pause, write_sources

SEED = 20260301


@dataclass(frozen=True)
class Loss:
    """What could be found after the power was gone, and what the journal had acknowledged by then."""

    image: Image
    acknowledged: tuple[Entry, ...]
    moment: str


class LosingLayer(WatchedLayer):
    """Looks before each call at what would be found if the power went now."""

    def __init__(self, disk: Disk, acknowledged: list[Entry], inner: DiskLayer, mixtures: int = 2) -> None:
        super().__init__(inner)
        self.losses: dict[object, Loss] = {}
        self._disk = disk
        self._acknowledged = acknowledged
        self._chance = random.Random(SEED)
        self._told = 0
        self._mixtures = mixtures

    def before(self, position: int, name: str, _arguments: tuple[Any, ...]) -> None:
        # Reading changes nothing that could be found.
        if position and self.calls[position - 1] in READING and len(self._acknowledged) == self._told:
            return
        self.look(f"call {position}, {name}")

    def look(self, moment: str) -> None:
        acknowledged = tuple(self._acknowledged)
        self._told = len(acknowledged)
        for image in self._disk.images(self._chance, self._mixtures):
            same = (len(acknowledged), frozenset(image.items()))
            self.losses.setdefault(same, Loss(image, acknowledged, moment))


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Path, ...]:
    return write_sources(tmp_path / "oradata")


@pytest.fixture
def backup(tmp_path: Path, sources: tuple[Path, ...]) -> SmallBackup:
    """To be written to a disk that is empty."""
    (tmp_path / "disk").mkdir()
    return SmallBackup(sources, tmp_path / "disk" / "sets" / "monday")


def losses_of_a_run(
    backup: SmallBackup, layer: Callable[[Disk], DiskLayer] = DiskLayer, streams: int = 1
) -> list[Loss]:
    """Every state that could be found, had the power gone before any of the calls of a run, or after it."""
    disk = Disk(backup.folder.parents[1])
    acknowledged: list[Entry] = []
    files = LosingLayer(disk, acknowledged, layer(disk))
    backup.run(files, streams=streams, acknowledged=acknowledged)
    files.look("after the run")
    disk.close()
    return list(files.losses.values())


def found_after(loss: Loss, backup: SmallBackup, root: Path) -> SmallBackup:
    restore_image(loss.image, root)
    return backup.at(root / "sets" / "monday")


@pytest.mark.parametrize(("layer", "streams"), [(DiskLayer, 1), (DiskLayer, 2), (LinkingDiskLayer, 1)])
@pytest.mark.parametrize("earlier", [False, True], ids=["a new set", "a set begun earlier"])
def test_whenever_the_power_goes_what_was_said_is_true_and_the_next_run_completes(
    backup: SmallBackup, tmp_path: Path, layer: Callable[[Disk], DiskLayer], streams: int, earlier: bool
) -> None:
    if earlier:
        backup.leave_earlier_content()
    losses = losses_of_a_run(backup, layer, streams)
    assert len(losses) > 30
    for number, loss in enumerate(losses):
        found = found_after(loss, backup, tmp_path / str(number))
        assert found.violations(loss.acknowledged) == [], loss.moment
        assert found.run_again() == [], loss.moment


def test_what_a_finished_run_left_is_all_there_whatever_the_power_takes(
    backup: SmallBackup, tmp_path: Path
) -> None:
    disk = Disk(tmp_path / "disk")
    acknowledged: list[Entry] = []
    backup.run(WatchedLayer(DiskLayer(disk)), acknowledged=acknowledged)
    first, *others = disk.images(random.Random(SEED))
    disk.close()
    assert [image for image in others if image != first] == [], "nothing is left to chance any more"
    restore_image(first, tmp_path / "found")
    assert backup.at(tmp_path / "found" / "sets" / "monday").shortcomings(acknowledged) == []


def test_the_power_may_go_again_while_the_next_run_is_at_work(backup: SmallBackup, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    for number, first in enumerate(chance.sample(losses_of_a_run(backup), 4)):
        second_backup = found_after(first, backup, tmp_path / f"first{number}")
        for again, second in enumerate(chance.sample(losses_of_a_run(second_backup), 6)):
            found = found_after(second, backup, tmp_path / f"second{number}-{again}")
            moment = f"{first.moment}; then {second.moment}"
            assert found.violations(second.acknowledged) == [], moment
            assert found.run_again() == [], moment


@pytest.mark.parametrize("failure", [Killed, errno.EIO], ids=["killed", "failed"])
def test_what_a_dead_run_had_not_flushed_is_safe_when_the_next_one_has_returned(
    sources: tuple[Path, ...], tmp_path: Path, failure: int | type[BaseException]
) -> None:
    for position in itertools.count():
        root = tmp_path / str(position)
        root.mkdir()
        backup, disk = SmallBackup(sources, root / "sets" / "monday"), Disk(root)
        dead = FailingLayer(position, failure, lasting=failure is Killed, inner=DiskLayer(disk))
        try:
            backup.run(dead)
        except (Killed, BackupError):
            dead.close_left_open()
        acknowledged: list[Entry] = []
        backup.run(WatchedLayer(DiskLayer(disk)), acknowledged=acknowledged)
        image = disk.image(lambda: False, old)
        disk.close()
        found = found_after(Loss(image, (), ""), backup, tmp_path / f"found{position}")
        assert found.shortcomings(acknowledged) == [], f"call {position}, {dead.failed} of {dead.subject}"
        if dead.failed is None:
            break


class GuardingLayer(WatchedLayer):
    """Sees to it before each call that a file is what it was, or what it shall become."""

    def __init__(self, path: Path, wanted: bytes) -> None:
        super().__init__()
        self._path = path
        self._allowed = (path.read_bytes() if path.exists() else None, wanted)

    def before(self, position: int, name: str, _arguments: tuple[Any, ...]) -> None:
        found = self._path.read_bytes() if self._path.exists() else None
        assert found in self._allowed, f"call {position}, {name}"


@pytest.mark.parametrize("layer", [DiskLayer, LinkingDiskLayer], ids=["renameat2", "link"])
def test_a_copy_with_a_new_name_is_whole_or_not_there_and_stays_so_while_it_is_copied_again(
    sources: tuple[Path, ...], tmp_path: Path, layer: Callable[[Disk], DiskLayer]
) -> None:
    def copy(folder: Path, files: Any, replace: bool = False) -> None:
        wanted = CopyRequest(
            source=str(sources[0]),
            destination=str(folder / "1.dbf"),
            kind=FileKind.DATAFILE,
            reread_attempts=1,
            replace=replace,
        )
        copy_file(wanted, IoContext(files=files, pause=no_pause))

    whole = sources[0].read_bytes()
    (tmp_path / "disk").mkdir()
    disk = Disk(tmp_path / "disk")
    files = LosingLayer(disk, [], layer(disk), mixtures=20)
    copy(disk.root, files)
    files.look("after the copy")
    (after,) = {frozenset(image.items()) for image in disk.images(random.Random(SEED))}
    disk.close()
    assert after == {("1.dbf", whole)}
    seen = set()
    for number, loss in enumerate(files.losses.values()):
        first, second = tmp_path / f"first{number}", tmp_path / f"second{number}"
        for folder in (first, second):
            restore_image(loss.image, folder)
        seen.add(frozenset(loss.image))
        if (first / "1.dbf").exists():
            assert (first / "1.dbf").read_bytes() == whole, loss.moment
            with pytest.raises(PreconditionError, match="it exists"):
                copy(first, GuardingLayer(first / "1.dbf", whole))
        else:
            copy(first, GuardingLayer(first / "1.dbf", whole))
        assert (first / "1.dbf").read_bytes() == whole, loss.moment
        copy(second, GuardingLayer(second / "1.dbf", whole), replace=True)
        assert {path.name: path.read_bytes() for path in second.iterdir()} == {"1.dbf": whole}, loss.moment
    assert (frozenset({"1.dbf", "1.dbf.partial"}) in seen) == (layer is LinkingDiskLayer)


@pytest.mark.parametrize("layer", [DiskLayer, LinkingDiskLayer], ids=["renameat2", "link"])
def test_a_file_moved_aside_outlives_the_next_one_of_its_name_whenever_the_power_goes(
    tmp_path: Path, layer: Callable[[Disk], DiskLayer]
) -> None:
    path, aside = tmp_path / "users01.dbf", tmp_path / "users01.dbf.before"
    path.write_bytes(b"data")
    disk = Disk(tmp_path)
    files = layer(disk)
    move_aside(path, aside, files)
    write(files, path, b"made anew", flush=False)
    found = list(disk.images(random.Random(SEED)))
    disk.close()
    assert {image[aside.name] for image in found} == {b"data"}
    assert not any(image.get(path.name) == b"data" for image in found)


# --- the model has teeth


def forgetting(method: str, name: str) -> Callable[[Disk], DiskLayer]:
    """A layer that only pretends to flush files or folders of this name."""

    class Forgetting(DiskLayer):
        def flush(self, descriptor: int) -> None:
            if method != "flush" or Path(subject_of(descriptor)).name != name:
                super().flush(descriptor)

        def flush_folder(self, folder: str) -> None:
            if method != "flush_folder" or Path(folder).name != name:
                super().flush_folder(folder)

    return Forgetting


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("flush", "1.dbf"),
        ("flush", "2.dbf"),
        ("flush", "journal.jsonl"),
        ("flush", "manifest.json"),
        ("flush_folder", "disk"),
        ("flush_folder", "sets"),
        ("flush_folder", "monday"),
        ("flush_folder", "datafiles"),
    ],
)
def test_without_any_one_of_the_flushes_something_would_be_lost(
    backup: SmallBackup, tmp_path: Path, method: str, name: str
) -> None:
    losses = losses_of_a_run(backup, forgetting(method, name))
    violated = [
        found_after(loss, backup, tmp_path / str(number)).violations(loss.acknowledged)
        for number, loss in enumerate(losses)
    ]
    assert any(violated)


def test_a_name_taken_before_the_flush_would_show_a_half_file(backup: SmallBackup, tmp_path: Path) -> None:
    class Hasty(DiskLayer):
        """Flushes a file only once it has its final name."""

        def flush(self, descriptor: int) -> None:
            self.late = descriptor

        def flush_folder(self, folder: str) -> None:
            if Path(folder).name == "datafiles":
                super().flush(self.late)
            super().flush_folder(folder)

    losses = losses_of_a_run(backup, Hasty)
    violated = [
        found_after(loss, backup, tmp_path / str(number)).violations() for number, loss in enumerate(losses)
    ]
    assert any("1.dbf is neither the old file nor the whole new one" in problems for problems in violated)


# --- the model itself


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    (tmp_path / "kept").write_bytes(b"kept")
    disk = Disk(tmp_path)
    yield disk
    disk.close()


def write(files: DiskLayer, path: Path, content: bytes, flush: bool) -> None:
    descriptor = files.open_new(str(path))
    files.append(descriptor, memoryview(content))
    if flush:
        files.flush(descriptor)
    files.close(descriptor)


def test_a_flushed_file_without_its_name_is_lost_and_a_name_without_content_is_empty(disk: Disk) -> None:
    files = DiskLayer(disk)
    write(files, disk.root / "a", b"flushed", flush=True)
    assert disk.image(lambda: False, old) == {"kept": b"kept"}
    assert disk.image(lambda: True, old) == {"kept": b"kept", "a": b"flushed"}
    files.flush_folder(str(disk.root))
    write(files, disk.root / "b", b"not flushed", flush=False)
    files.flush_folder(str(disk.root))
    assert disk.image(lambda: False, old) == {"kept": b"kept", "a": b"flushed", "b": b""}


def test_a_rename_has_happened_or_not(disk: Disk) -> None:
    files = DiskLayer(disk)
    write(files, disk.root / "a", b"new", flush=True)
    files.flush_folder(str(disk.root))
    files.rename(str(disk.root / "a"), str(disk.root / "kept"))
    assert disk.image(lambda: False, old) == {"kept": b"kept", "a": b"new"}
    assert disk.image(lambda: True, old) == {"kept": b"new"}
    assert (disk.root / "kept").read_bytes() == b"new"


def test_a_link_and_the_end_of_the_first_name_are_two_changes(disk: Disk) -> None:
    files = LinkingDiskLayer(disk)
    write(files, disk.root / "a", b"new", flush=True)
    files.flush_folder(str(disk.root))
    files.rename_new(str(disk.root / "a"), str(disk.root / "b"))
    happened = iter([True, False])
    assert disk.image(lambda: False, old) == {"kept": b"kept", "a": b"new"}
    assert disk.image(lambda: next(happened), old) == {"kept": b"kept", "a": b"new", "b": "a"}
    assert disk.image(lambda: True, old) == {"kept": b"kept", "b": b"new"}


def test_what_is_in_a_folder_that_was_lost_is_lost(disk: Disk) -> None:
    files = DiskLayer(disk)
    files.make_folder(str(disk.root / "folder"))
    write(files, disk.root / "folder" / "a", b"x", flush=True)
    files.flush_folder(str(disk.root / "folder"))
    assert disk.image(lambda: False, old) == {"kept": b"kept"}
    assert disk.image(lambda: True, old) == {"kept": b"kept", "folder": None, "folder/a": b"x"}


def test_chance_mixes_sectors_but_leaves_what_is_safe() -> None:
    safe, current = b"s" * 1000, b"s" * 1000 + b"n" * 3000
    outcomes = {by_chance(random.Random(seed), safe, current) for seed in range(50)}
    assert len(outcomes) > 10
    for outcome in outcomes:
        assert outcome.startswith(safe)
        assert set(outcome[1000:]) <= {ord("n"), 0}
