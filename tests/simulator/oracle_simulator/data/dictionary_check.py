# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dictionary check at open: dictionary and control file must name the same tablespaces and files.

They differ after a control file was restored or created anew, and when the process died in the middle of a
change of both. The dictionary decides, as on Oracle.
"""

from __future__ import annotations

from pathlib import Path

from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.instance.control_file.control import DatafileRecord, TablespaceRecord


def reconcile(dictionary: Dictionary) -> None:
    """Make the control file follow the dictionary, and say so in the alert log. Without the latch.

    Files only the control file knows are taken out of it; files only the dictionary knows come in as
    offline files named MISSINGnnnnn, to be renamed and recovered.
    """
    instance = dictionary.instance
    changed = False
    with instance.latch:
        for message in (*_tablespaces(dictionary), *_files(dictionary)):
            instance.log.write(message)
            changed = True
    if changed:
        instance.save_control()


def _tablespaces(dictionary: Dictionary) -> list[str]:
    control = dictionary.instance.control
    messages = []
    rows = {row.number: row for row in dictionary.tablespace_rows}
    for record in [each for each in control.tablespaces if each.con_id == dictionary.con_id]:
        row = rows.get(record.number)
        if row is None or row.name != record.name:
            control.tablespaces.remove(record)
            messages.append(
                f"Tablespace '{record.name}' #{record.number} not found in data dictionary. Removed."
            )
    for row in rows.values():
        present = control.tablespace(row.number, dictionary.con_id)
        if present is None:
            control.tablespaces.append(
                TablespaceRecord(
                    row.number,
                    row.name,
                    row.bigfile,
                    row.contents,
                    row.status,
                    dictionary.con_id,
                    row.encryption,
                )
            )
            messages.append(
                f"Tablespace '{row.name}' #{row.number} found in data dictionary, but not in the controlfile. "
                "Adding to controlfile."
            )
        else:
            present.bigfile, present.contents, present.status = row.bigfile, row.contents, row.status
            present.encryption = row.encryption
    return messages


def _files(dictionary: Dictionary) -> list[str]:
    instance = dictionary.instance
    control = instance.control
    messages = []
    rows = {row.file_number: row for row in dictionary.file_rows}
    for record in [each for each in control.datafiles if each.con_id == dictionary.con_id]:
        row = rows.get(record.file_number)
        if row is None or row.tablespace_number != record.tablespace_number:
            control.datafiles.remove(record)
            instance.cache.forget_file(record.file_number)
            instance.files.remove(record.file_number)
            messages.append(
                f"File #{record.file_number} in the controlfile not found in data dictionary. "
                "Removing file from controlfile."
            )
    for row in rows.values():
        if control.datafile(row.file_number) is None:
            name = f"MISSING{row.file_number:05d}"
            control.datafiles.append(
                DatafileRecord(
                    file_number=row.file_number,
                    relative_file_number=row.relative_file_number,
                    tablespace_number=row.tablespace_number,
                    path=str(Path(instance.home.dbs) / name),
                    blocks=0,
                    status="RECOVER",
                    enabled="READ WRITE",
                    con_id=dictionary.con_id,
                )
            )
            messages.append(
                f"File #{row.file_number} found in data dictionary but not in controlfile. "
                f"Creating OFFLINE file '{name}' in the controlfile."
            )
    return messages
