# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CREATE and DROP PLUGGABLE DATABASE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.data.new_pluggable import Administrator, FileNames, create_pluggable, drop_pluggable
from oracle_simulator.data.user_names import require_local_name
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container import SEED
from oracle_simulator.net.verifier import make_verifier
from oracle_simulator.sql.ddl.containers import find_container, require_cdb
from oracle_simulator.sql.parser import pluggable_statements as pst

if TYPE_CHECKING:
    from oracle_simulator.sql.session import DatabaseSession


def _create(session: DatabaseSession, statement: pst.CreatePluggable) -> None:
    require_cdb(session)
    root = session.require_open()
    session.privileges.require(root.dictionary, "CREATE PLUGGABLE DATABASE")
    require_local_name(statement.administrator)
    seed = session.database.containers.get(SEED)
    assert seed is not None  # it opens with the root
    verifier = make_verifier(statement.password)
    create_pluggable(
        seed.dictionary,
        statement.name,
        Administrator(statement.administrator, verifier, statement.roles),
        statement.convert or _default_names(session),
        session.is_cancelled,
    )
    session.database.register_services()
    session.instance.log.write(f"Pluggable database {statement.name} created")


def _default_names(session: DatabaseSession) -> FileNames:
    """The parameter PDB_FILE_NAME_CONVERT. Raises ORA-65005 for an odd number of patterns."""
    values = session.instance.parameters.values("pdb_file_name_convert")
    if len(values) % 2:
        raise OracleError(65005, "missing or invalid file name pattern for file")
    return tuple(zip(values[::2], values[1::2], strict=True))


def _drop(session: DatabaseSession, statement: pst.DropPluggable) -> None:
    require_cdb(session)
    root = session.require_open()
    session.privileges.require(root.dictionary, "CREATE PLUGGABLE DATABASE")
    record = find_container(session, statement.name)
    if not record.pluggable:
        raise OracleError(65017, "seed pluggable database may not be dropped or altered")
    if session.database.containers.get(record.con_id) is not None:
        raise OracleError(65025, f"Pluggable database {record.name} is not closed on all instances.")
    if not statement.including_datafiles:
        text = "cannot keep datafiles for a pluggable database that is not unplugged"
        raise OracleError(65179, text)
    drop_pluggable(root.dictionary, record, session.is_cancelled)
    session.database.register_services()
    session.instance.log.write(f"Deleted pluggable database {record.name}")


HANDLERS = {
    pst.CreatePluggable: _create,
    pst.DropPluggable: _drop,
}
