# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which service or SID leads where: to a container and an instance of the database."""

from __future__ import annotations

from dataclasses import dataclass

from oracle_simulator.instance.cluster import running_instances
from oracle_simulator.instance.container import NON_CDB
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.redo.thread_states import instance_name


@dataclass(frozen=True)
class Service:
    """Where a connection to a service leads."""

    name: str
    con_id: int = NON_CDB
    instance_number: int = 1


def find_service(instance: Instance, service_name: str | None, sid: str | None = None) -> Service | None:
    """The service a client asked for by name or, in the old way, by SID; None when there is none.

    The service of the database itself is registered statically, so it is known in every state. That of a
    pluggable database, which has its name, is known once the control file is mounted. Both lead to the first
    instance that is up. Each instance also has a service of its own, named as its SID.
    """
    running = running_instances(instance)
    wanted = (service_name if service_name is not None else sid or "").upper()
    for number in running:
        if wanted == instance_name(instance.home.sid, number).upper():
            return Service(wanted, _root(instance), number)
    if service_name is None:
        return None
    if wanted in _with_domain(instance, _database_names(instance)):
        return Service(service_name, _root(instance), running[0])
    for record in instance.control.containers if instance.mounted else ():
        if record.pluggable and wanted in _with_domain(instance, {record.name}):
            return Service(service_name, record.con_id, running[0])
    return None


def registered_services(instance: Instance) -> set[str]:
    """The services an instance registers with its listener, in upper case: not its SID, nor DB_NAME."""
    parameters = instance.parameters
    names = {parameters.db_unique_name, *parameters.values("service_names")}
    # One listener serves all instances: each but the first is reached by a service of its own.
    names.update(instance_name(instance.home.sid, n) for n in running_instances(instance) if n > 1)
    if instance.mounted:
        names.update(record.name for record in instance.control.containers if record.pluggable)
    return _with_domain(instance, names)


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
