# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second, independent client: node-oracledb in thin mode, where it is installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from oracle_simulator.net.backend import Column, DataType
from oracle_simulator.net.listener import Listener

from .toy_backend import PASSWORD, SERVICE, ToyDatabase, rows_of

SCRIPT = """
const oracledb = require('oracledb');
(async () => {
  const [connectString, password] = process.argv.slice(1);
  const connection = await oracledb.getConnection({user: 'scott', password, connectString});
  await connection.execute('create table t (n, t)');
  await connection.executeMany('insert into t values (:1, :2)', [[1, 'one'], [2, 'two']]);
  await connection.commit();
  const result = await connection.execute('select n, t from t where n > :1', [1]);
  console.log(JSON.stringify(result.rows));
  await connection.close();
})().catch(error => { console.error(error); process.exit(1); });
"""


def require_node_oracledb() -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    if subprocess.run(
        [node, "-e", "require('oracledb')"], capture_output=True, timeout=60, check=False
    ).returncode:
        pytest.skip("the node package oracledb is not installed")
    return node


def test_node_oracledb_is_served(listener: Listener, database: ToyDatabase) -> None:
    node = require_node_oracledb()
    answer = rows_of([Column("DBTIMEZONE", DataType.VARCHAR2, 6)], ("+00:00",))
    database.answers["SELECT DBTIMEZONE FROM DUAL"] = answer
    address = f"127.0.0.1:{listener.port}/{SERVICE}"
    command = [node, "-e", SCRIPT, address, PASSWORD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.returncode) == ('[[2,"two"]]', 0), done.stderr
