# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of a sealed set: what is in it, from where, as of which SCNs, and what it was judged to be.

Written once, last and atomically; read as untrusted input. Numbers beyond 2^53 are strings in JSON. Version 2 says
of each datafile how it is stored; in version 1 all of them are stored as they are.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import (
    COMPRESSIONS,
    NONE,
    CompressedForm,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.fields import Fields
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.layout import check_set_id
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.plain import plain
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.verdict import (
    Finding,
    Severity,
    Verdict,
)

SCHEMA_VERSION = 2
_FIRST_WITH_COMPRESSION = 2
_METHODS = ("backup_mode", "plain_copy")
_CONTROL_KINDS = ("control_file", "noresetlogs_script", "resetlogs_script", "pfile", "password_file")


@dataclass(frozen=True)
class ManifestDatabase:
    """Identity of the database and what a restore elsewhere must know of it."""

    dbid: int
    name: str
    unique_name: str
    resetlogs_id: int
    resetlogs_scn: int
    version: str
    platform: str
    cdb: bool
    threads: tuple[int, ...]
    startup_times: tuple[str, ...]
    control_files: tuple[str, ...]
    online_logs: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    wallet_status: str | None


@dataclass(frozen=True)
class ManifestFile:
    """One datafile. ``path`` is relative to the set's folder. ``begin_scn`` is None for a plain copy.

    ``checkpoint_scn`` is the copied header's; ``faults`` are blocks that stayed bad when read again. Sizes and
    digests are of the plain bytes; ``stored_size_bytes`` is what the copy has on disk, ``stored_digest`` the SHA-256
    of a compressed copy's bytes.
    """

    file_number: int
    con_id: int
    tablespace: str
    tablespace_number: int
    bigfile: bool
    source: str
    path: str
    size_bytes: int
    block_size: int
    digest: str
    chunk_digests: tuple[str, ...]
    chunk_size_bytes: int
    method: str
    creation_scn: int
    begin_scn: int | None
    checkpoint_scn: int
    unrecoverable_scn: int
    fault_count: int
    faults: tuple[tuple[int, str], ...]
    compression: str
    stored_size_bytes: int
    stored_digest: str | None

    @property
    def compressed(self) -> CompressedForm | None:
        """How it is stored; None is "as it is"."""
        return None if self.compression == NONE else CompressedForm(self.size_bytes, self.stored_digest)


@dataclass(frozen=True)
class ManifestRedo:
    """One archived log the set needs. ``path`` is relative to the database's folder, whose redo store sets
    share.
    """

    resetlogs_id: int
    thread: int
    sequence: int
    first_scn: int
    next_scn: int
    path: str
    size_bytes: int
    digest: str


@dataclass(frozen=True)
class ManifestControl:
    """One file of the control-file part. ``path`` is relative to the set's folder."""

    kind: str
    path: str
    size_bytes: int
    digest: str


@dataclass(frozen=True)
class ManifestTempfile:
    """A tempfile to make again after a restore."""

    file_number: int
    con_id: int
    tablespace: str
    path: str
    size_bytes: int
    autoextend: bool


@dataclass(frozen=True)
class ManifestExcluded:
    """A tablespace that is not in the set, and why: ``excluded``, ``not selected``, or why not."""

    tablespace: str
    con_id: int
    file_numbers: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Manifest:
    """A sealed set. A restore needs redo from ``begin_scn`` and is consistent from ``end_scn`` on.

    Whatever version was read, the value is of the newest.
    """

    set_id: str
    tool_version: str
    sealed_at: str
    database: ManifestDatabase
    begin_scn: int
    end_scn: int
    control_scn: int | None
    files: tuple[ManifestFile, ...]
    redo: tuple[ManifestRedo, ...]
    control: tuple[ManifestControl, ...]
    tempfiles: tuple[ManifestTempfile, ...]
    excluded: tuple[ManifestExcluded, ...]
    verdict: Verdict
    findings: tuple[Finding, ...]
    schema_version: int = SCHEMA_VERSION

    @property
    def size_bytes(self) -> int:
        """Bytes on disk of the set's own files and of the redo it needs."""
        others = sum(item.size_bytes for group in (self.redo, self.control) for item in group)
        return others + sum(item.stored_size_bytes for item in self.files)

    def to_json(self) -> str:
        """Return the manifest's text; the same manifest always gives the same text."""
        fields: dict[str, Any] = plain(self)
        fields["database"]["parameters"] = dict(self.database.parameters)
        for entry, item in zip(fields["files"], self.files):
            entry["faults"] = [{"block": block, "kind": kind} for block, kind in item.faults]
        return json.dumps(fields, indent=1, sort_keys=True, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Return the manifest of ``text``; raises VerificationError naming the field that is not valid."""
        try:
            value = json.loads(text)
        except ValueError as exc:
            raise VerificationError(f"The manifest is not JSON: {exc}.") from exc
        fields = Fields(value, "manifest")
        version = fields.integer("schema_version", minimum=1)
        if version > SCHEMA_VERSION:
            raise VerificationError(
                f"The manifest has schema version {version}; this version of the collection reads up to"
                f" {SCHEMA_VERSION}.",
                hint="Use a newer version of hotbackup.oracle.",
            )
        manifest = cls(
            set_id=_set_id(fields),
            tool_version=fields.text("tool_version"),
            sealed_at=fields.text("sealed_at"),
            database=fields.object("database", _database),
            begin_scn=fields.integer("begin_scn"),
            end_scn=fields.integer("end_scn"),
            control_scn=fields.integer_or_none("control_scn"),
            files=fields.items("files", _file if version >= _FIRST_WITH_COMPRESSION else _plain_file),
            redo=fields.items("redo", _redo),
            control=fields.items("control", _control),
            tempfiles=fields.items("tempfiles", _tempfile),
            excluded=fields.items("excluded", _excluded),
            verdict=Verdict(fields.choice("verdict", tuple(item.value for item in Verdict))),
            findings=fields.items("findings", _finding),
        )
        fields.close()
        _check_consistency(manifest)
        return manifest


def _set_id(fields: Fields) -> str:
    try:
        return check_set_id(fields.text("set_id"))
    except PreconditionError as exc:
        raise VerificationError(f"{fields.place('set_id')}: {exc.message}") from exc


def _database(fields: Fields) -> ManifestDatabase:
    return ManifestDatabase(
        dbid=fields.integer("dbid", minimum=1),
        name=fields.text("name"),
        unique_name=fields.text("unique_name"),
        resetlogs_id=fields.integer("resetlogs_id"),
        resetlogs_scn=fields.integer("resetlogs_scn"),
        version=fields.text("version"),
        platform=fields.text("platform"),
        cdb=fields.flag("cdb"),
        threads=_numbers(fields, "threads"),
        startup_times=fields.texts("startup_times"),
        control_files=fields.texts("control_files"),
        online_logs=fields.texts("online_logs"),
        parameters=fields.text_map("parameters"),
        wallet_status=fields.text_or_none("wallet_status"),
    )


def _file(fields: Fields) -> ManifestFile:
    return replace(
        _plain_file(fields),
        compression=fields.choice("compression", COMPRESSIONS),
        stored_size_bytes=fields.integer("stored_size_bytes", minimum=1),
        stored_digest=fields.digest_or_none("stored_digest"),
    )


def _plain_file(fields: Fields) -> ManifestFile:
    """An entry of version 1."""
    size_bytes = fields.integer("size_bytes", minimum=1)
    return ManifestFile(
        file_number=fields.integer("file_number", minimum=1),
        con_id=fields.integer("con_id"),
        tablespace=fields.text("tablespace"),
        tablespace_number=fields.integer("tablespace_number"),
        bigfile=fields.flag("bigfile"),
        source=fields.text("source"),
        path=fields.path("path"),
        size_bytes=size_bytes,
        block_size=fields.integer("block_size", minimum=512),
        digest=fields.digest("digest"),
        chunk_digests=fields.digests("chunk_digests"),
        chunk_size_bytes=fields.integer("chunk_size_bytes", minimum=1),
        method=fields.choice("method", _METHODS),
        creation_scn=fields.integer("creation_scn"),
        begin_scn=fields.integer_or_none("begin_scn"),
        checkpoint_scn=fields.integer("checkpoint_scn"),
        unrecoverable_scn=fields.integer("unrecoverable_scn"),
        fault_count=fields.integer("fault_count"),
        faults=fields.items("faults", lambda item: (item.integer("block"), item.text("kind"))),
        compression=NONE,
        stored_size_bytes=size_bytes,
        stored_digest=None,
    )


def _redo(fields: Fields) -> ManifestRedo:
    return ManifestRedo(
        resetlogs_id=fields.integer("resetlogs_id"),
        thread=fields.integer("thread", minimum=1),
        sequence=fields.integer("sequence", minimum=1),
        first_scn=fields.integer("first_scn"),
        next_scn=fields.integer("next_scn"),
        path=fields.path("path"),
        size_bytes=fields.integer("size_bytes", minimum=1),
        digest=fields.digest("digest"),
    )


def _control(fields: Fields) -> ManifestControl:
    return ManifestControl(
        kind=fields.choice("kind", _CONTROL_KINDS),
        path=fields.path("path"),
        size_bytes=fields.integer("size_bytes"),
        digest=fields.digest("digest"),
    )


def _tempfile(fields: Fields) -> ManifestTempfile:
    return ManifestTempfile(
        file_number=fields.integer("file_number", minimum=1),
        con_id=fields.integer("con_id"),
        tablespace=fields.text("tablespace"),
        path=fields.text("path"),
        size_bytes=fields.integer("size_bytes"),
        autoextend=fields.flag("autoextend"),
    )


def _excluded(fields: Fields) -> ManifestExcluded:
    return ManifestExcluded(
        tablespace=fields.text("tablespace"),
        con_id=fields.integer("con_id"),
        file_numbers=_numbers(fields, "file_numbers"),
        reason=fields.text("reason"),
    )


def _finding(fields: Fields) -> Finding:
    return Finding(
        severity=Severity(fields.choice("severity", tuple(item.value for item in Severity))),
        code=fields.text("code"),
        subject=fields.text("subject"),
        message=fields.text("message"),
    )


def _numbers(fields: Fields, name: str) -> tuple[int, ...]:
    values = fields.values(name)
    if not all(isinstance(item, int) and not isinstance(item, bool) and item >= 0 for item in values):
        raise VerificationError(f"{fields.place(name)} must be a list of numbers.")
    return tuple(values)


def _check_consistency(manifest: Manifest) -> None:
    """Refuse what no sealed set can say of itself."""
    if manifest.begin_scn > manifest.end_scn:
        raise VerificationError("manifest.begin_scn is after manifest.end_scn.")
    if not manifest.files:
        raise VerificationError("manifest.files is empty.")
    for name, keys in (
        ("files", [str(item.file_number) for item in manifest.files]),
        ("files", [item.path for item in manifest.files]),
        ("redo", [f"{item.resetlogs_id}/{item.thread}/{item.sequence}" for item in manifest.redo]),
        ("control", [item.path for item in manifest.control]),
    ):
        twice = sorted(key for key, count in Counter(keys).items() if count > 1)
        if twice:
            raise VerificationError(f"manifest.{name} names {twice[0]} twice.")
    for item in manifest.files:
        if (item.method == "backup_mode") != (item.begin_scn is not None):
            raise VerificationError(
                f"manifest.files: file {item.file_number} was copied by {item.method} and has begin_scn"
                f" {item.begin_scn}."
            )
        if item.compressed is None and item.stored_size_bytes != item.size_bytes:
            raise VerificationError(
                f"manifest.files: file {item.file_number} has {item.size_bytes} bytes, but {item.stored_size_bytes} on"
                " disk without being compressed."
            )
        if (item.compressed is None) != (item.stored_digest is None):
            raise VerificationError(
                f"manifest.files: file {item.file_number} has compression {item.compression} and stored_digest"
                f" {item.stored_digest}."
            )
    for log in manifest.redo:
        if log.first_scn >= log.next_scn:
            raise VerificationError(f"manifest.redo: sequence {log.sequence} ends before it begins.")
