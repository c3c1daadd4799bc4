# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a listener knows of services, and what it does with a client that asks for one.

Dynamic registration comes from the instance itself and says how it is; it ends with the instance. Static
registration is configuration: it says where an instance would be, not whether there is one (STATUS UNKNOWN).
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


class Status(enum.StrEnum):
    """How a registered instance takes clients. BLOCKED: it is only started; RESTRICTED: restricted session."""

    READY = "READY"
    BLOCKED = "BLOCKED"
    RESTRICTED = "RESTRICTED"


@dataclass(frozen=True)
class Registration:
    """What an instance has said of itself. Service names are in upper case."""

    instance: str
    services: frozenset[str]
    status: Status
    handoff: Path


@dataclass(frozen=True)
class StaticService:
    """One SID_DESC of SID_LIST_LISTENER; ``home`` is the ORACLE_HOME."""

    global_name: str
    sid: str
    home: Path


@dataclass(frozen=True)
class Refusal:
    """The client gets this TNS error."""

    code: int


Destination = Registration | StaticService | Refusal


def route(
    service: str | None,
    sid: str | None,
    dynamic: Collection[Registration],
    static: Collection[StaticService],
) -> Destination:
    """Where a client goes that asks for a service or, in the old way, for a SID.

    TNS-12504 it names neither; TNS-12514 (12505) the service (SID) is not known; TNS-12528 all instances of
    the service are blocked; TNS-12526 all are restricted.
    """
    if not service and not sid:
        return Refusal(12504)
    name = (service or sid or "").upper()
    if service:
        offering = [entry for entry in dynamic if name in entry.services]
        configured = [entry for entry in static if entry.global_name.upper() == name]
    else:
        offering = [entry for entry in dynamic if entry.instance.upper() == name]
        configured = [entry for entry in static if entry.sid.upper() == name]
    ready = [entry for entry in offering if entry.status is Status.READY]
    if ready:
        return ready[0]
    if configured:
        return configured[0]
    if not offering:
        return Refusal(12514 if service else 12505)
    restricted = all(entry.status is Status.RESTRICTED for entry in offering)
    return Refusal(12526 if restricted else 12528)
