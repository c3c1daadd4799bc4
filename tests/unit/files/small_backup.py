# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup in small: folders, several copies, a journal line for each, a manifest. And what must hold of it.

It is made of the product's own parts, in the order in which a run uses them. What must hold is looked at with
nothing but the standard library, except that the journal must be readable for the product.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.atomic import (
    make_private_folder,
    write_atomically,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    copy_many,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal, read_journal
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings

from unit.files import oracle_file_writer as writer
from unit.files.faulty_files import QuickLayer

Entry = Mapping[str, Any]
EARLIER_COPY = b"what a run left that died before it could journal it"
EARLIER_MANIFEST = b'{"files": {}}'
BLOCK_SIZE = 2048


def noon() -> datetime:
    return datetime(2026, 3, 1, 12, tzinfo=UTC)


def no_pause(_seconds: float) -> None:
    pass


def write_sources(folder: Path) -> tuple[Path, ...]:
    """Two datafiles; the second has a block that stays torn, so that a copy looks at it again."""
    folder.mkdir()
    images = [
        writer.Datafile(block_size=BLOCK_SIZE, number=number).fill(size)
        for number, size in enumerate((6, 5), start=1)
    ]
    sources = tuple(image.write(folder / f"{image.number}.dbf") for image in images)
    newer = images[1].data_block(4, scn=9_000_000_777, seq=3)
    content = bytearray(sources[1].read_bytes())
    content[4 * BLOCK_SIZE : 4 * BLOCK_SIZE + 1024] = newer[:1024]
    sources[1].write_bytes(content)
    return sources


@dataclass(frozen=True)
class SmallBackup:
    """The backup of ``sources`` into ``folder``, which :meth:`run` makes."""

    sources: tuple[Path, ...]
    folder: Path

    @property
    def datafiles(self) -> Path:
        return self.folder / "datafiles"

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"

    def at(self, folder: Path) -> SmallBackup:
        return replace(self, folder=folder)

    def leave_earlier_content(self) -> None:
        """What runs before this one left: a copy that is in no journal, a line, a manifest."""
        self.datafiles.mkdir(parents=True)
        (self.datafiles / self.sources[1].name).write_bytes(EARLIER_COPY)
        self.journal.write_bytes(b'{"at":"2026-03-01T11:00:00.000000Z","event":"earlier_run"}\n')
        self.manifest.write_bytes(EARLIER_MANIFEST)

    def run(
        self,
        files: Any,
        *,
        streams: int = 1,
        clock: Callable[[], datetime] = noon,
        acknowledged: list[Entry] | None = None,
    ) -> None:
        """Do what is not done yet; ``acknowledged`` gets every line that the journal said it has."""
        lines = [] if acknowledged is None else acknowledged
        make_private_folder(self.datafiles, files)
        with Journal.open(self.journal, clock, files) as journal:

            def note(event: str, **fields: Any) -> None:
                journal.append(event, **fields)
                lines.append({"event": event, **fields})

            def note_copy(result: CopyResult) -> None:
                note("file_copied", name=Path(result.destination).name, digest=result.digest)

            note("run_started")
            done = digests(read_journal(self.journal))
            wanted = [self._request(source) for source in self.sources if source.name not in done]
            copy_many(
                wanted, StreamSettings(streams), IoContext(files=files, pause=no_pause), finished=note_copy
            )
            manifest = {"files": digests(read_journal(self.journal))}
            write_atomically(self.manifest, json.dumps(manifest).encode(), files=files)
            note("sealed")

    def run_again(self) -> list[str]:
        """Run with nothing in the way; say what is wrong with the outcome."""
        self.run(QuickLayer())
        return self.shortcomings()

    def _request(self, source: Path) -> CopyRequest:
        return CopyRequest(
            source=str(source),
            destination=str(self.datafiles / source.name),
            kind=FileKind.DATAFILE,
            block_size=BLOCK_SIZE,
            reread_attempts=1,
            replace=True,
        )

    def violations(self, acknowledged: Sequence[Entry] = ()) -> list[str]:
        """What is wrong here at any moment, a run being finished or not."""
        entries = self._entries()
        if isinstance(entries, str):
            return [entries]
        found = [{key: value for key, value in entry.items() if key != "at"} for entry in entries]
        return [
            *([] if in_order(acknowledged, found) else [f"of {acknowledged} the journal has {found}"]),
            *self._wrong_digests("the journal", digests(entries)),
            *self._unknown_content(),
            *self._bad_manifest(),
        ]

    def shortcomings(self, acknowledged: Sequence[Entry] = ()) -> list[str]:
        """What is wrong here when a run has returned."""
        stored = {source.name: self._content(source.name) for source in self.sources}
        copied = {source.name: source.read_bytes() for source in self.sources}
        sealed = self.manifest.is_file() and json.loads(self.manifest.read_bytes())["files"].keys()
        return [
            *self.violations(acknowledged),
            *(f"{name} is not its source" for name in copied if stored[name] != copied[name]),
            *([] if sealed == copied.keys() else [f"the manifest names {sealed}"]),
        ]

    def leftovers(self) -> list[str]:
        """What is there beside final names."""
        known = {self.datafiles, self.journal, self.manifest}
        known |= {self.datafiles / source.name for source in self.sources}
        return sorted(path.name for path in self.folder.rglob("*") if path not in known)

    def _entries(self) -> list[dict[str, Any]] | str:
        if not self.journal.exists():
            return []
        try:
            return read_journal(self.journal)
        except BackupError as exc:
            return str(exc)

    def _content(self, name: str) -> bytes | None:
        path = self.datafiles / name
        return path.read_bytes() if path.exists() else None

    def _wrong_digests(self, said_by: str, said: Mapping[str, str]) -> list[str]:
        stored = {name: self._content(name) for name in said}
        return [
            f"{name} is not what {said_by} says"
            for name, content in stored.items()
            if content is None or digest(content) != said[name]
        ]

    def _unknown_content(self) -> list[str]:
        sources = {source.name: source.read_bytes() for source in self.sources}
        stored = {name: self._content(name) for name in sources}
        return [
            f"{name} is neither the old file nor the whole new one"
            for name, content in stored.items()
            if content not in (None, EARLIER_COPY, sources[name])
        ]

    def _bad_manifest(self) -> list[str]:
        if not self.manifest.exists():
            return []
        try:
            named = json.loads(self.manifest.read_bytes())["files"]
        except ValueError as exc:
            return [f"the manifest is damaged: {exc}"]
        return self._wrong_digests("the manifest", named)


def digests(entries: Iterable[Entry]) -> dict[str, str]:
    """What the journal says of each copied file."""
    return {entry["name"]: entry["digest"] for entry in entries if entry["event"] == "file_copied"}


def digest(content: bytes) -> str:
    """The digest of a file of one chunk, as its documentation defines it."""
    return hashlib.sha256(hashlib.sha256(content).digest()).hexdigest()


def in_order(wanted: Sequence[Entry], found: Iterable[Entry]) -> bool:
    """Whether ``found`` has all of ``wanted``, in their order."""
    rest = iter(found)
    return all(entry in rest for entry in wanted)
