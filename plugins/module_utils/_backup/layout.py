# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the parts of a set lie. Pure path arithmetic: nothing here touches the disk.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import NONE, SUFFIXES
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    PreconditionError,
    VerificationError,
)

SET_ID_FORMAT = "%Y%m%dT%H%M%SZ"
_SET_ID = re.compile(r"\d{8}T\d{6}Z")
_UNIQUE_NAME = re.compile(r"[A-Za-z0-9_$#]{1,30}")
_DATABASE_FOLDER = re.compile(r"([A-Za-z0-9_$#]{1,30})-(\d{1,10})")
_REDO_FILE = re.compile(r"(\d+)/t(\d+)/(\d+)\.arc")
_LONGEST_FILE_NAME = 255


def new_set_id(now: datetime) -> str:
    """Return the set id of an aware moment: ``YYYYMMDDTHHMMSSZ``, so that names sort by age."""
    return now.astimezone(timezone.utc).strftime(SET_ID_FORMAT)


def is_set_id(text: str) -> bool:
    """Tell whether ``text`` is a set id of a real moment."""
    if not _SET_ID.fullmatch(text):
        return False
    try:
        datetime.strptime(text, SET_ID_FORMAT)
    except ValueError:
        return False
    return True


def check_set_id(set_id: str) -> str:
    """Return ``set_id`` if it is one; raises PreconditionError."""
    if not is_set_id(set_id):
        raise PreconditionError(
            f"{set_id!r} is not a set id.", hint="It has the form YYYYMMDDTHHMMSSZ, a moment in UTC."
        )
    return set_id


def safe_relative_path(text: str) -> str:
    """Return a relative path that stays below its root, in normal form; raises VerificationError.

    For paths read from journals and manifests, which are untrusted.
    """
    path = PurePosixPath(text)
    if not text or "\0" in text or path.is_absolute() or ".." in path.parts or str(path) != text:
        raise VerificationError(f"{text!r} is not a plain relative path inside a set.")
    return text


@dataclass(frozen=True)
class DatabaseLayout:
    """The folder of one database below a destination: its sets and the redo store they share."""

    destination: str
    db_unique_name: str
    dbid: int

    def __post_init__(self) -> None:
        if not Path(self.destination).is_absolute():
            raise PreconditionError(f"The destination {self.destination!r} is not an absolute path.")
        if not _UNIQUE_NAME.fullmatch(self.db_unique_name) or self.dbid <= 0:
            raise PreconditionError(
                f"{self.db_unique_name!r} with DBID {self.dbid} does not name a database."
            )

    @classmethod
    def from_folder(cls, folder: Path) -> DatabaseLayout | None:
        """Return the layout whose database folder this is, None if its name is not of that form."""
        found = _DATABASE_FOLDER.fullmatch(folder.name)
        if found is None or int(found.group(2)) == 0:
            return None
        return cls(str(folder.parent), found.group(1), int(found.group(2)))

    @property
    def database_folder(self) -> Path:
        return Path(self.destination) / f"{self.db_unique_name}-{self.dbid}"

    @property
    def redo_folder(self) -> Path:
        return self.database_folder / "redo"

    @property
    def sets_folder(self) -> Path:
        return self.database_folder / "sets"

    def redo_path(self, resetlogs_id: int, thread: int, sequence: int) -> Path:
        return self.redo_folder / str(resetlogs_id) / f"t{thread}" / f"{sequence}.arc"

    def redo_key(self, path: Path) -> tuple[int, int, int] | None:
        """Return (resetlogs id, thread, sequence) of a file of the redo store by its name, None for other
        files.
        """
        found = _REDO_FILE.fullmatch(path.relative_to(self.redo_folder).as_posix())
        return (int(found.group(1)), int(found.group(2)), int(found.group(3))) if found else None

    def set(self, set_id: str) -> SetLayout:
        return SetLayout(self.destination, self.db_unique_name, self.dbid, set_id)


@dataclass(frozen=True)
class SetLayout:
    """The paths of one set. Raises PreconditionError for names that could lead elsewhere."""

    destination: str
    db_unique_name: str
    dbid: int
    set_id: str

    def __post_init__(self) -> None:
        check_set_id(self.set_id)
        DatabaseLayout(self.destination, self.db_unique_name, self.dbid)

    @property
    def database(self) -> DatabaseLayout:
        return DatabaseLayout(self.destination, self.db_unique_name, self.dbid)

    @property
    def database_folder(self) -> Path:
        return self.database.database_folder

    @property
    def redo_folder(self) -> Path:
        return self.database.redo_folder

    @property
    def set_folder(self) -> Path:
        return self.database.sets_folder / self.set_id

    @property
    def journal_path(self) -> Path:
        return self.set_folder / "journal.jsonl"

    @property
    def manifest_path(self) -> Path:
        return self.set_folder / "manifest.json"

    @property
    def datafiles_folder(self) -> Path:
        return self.set_folder / "datafiles"

    @property
    def control_folder(self) -> Path:
        return self.set_folder / "control"

    @property
    def control_copy(self) -> Path:
        return self.control_folder / "control.ctl"

    @property
    def noresetlogs_script(self) -> Path:
        return self.control_folder / "create_controlfile_noresetlogs.sql"

    @property
    def resetlogs_script(self) -> Path:
        return self.control_folder / "create_controlfile_resetlogs.sql"

    @property
    def parameters_folder(self) -> Path:
        return self.set_folder / "parameters"

    @property
    def pfile(self) -> Path:
        return self.parameters_folder / "init.ora"

    def datafile_path(self, file_number: int, source_path: str, compression: str = NONE) -> Path:
        """Return where the copy of a datafile lies; the number keeps equal base names apart."""
        prefix, suffix = f"{file_number}_", SUFFIXES[compression]
        name = PurePosixPath(source_path).name.encode()
        room = _LONGEST_FILE_NAME - len(prefix) - len(suffix) - len(".partial")
        return self.datafiles_folder / (prefix + name[-room:].decode(errors="ignore") + suffix)

    def redo_path(self, resetlogs_id: int, thread: int, sequence: int) -> Path:
        return self.database.redo_path(resetlogs_id, thread, sequence)

    def relative(self, path: Path) -> str:
        """Return how journals and manifests name a file of the set: relative to the set's folder."""
        return path.relative_to(self.set_folder).as_posix()

    def absolute(self, relative_path: str) -> Path:
        """Return the file a journal or manifest names; raises VerificationError if it is outside the set."""
        return self.set_folder / safe_relative_path(relative_path)

    def redo_relative(self, path: Path) -> str:
        """Return how a redo file is named: relative to the database's folder, as the store is shared by its
        sets.
        """
        return path.relative_to(self.database_folder).as_posix()

    def redo_absolute(self, relative_path: str) -> Path:
        """Return the redo file a journal or manifest names; raises VerificationError if it is elsewhere."""
        return self.database_folder / safe_relative_path(relative_path)
