// Copyright (c) 2026 hotbackup contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Breaks and time-outs in every state of a session, and sessions that are killed.
'use strict';

const { assert, check, connect, fails, one, oracledb, until } = require('./checks');

const SLEEP = 'BEGIN DBMS_SESSION.SLEEP(600); END;';
const CANCELLED = 1013;

async function sidOf(connection) {
  return (await one(connection, "SELECT SYS_CONTEXT('USERENV', 'SID') FROM dual"))[0];
}

// Breaks a call once the database says that it runs. Its error may come before the break has returned: it is awaited
// from the beginning, as Node.js ends the process for one that nobody awaits.
async function breakWhenActive(connection, call) {
  const cancelled = fails(CANCELLED, call);
  const watcher = await connect();
  await until(async () => (await one(watcher,
    'SELECT status FROM v$session WHERE sid = :1', [connection.sid]))[0] === 'ACTIVE');
  await connection.break();
  await cancelled;
  assert.deepStrictEqual(await one(connection, 'SELECT 1 FROM dual'), [1]);
}

async function session() {
  const connection = await connect();
  connection.sid = await sidOf(connection);
  return connection;
}

check('a break ends a block that sleeps', async function () {
  const connection = await session();
  await breakWhenActive(connection, connection.execute(SLEEP));
});

check('a break ends waiting for a row', async function () {
  const [holder, connection] = [await connect(), await session()];
  await holder.execute('CREATE TABLE node_break (n NUMBER)');
  await holder.execute('INSERT INTO node_break VALUES (1)', [], { autoCommit: true });
  await holder.execute('UPDATE node_break SET n = 2');
  await breakWhenActive(connection, connection.execute('UPDATE node_break SET n = 3'));
  await holder.commit();
  assert.deepStrictEqual(await one(connection, 'SELECT n FROM node_break'), [2]);
});

check('a break ends a long query', async function () {
  const connection = await session();
  const long = `SELECT COUNT(*) FROM ${Array(6).fill('all_objects').map((t, n) => `${t} t${n}`).join(', ')}`;
  await breakWhenActive(connection, connection.execute(long));
});

check('a break while nothing runs does no harm', async function () {
  const connection = await session();
  await connection.break();
  const first = await connection.execute('SELECT 1 FROM dual').catch(error => error.errorNum);
  assert.ok(first === CANCELLED || first.rows[0][0] === 1);
  assert.deepStrictEqual(await one(connection, 'SELECT 2 FROM dual'), [2]);
});

check('breaks may come at any moment', async function () {
  const connection = await session();
  await connection.execute('CREATE TABLE node_any (n NUMBER, t VARCHAR2(100))');
  const rows = Array.from({ length: 500 }, (_unused, n) => [n, 'x'.repeat(90)]);
  let ends = 0;
  for (let turn = 0; turn < 40; turn++) {
    const call = turn % 2
      ? connection.executeMany('INSERT INTO node_any VALUES (:1, :2)', rows)
      : connection.execute('SELECT * FROM node_any', [], { fetchArraySize: 20 });
    const end = call.catch(error => { ends += assert.strictEqual(error.errorNum, CANCELLED) ?? 1; });
    await new Promise(resolve => setTimeout(resolve, turn % 7));
    await connection.break().catch(error => assert.strictEqual(error.errorNum, CANCELLED));
    await end;
    await connection.execute('ROLLBACK').catch(error => assert.strictEqual(error.errorNum, CANCELLED));
  }
  // the last break may have met any of the calls, also the last rollback
  await connection.ping().catch(error => assert.strictEqual(error.errorNum, CANCELLED));
  await connection.rollback();
  assert.deepStrictEqual(await one(connection, 'SELECT COUNT(*) FROM node_any'), [0]);
});

check('a call that takes too long is given up, the session is not', async function () {
  const connection = await session();
  connection.callTimeout = 50;
  const error = await fails('NJS-123', connection.execute(SLEEP));
  assert.match(error.message, /50 ms/);
  connection.callTimeout = 0;
  assert.deepStrictEqual(await one(connection, 'SELECT 1 FROM dual'), [1]);
});

check('a time-out takes only its statement back', async function () {
  const connection = await session();
  await connection.execute('CREATE TABLE node_timeout (n NUMBER)');
  await connection.execute('INSERT INTO node_timeout VALUES (1)');
  connection.callTimeout = 50;
  await fails('NJS-123', connection.execute(SLEEP));
  connection.callTimeout = 0;
  await connection.commit();
  assert.deepStrictEqual(await one(await connect(), 'SELECT COUNT(*) FROM node_timeout'), [1]);
});

check('a session that is killed while idle learns it with its next call', async function () {
  const connection = await session();
  await connection.execute('CREATE TABLE node_killed (n NUMBER)');
  await connection.execute('INSERT INTO node_killed VALUES (1)');
  const dba = await connect({ user: 'SYS', privilege: oracledb.SYSDBA });
  const [serial] = await one(dba, 'SELECT serial# FROM v$session WHERE sid = :1', [connection.sid]);
  await dba.execute(`ALTER SYSTEM KILL SESSION '${connection.sid},${serial}' IMMEDIATE`);
  await fails('NJS-500', connection.execute('SELECT 1 FROM dual'));
  assert.strictEqual(connection.isHealthy(), false);
  assert.deepStrictEqual(await one(dba, 'SELECT COUNT(*) FROM app.node_killed'), [0]);
});

check('a session that is killed within a call loses it', async function () {
  const connection = await session();
  const lost = fails('NJS-500', connection.execute(SLEEP));
  const dba = await connect({ user: 'SYS', privilege: oracledb.SYSDBA });
  await until(async () => (await one(dba,
    'SELECT status FROM v$session WHERE sid = :1', [connection.sid]))[0] === 'ACTIVE');
  const [serial] = await one(dba, 'SELECT serial# FROM v$session WHERE sid = :1', [connection.sid]);
  await dba.execute(`ALTER SYSTEM KILL SESSION '${connection.sid},${serial}' IMMEDIATE`);
  await lost;
  await until(async () => (await one(dba,
    'SELECT COUNT(*) FROM v$session WHERE sid = :1 AND serial# = :2', [connection.sid, serial]))[0] === 0);
});
