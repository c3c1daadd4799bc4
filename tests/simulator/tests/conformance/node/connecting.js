// Copyright (c) 2026 hotbackup contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Getting a session, and being refused one.
'use strict';

const { assert, check, connect, fails, one, oracledb, settings } = require('./checks');

const address = settings.connectString.split('/')[0];
const [host, port] = address.split(':');

check('a session tells who and where it is', async function () {
  const connection = await connect();
  assert.strictEqual(connection.thin, true);
  assert.strictEqual(connection.isHealthy(), true);
  assert.strictEqual(connection.instanceName.toUpperCase(), settings.sid);
  assert.strictEqual(connection.serviceName.toUpperCase(), settings.sid);
  assert.match(connection.oracleServerVersionString, /^19\.\d+\.0\.0\.0$/);
  assert.deepStrictEqual(await one(connection, 'SELECT user FROM dual'), ['APP']);
});

check('a wrong password and an unknown user look the same', async function () {
  const wrong = await fails(1017, connect({ password: 'wrong' }));
  const unknown = await fails(1017, connect({ user: 'NOBODY', password: 'wrong' }));
  assert.strictEqual(wrong.message, unknown.message);
});

check('an unknown service is refused', async function () {
  await fails('NJS-518', connect({ connectString: `${address}/NOWHERE` }));
});

check('an unknown SID is refused', async function () {
  const connectString = '(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)' +
    `(HOST=${host})(PORT=${port}))(CONNECT_DATA=(SID=NOWHERE)))`;
  await fails('NJS-519', connect({ connectString }));
});

check('nobody listening is refused', async function () {
  await fails('NJS-503', connect({ connectString: `${host}:1/${settings.sid}` }));
});

check('SYSDBA makes SYS of SYS', async function () {
  const connection = await connect({ user: 'SYS', privilege: oracledb.SYSDBA });
  assert.deepStrictEqual(await one(connection, 'SELECT user FROM dual'), ['SYS']);
});

check('SYSOPER and SYSBACKUP are given to SYS', async function () {
  for (const privilege of [oracledb.SYSOPER, oracledb.SYSBACKUP]) {
    const connection = await connect({ user: 'SYS', privilege });
    assert.strictEqual(connection.isHealthy(), true);
  }
});

check('SYS needs a privilege', async function () {
  await fails(28009, connect({ user: 'SYS' }));
});

check('a user outside of the password file gets no privilege', async function () {
  await fails(1017, connect({ privilege: oracledb.SYSDBA }));
});

check('the descriptor may be long', async function () {
  const connectString = `(DESCRIPTION=${'(FAILOVER=off)'.repeat(40)}(ADDRESS=(PROTOCOL=TCP)` +
    `(HOST=${host})(PORT=${port}))(CONNECT_DATA=(SERVICE_NAME=${settings.sid})))`;
  const connection = await connect({ connectString });
  assert.strictEqual(connection.isHealthy(), true);
});

check('a ping is answered, after the end no more', async function () {
  const connection = await connect();
  await connection.ping();
  await connection.close();
  await fails('NJS-003', connection.ping());
});

check('end-to-end attributes are seen by the database', async function () {
  const connection = await connect();
  connection.module = 'shop';
  connection.action = 'sell';
  connection.clientId = 'till 4';
  connection.clientInfo = 'by node';
  const seen = await one(connection, `SELECT module, action, client_identifier, client_info
    FROM v$session WHERE sid = SYS_CONTEXT('USERENV', 'SID')`);
  assert.deepStrictEqual(seen, ['shop', 'sell', 'till 4', 'by node']);
});

check('the database knows the driver', async function () {
  const [driver] = await one(await connect(),
    "SELECT DISTINCT client_driver FROM v$session_connect_info WHERE sid = SYS_CONTEXT('USERENV', 'SID')");
  assert.match(driver, /^node-oracledb : .* thn/);
});

check('the current schema follows ALTER SESSION and the property', async function () {
  const connection = await connect();
  await connection.execute('ALTER SESSION SET CURRENT_SCHEMA = HOTBACKUP');
  assert.strictEqual(connection.currentSchema, 'HOTBACKUP');
  connection.currentSchema = 'APP';
  const seen = await one(connection, "SELECT SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') FROM dual");
  assert.deepStrictEqual(seen, ['APP']);
});

check('a pool hands out, pings, grows and drains', async function () {
  const pool = await oracledb.createPool({
    user: 'APP', password: settings.passwords.APP, connectString: settings.connectString,
    poolMin: 1, poolMax: 4, poolPingInterval: 0,
  });
  try {
    const held = await Promise.all([1, 2, 3, 4].map(() => pool.getConnection()));
    const sids = await Promise.all(
      held.map(connection => one(connection, "SELECT SYS_CONTEXT('USERENV', 'SID') FROM dual")));
    assert.strictEqual(new Set(sids.map(String)).size, 4);
    await Promise.all(held.map(connection => connection.close()));
    for (let turn = 0; turn < 8; turn++) {
      const connection = await pool.getConnection();
      assert.deepStrictEqual(await one(connection, 'SELECT 7 FROM dual'), [7]);
      await connection.close();
    }
    assert.strictEqual(pool.connectionsInUse, 0);
  } finally {
    await pool.close(0);
  }
});

check('a pooled session gives its transaction up when it goes back', async function () {
  const watcher = await connect();
  await watcher.execute('CREATE TABLE node_pooled (n NUMBER)');
  const pool = await oracledb.createPool({
    user: 'APP', password: settings.passwords.APP, connectString: settings.connectString, poolMax: 1,
  });
  try {
    const connection = await pool.getConnection();
    await connection.execute('INSERT INTO node_pooled VALUES (1)');
    await connection.close();
    const again = await pool.getConnection();
    assert.deepStrictEqual(await one(again, 'SELECT COUNT(*) FROM node_pooled'), [0]);
    await again.close();
  } finally {
    await pool.close(0);
  }
});
