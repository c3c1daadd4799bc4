# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States of the instance, logons and privileges."""

from __future__ import annotations

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import AdminMode, ClientInfo

from .conftest import Bench


def logon_code(bench: Bench, user: str, mode: AdminMode = AdminMode.NORMAL) -> int:
    """The error of a logon whose password was right."""
    with pytest.raises(OracleError) as caught:
        bench.database.verifier(user, mode)
        bench.database.open_session(user, mode, ClientInfo(address="127.0.0.1:1"))
    return caught.value.code


def test_what_can_be_read_grows_with_the_state(idle: Bench) -> None:
    sys = idle.sys
    assert sys.value("SELECT status FROM v$instance") == "STARTED"
    assert sys.refused("SELECT * FROM v$database").code == 1507
    assert sys.refused("SELECT * FROM v$datafile").code == 1507
    assert sys.refused("SELECT * FROM dba_data_files").code == 1507
    assert sys.refused("ALTER DATABASE OPEN").code == 1507
    sys.run("ALTER DATABASE MOUNT")
    assert sys.refused("ALTER DATABASE MOUNT").code == 1100
    assert sys.rows("SELECT open_mode, current_scn FROM v$database") == [("MOUNTED", 0)]
    assert sys.refused("SELECT * FROM dba_data_files").code == 1219
    assert sys.refused("SELECT * FROM app.t").code == 1219
    assert sys.refused("ALTER TABLESPACE users BEGIN BACKUP").code == 1109
    assert sys.refused("CREATE TABLE x (id NUMBER)").code == 1109
    sys.run("ALTER DATABASE OPEN")
    assert sys.refused("ALTER DATABASE OPEN").code == 1531
    assert sys.value("SELECT open_mode FROM v$database") == "READ WRITE"
    assert sys.value("SELECT COUNT(*) FROM dba_data_files") == sys.value("SELECT COUNT(*) FROM v$datafile")


def test_a_read_only_database_refuses_changes(bench: Bench) -> None:
    bench.connect().run("CREATE TABLE t (id NUMBER)")
    bench.database.shutdown("immediate")
    bench.nomount()
    sys = bench.sys
    sys.run("ALTER DATABASE MOUNT")
    sys.run("ALTER DATABASE OPEN READ ONLY")
    client = bench.connect()
    assert client.rows("SELECT * FROM t") == []
    assert client.refused("INSERT INTO t VALUES (1)").code == 16000
    assert sys.value("SELECT open_mode FROM v$database") == "READ ONLY"


def test_ordinary_users_wait_for_an_open_database(idle: Bench) -> None:
    assert logon_code(idle, "APP") == 1033
    idle.open()
    assert idle.connect().value("SELECT USER FROM dual") == "APP"
    assert logon_code(idle, "NOBODY") == 1017
    assert logon_code(idle, "SYS") == 28009


def test_services_are_known_in_every_state(idle: Bench) -> None:
    database = idle.database
    assert database.refusal("lab", None) is None
    assert database.refusal(None, "LAB") is None
    assert database.refusal("other", None) == 12514
    assert database.refusal(None, "OTHER") == 12505


def test_restricted_session_and_locked_account(bench: Bench) -> None:
    sys = bench.sys
    sys.run("ALTER SYSTEM ENABLE RESTRICTED SESSION")
    assert logon_code(bench, "APP") == 1035
    assert sys.value("SELECT logins FROM v$instance") == "RESTRICTED"
    sys.run("ALTER SYSTEM DISABLE RESTRICTED SESSION")
    sys.run("ALTER USER app ACCOUNT LOCK")
    assert logon_code(bench, "APP") == 28000


def test_an_ordinary_user_needs_each_privilege(bench: Bench) -> None:
    sys = bench.sys
    sys.run("CREATE USER keeper IDENTIFIED BY x")
    assert logon_code(bench, "KEEPER") == 1045
    sys.run("GRANT CREATE SESSION TO keeper")
    keeper = bench.connect("KEEPER")
    assert keeper.refused("ALTER TABLESPACE users BEGIN BACKUP").code == 1031
    assert keeper.refused("ALTER SYSTEM SWITCH LOGFILE").code == 1031
    assert keeper.refused("ALTER DATABASE BACKUP CONTROLFILE TO '/tmp/never'").code == 1031
    assert keeper.refused("SELECT * FROM v$backup").code == 942
    sys.run("GRANT MANAGE TABLESPACE, ALTER SYSTEM TO keeper")
    sys.run("GRANT SELECT ON v_$backup TO keeper")
    keeper.run("ALTER TABLESPACE users BEGIN BACKUP")
    assert keeper.value("SELECT COUNT(*) FROM v$backup WHERE status = 'ACTIVE'") == 1
    keeper.run("ALTER TABLESPACE users END BACKUP")
    keeper.run("ALTER SYSTEM SWITCH LOGFILE")
    assert keeper.refused("ALTER DATABASE OPEN").code == 1031
    sys.run("REVOKE ALTER SYSTEM FROM keeper")
    assert keeper.refused("ALTER SYSTEM SWITCH LOGFILE").code == 1031


def test_tables_of_others_are_hidden_until_granted(bench: Bench) -> None:
    app, other = bench.connect(), bench.connect("OTHER")
    app.run("CREATE TABLE t (id NUMBER)")
    assert other.refused("SELECT * FROM app.t").code == 942
    app.run("GRANT SELECT ON t TO other")
    assert other.rows("SELECT * FROM app.t") == []
    assert other.refused("INSERT INTO app.t VALUES (1)").code == 1031
    assert other.refused("DROP TABLE app.t").code in (942, 1031)


def test_sysbackup_is_granted_through_the_password_file(bench: Bench) -> None:
    sys = bench.sys
    sys.run("CREATE USER keeper IDENTIFIED BY secret")
    assert logon_code(bench, "KEEPER", AdminMode.SYSBACKUP) == 1017
    sys.run("GRANT SYSBACKUP TO keeper")
    keeper = bench.connect("KEEPER", AdminMode.SYSBACKUP)
    assert keeper.value("SELECT USER FROM dual") == "SYSBACKUP"
    assert keeper.value("SELECT COUNT(*) FROM v$datafile") > 0
    bench.connect().run("CREATE TABLE t (id NUMBER)")
    assert keeper.refused("SELECT * FROM app.t").code == 942
    assert logon_code(bench, "KEEPER", AdminMode.SYSDBA) == 1031


def test_noarchivelog_refuses_backup_mode_and_archiving(idle: Bench) -> None:
    sys = idle.sys
    sys.run("ALTER DATABASE MOUNT")
    sys.run("ALTER DATABASE NOARCHIVELOG")
    sys.run("ALTER DATABASE OPEN")
    assert sys.refused("ALTER TABLESPACE users BEGIN BACKUP").code == 1123
    assert sys.refused("ALTER SYSTEM ARCHIVE LOG CURRENT").code == 258
    sys.run("ALTER SYSTEM SWITCH LOGFILE")
    assert sys.refused("ALTER DATABASE ARCHIVELOG").code == 1126


def test_shutdown_is_refused_in_backup_mode_and_harms_nobody(bench: Bench) -> None:
    client = bench.connect()
    bench.sys.run("ALTER DATABASE BEGIN BACKUP")
    with pytest.raises(OracleError) as caught:
        bench.database.shutdown("immediate")
    assert caught.value.codes[:2] == (1149, 1110)
    assert client.value("SELECT 1 FROM dual") == 1
    bench.sys.run("ALTER DATABASE END BACKUP")


def test_statements_that_belong_elsewhere(bench: Bench) -> None:
    sys = bench.sys
    assert sys.refused("ALTER PLUGGABLE DATABASE p OPEN").code == 65090
    assert sys.refused("CREATE SEQUENCE s").code == 3001
    assert sys.refused("BEGIN unknown_thing; END;").code == 6550
    assert sys.refused("ALTER SYSTEM SET db_name = x").code == 2095
    assert sys.refused("ALTER SYSTEM SET no_such_parameter = 1").code == 2065
    assert sys.refused("ALTER SYSTEM SET archive_lag_target = 5 SCOPE=BOTH").code == 32001
    assert sys.refused("ALTER DATABASE RECOVER CANCEL").code == 1112
    assert sys.refused("ALTER DATABASE DATAFILE 99 ONLINE").code == 1516
    assert sys.refused("DROP TABLESPACE system").code == 1550
