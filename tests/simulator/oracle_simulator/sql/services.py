# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which service or SID leads where: to a container and an instance of the database."""

from __future__ import annotations

from dataclasses import dataclass

from oracle_simulator.instance.container import NON_CDB
from oracle_simulator.instance.instance import Instance


@dataclass(frozen=True)
class Service:
    """Where a connection to a service leads."""

    name: str
    con_id: int = NON_CDB
    instance_number: int = 1


def find_service(instance: Instance, service_name: str | None, sid: str | None = None) -> Service | None:
    """The service a client asked for by name or, in the old way, by SID; None when there is none.

    The service of the database itself is registered statically, so it is known in every state. That of a
    pluggable database, which has its name, is known once the control file is mounted.
    """
    if service_name is None:
        known = sid is not None and sid.upper() == instance.home.sid.upper()
        return Service(instance.home.sid, _root(instance)) if known else None
    wanted = service_name.upper()
    if wanted in _with_domain(instance, _database_names(instance)):
        return Service(service_name, _root(instance))
    for record in instance.control.containers if instance.mounted else ():
        if record.pluggable and wanted in _with_domain(instance, {record.name}):
            return Service(service_name, record.con_id)
    return None


def _root(instance: Instance) -> int:
    return instance.control.root_id if instance.mounted else NON_CDB


def _database_names(instance: Instance) -> set[str]:
    parameters = instance.parameters
    names = {parameters.db_unique_name, parameters.db_name, instance.home.sid}
    names.update(parameters.values("service_names"))
    return names


def _with_domain(instance: Instance, names: set[str]) -> set[str]:
    domain = instance.parameters.get("db_domain")
    every = names | ({f"{name}.{domain}" for name in names} if domain else set())
    return {name.upper() for name in every if name}
