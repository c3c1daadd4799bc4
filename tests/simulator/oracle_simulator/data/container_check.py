# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of containers when a CDB opens: CONTAINER$ of the root decides, the control file follows.

They differ after a control file was restored or made anew: that one knows containers only by the headers of
their files, and none of their names.
"""

from __future__ import annotations

from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.system_tables import ContainerRow
from oracle_simulator.instance.container import ROOT, ContainerRecord


def reconcile_containers(root: Dictionary) -> None:
    """Make the control file follow the root's dictionary. Files of containers it does not know are forgotten."""
    instance = root.instance
    control = instance.control
    with instance.latch:
        before = [vars(record).copy() for record in control.containers]
        rows = {row.con_id: row for row in root.container_rows}
        for record in list(control.containers):
            if record.con_id != ROOT and record.con_id not in rows:
                instance.log.write(f"Pluggable database {record.name} not found in data dictionary. Removed.")
                control.forget_container(record.con_id)
        for row in rows.values():
            present = control.container(row.con_id)
            if present is None:
                control.containers.append(record_of(row))
                instance.log.write(f"Pluggable database {row.name} found in data dictionary. Added.")
            else:
                present.name, present.dbid, present.guid = row.name, row.dbid, row.guid
                present.creation_scn, present.creation_time = row.creation_scn, row.created
                present.ever_opened = row.ever_opened
        changed = before != [vars(record) for record in control.containers]
    if changed:
        instance.save_control()


def record_of(row: ContainerRow) -> ContainerRecord:
    """The control file's record of a container of the dictionary."""
    identity = (row.con_id, row.name, row.dbid, row.guid)
    return ContainerRecord(*identity, row.creation_scn, row.created, row.ever_opened)
