# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archive destinations: what LOG_ARCHIVE_DEST_n asks for, and how each destination has fared.

Source: Database Reference, LOG_ARCHIVE_DEST_n, LOG_ARCHIVE_DEST_STATE_n, LOG_ARCHIVE_MIN_SUCCEED_DEST;
Administrator's Guide, "Managing Archived Redo Log Files".
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError

if TYPE_CHECKING:
    from oracle_simulator.instance.home import Home
    from oracle_simulator.instance.parameters import Parameters

DESTINATIONS = 31
MANDATORY_DESTINATIONS = 10
"""LOCATION and MANDATORY are only for LOG_ARCHIVE_DEST_1 to LOG_ARCHIVE_DEST_10."""
DEFAULT_REOPEN_SECONDS = 300
RECOVERY_AREA = "USE_DB_RECOVERY_FILE_DEST"
STATES = ("ENABLE", "DEFER", "ALTERNATE")

_ATTRIBUTE = re.compile(
    r"\s*(?P<name>[A-Za-z_]+)\s*(?:=\s*(?P<value>\([^)]*\)|\"[^\"]*\"|[^\s\"]+))?(?:\s|$)"
)
_COUNTS = ("REOPEN", "MAX_FAILURE", "DELAY", "NET_TIMEOUT", "MAX_CONNECTIONS")
_FLAGS = frozenset(
    {"MANDATORY", "OPTIONAL", "NOREOPEN", "NOMAX_FAILURE", "NOALTERNATE", "NODELAY", "AFFIRM", "NOAFFIRM"}
    | {"SYNC", "ASYNC", "ARCH", "LGWR", "REGISTER", "NOREGISTER", "VERIFY", "NOVERIFY"}
)
_OTHER_VALUES = frozenset(["ALTERNATE", "LOCATION", "SERVICE", "VALID_FOR", "DB_UNIQUE_NAME", "COMPRESSION"])


@dataclass(frozen=True)
class ArchiveDestination:
    """One archive destination as the parameters describe it.

    ``location`` is a folder, or USE_DB_RECOVERY_FILE_DEST, or the service of a ``remote`` one. ``state`` is
    ENABLE, DEFER or ALTERNATE. ``reopen_seconds`` 0 means that a failed destination stays disabled until it is
    enabled again; ``max_failure`` 0 that it may be tried without end. ``alternate`` is the DEST_ID that takes its
    place.
    """

    dest_id: int
    location: str
    mandatory: bool = False
    state: str = "ENABLE"
    reopen_seconds: int = DEFAULT_REOPEN_SECONDS
    max_failure: int = 0
    is_prefix: bool = False
    remote: bool = False
    alternate: int | None = None
    valid_for: tuple[str, str] = ("ALL_LOGFILES", "ALL_ROLES")

    @property
    def in_recovery_area(self) -> bool:
        return self.location.upper() == RECOVERY_AREA

    def file(self, name: str) -> Path:
        """Where a log of this name goes; the old LOG_ARCHIVE_DEST may also be the beginning of file names."""
        folder = Path(self.location)
        return Path(self.location + name) if self.is_prefix and not folder.is_dir() else folder / name


@dataclass(frozen=True)
class DestinationStatus:
    """What ``V$ARCHIVE_DEST`` tells of a destination beyond its parameters.

    ``failures`` counts attempts since the last success; ``retry_at`` is when REOPEN allows the next one, on
    the monotonic clock, None when the destination is disabled by its failure.
    """

    error: str | None = None
    fail_time: datetime | None = None
    fail_sequence: int = 0
    log_sequence: int = 0
    failures: int = 0
    retry_at: float | None = 0.0

    @property
    def disabled(self) -> bool:
        return self.error is not None and self.retry_at is None

    def failed(
        self, destination: ArchiveDestination, sequence: int, error: str, now: datetime
    ) -> DestinationStatus:
        """After one more failure."""
        failures = self.failures + 1
        ended = destination.reopen_seconds == 0 or failures == destination.max_failure
        return replace(
            self,
            error=error,
            fail_time=now,
            fail_sequence=sequence,
            failures=failures,
            retry_at=None if ended else time.monotonic() + destination.reopen_seconds,
        )

    def may_be_tried(self) -> bool:
        """Whether it works, or REOPEN has passed since it failed."""
        return self.error is None or (self.retry_at is not None and time.monotonic() >= self.retry_at)


@dataclass
class DestinationBoard:
    """How every destination fares: the part of the archiver's memory that ends with the instance."""

    _status: dict[int, DestinationStatus] = field(default_factory=dict)

    def status(self, dest_id: int) -> DestinationStatus:
        return self._status.get(dest_id, DestinationStatus())

    def note_success(self, dest_id: int, sequence: int) -> None:
        self._status[dest_id] = DestinationStatus(log_sequence=sequence)

    def note_failure(self, destination: ArchiveDestination, sequence: int, error: str, now: datetime) -> None:
        before = self.status(destination.dest_id)
        self._status[destination.dest_id] = before.failed(destination, sequence, error, now)

    def enable(self, dest_id: int) -> None:
        """The administrator set the destination again: its failures are forgotten."""
        sequence = self.status(dest_id).log_sequence
        self._status[dest_id] = DestinationStatus(log_sequence=sequence)

    def reopen_all(self) -> None:
        """Let every failed destination be tried at once, its error still shown."""
        for dest_id, status in self._status.items():
            if status.retry_at is not None:
                self._status[dest_id] = replace(status, retry_at=0.0)

    def in_use(self, destinations: list[ArchiveDestination]) -> list[ArchiveDestination]:
        """The enabled destinations and the alternates of disabled ones, mandatory ones first."""
        replaced = {d.alternate for d in destinations if self.status(d.dest_id).disabled}
        used = [
            destination
            for destination in destinations
            if destination.state == "ENABLE"
            or (destination.state == "ALTERNATE" and destination.dest_id in replaced)
        ]
        relieved = [d for d in used if d.alternate is not None and self.status(d.dest_id).disabled]
        return sorted((d for d in used if d not in relieved), key=lambda d: (not d.mandatory, d.dest_id))

    def next_try(self) -> float | None:
        """Seconds until REOPEN lets a failed destination be tried again; None when none is waiting."""
        waiting = [
            s.retry_at for s in self._status.values() if s.error is not None and s.retry_at is not None
        ]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else None


def configured_destinations(parameters: Parameters) -> list[ArchiveDestination]:
    """The destinations that are set, deferred ones included, in order of ``dest_id``.

    Without any, the recovery area is destination 1. Raises as :func:`parse_destination`.
    """
    found = list(_numbered(parameters))
    if found:
        return found
    plain = (parameters.get("log_archive_dest"), parameters.get("log_archive_duplex_dest"))
    if plain[0]:
        return [
            ArchiveDestination(dest_id, location, mandatory=dest_id == 1, is_prefix=True)
            for dest_id, location in enumerate(plain, 1)
            if location
        ]
    if parameters.get("db_recovery_file_dest"):
        return [ArchiveDestination(1, RECOVERY_AREA)]
    return []


def destinations(parameters: Parameters, home: Home) -> list[ArchiveDestination]:
    """As :func:`configured_destinations`; with nothing configured, Oracle's default "?/dbs/arch"."""
    found = configured_destinations(parameters)
    return found or [ArchiveDestination(1, str(home.dbs / "arch"), is_prefix=True)]


def _numbered(parameters: Parameters) -> Iterator[ArchiveDestination]:
    for dest_id in range(1, DESTINATIONS + 1):
        name = f"log_archive_dest_{dest_id}"
        text = parameters.get(name)
        if text:
            yield parse_destination(
                dest_id, text, parameters.get(f"log_archive_dest_state_{dest_id}").upper()
            )


def parse_destination(dest_id: int, text: str, state: str = "ENABLE") -> ArchiveDestination:
    """The destination that a value of LOG_ARCHIVE_DEST_n describes.

    Raises ORA-16024 for a value that makes no sense, ORA-16025 for attributes given twice or against each
    other, ORA-16026 for an attribute with a wrong value.
    """
    name = f"LOG_ARCHIVE_DEST_{dest_id}"
    attributes = _attributes(name, text)
    location, remote = attributes.get("LOCATION"), attributes.get("SERVICE")
    if bool(location) == bool(remote):
        raise OracleError(16024, f"parameter {name} cannot be parsed")
    contrary = ("MANDATORY" in attributes and "OPTIONAL" in attributes) or (
        "REOPEN" in attributes and "NOREOPEN" in attributes
    )
    if contrary or (dest_id > MANDATORY_DESTINATIONS and (location or "MANDATORY" in attributes)):
        raise OracleError(16025, f"parameter {name} contains repeated or conflicting attributes")
    counts = {word: _count(name, attributes[word]) for word in _COUNTS if word in attributes}
    reopen = 0 if "NOREOPEN" in attributes else counts.get("REOPEN", DEFAULT_REOPEN_SECONDS)
    if "MAX_FAILURE" in counts and not reopen:
        raise OracleError(16025, f"parameter {name} contains repeated or conflicting attributes")
    return ArchiveDestination(
        dest_id,
        location or remote or "",
        remote=bool(remote),
        mandatory="MANDATORY" in attributes,
        state=state,
        reopen_seconds=reopen,
        max_failure=counts.get("MAX_FAILURE", 0),
        alternate=_alternate(name, attributes.get("ALTERNATE")),
        valid_for=_valid_for(name, attributes.get("VALID_FOR")),
    )


def _attributes(name: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    place = 0
    while text[place:].strip():
        match = _ATTRIBUTE.match(text, place)
        word = match["name"].upper() if match else ""
        valued = bool(match and match["value"] is not None)
        known = word in _FLAGS or (valued and (word in _COUNTS or word in _OTHER_VALUES))
        if match is None or not known:
            raise OracleError(16024, f"parameter {name} cannot be parsed")
        if word in found:
            raise OracleError(16025, f"parameter {name} contains repeated or conflicting attributes")
        found[word] = (match["value"] or "").strip('"')
        place = match.end()
    return found


def _count(name: str, text: str) -> int:
    if not text.isdigit():
        raise OracleError(16026, f"parameter {name} contains an invalid attribute value")
    return int(text)


def _alternate(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    found = re.fullmatch(r"LOG_ARCHIVE_DEST_(\d+)", text, re.IGNORECASE)
    if found is None:
        raise OracleError(16026, f"parameter {name} contains an invalid attribute value")
    return int(found[1])


def _valid_for(name: str, text: str | None) -> tuple[str, str]:
    if text is None:
        return "ALL_LOGFILES", "ALL_ROLES"
    words = [word.strip().upper() for word in text.strip("()").split(",")]
    if len(words) != 2:
        raise OracleError(16026, f"parameter {name} contains an invalid attribute value")
    kinds, roles = sorted(words, key=lambda word: word.endswith("_ROLE") or word == "ALL_ROLES")
    return kinds, roles
