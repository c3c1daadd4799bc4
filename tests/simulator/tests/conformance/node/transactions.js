// Copyright (c) 2026 hotbackup contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Transactions: what sessions see of each other, and many of them at once.
'use strict';

const { assert, check, connect, fails, one, until } = require('./checks');

const SESSIONS = 50;

async function twoSessions(table) {
  const [writer, reader] = [await connect(), await connect()];
  await writer.execute(`CREATE TABLE ${table} (n NUMBER PRIMARY KEY, t VARCHAR2(20))`);
  return [writer, reader, async session => (await one(session, `SELECT COUNT(*) FROM ${table}`))[0]];
}

check('nobody sees what is not committed', async function () {
  const [writer, reader, count] = await twoSessions('node_seen');
  await writer.execute("INSERT INTO node_seen VALUES (1, 'x')");
  assert.deepStrictEqual([await count(writer), await count(reader)], [1, 0]);
  await writer.commit();
  assert.deepStrictEqual([await count(writer), await count(reader)], [1, 1]);
});

check('a rollback takes everything back', async function () {
  const [writer, reader, count] = await twoSessions('node_back');
  await writer.execute("INSERT INTO node_back VALUES (1, 'kept')", [], { autoCommit: true });
  await writer.execute("UPDATE node_back SET t = 'changed'");
  await writer.execute("INSERT INTO node_back VALUES (2, 'new')");
  await writer.rollback();
  assert.deepStrictEqual([await count(writer), await count(reader)], [1, 1]);
  assert.deepStrictEqual(await one(writer, 'SELECT t FROM node_back'), ['kept']);
});

check('a session that ends takes its work back', async function () {
  const [writer, reader, count] = await twoSessions('node_ended');
  await writer.execute("INSERT INTO node_ended VALUES (1, 'x')");
  await writer.close();
  assert.strictEqual(await count(reader), 0);
});

check('the client knows whether a transaction is open', async function () {
  const [writer] = await twoSessions('node_open');
  assert.strictEqual(writer.transactionInProgress, false);
  await writer.execute("INSERT INTO node_open VALUES (1, 'x')");
  assert.strictEqual(writer.transactionInProgress, true);
  await writer.commit();
  assert.strictEqual(writer.transactionInProgress, false);
});

check('a query sees the moment at which it began', async function () {
  const [writer, reader] = await twoSessions('node_moment');
  const rows = Array.from({ length: 300 }, (_unused, n) => [n, 'before']);
  await writer.executeMany('INSERT INTO node_moment VALUES (:1, :2)', rows, { autoCommit: true });
  const { resultSet } = await reader.execute('SELECT t FROM node_moment ORDER BY n', [],
    { resultSet: true, fetchArraySize: 10 });
  await resultSet.getRow();
  await writer.execute("UPDATE node_moment SET t = 'after'", [], { autoCommit: true });
  const rest = await resultSet.getRows();
  assert.deepStrictEqual(new Set(rest.map(row => row[0])), new Set(['before']));
  await resultSet.close();
});

check('savepoints take back a part', async function () {
  const [writer, , count] = await twoSessions('node_savepoint');
  await writer.execute("INSERT INTO node_savepoint VALUES (1, 'x')");
  await writer.execute('SAVEPOINT here');
  await writer.execute("INSERT INTO node_savepoint VALUES (2, 'x')");
  await writer.execute('ROLLBACK TO SAVEPOINT here');
  await writer.commit();
  assert.strictEqual(await count(writer), 1);
});

check('a row that is locked has to be waited for', async function () {
  const [first, second] = await twoSessions('node_locked');
  await first.execute("INSERT INTO node_locked VALUES (1, 'x')", [], { autoCommit: true });
  await first.execute("UPDATE node_locked SET t = 'first'");
  await fails(54, second.execute('SELECT * FROM node_locked FOR UPDATE NOWAIT'));
  let done = false;
  const waiting = second.execute("UPDATE node_locked SET t = t || ', second'").then(() => { done = true; });
  const watcher = await connect();
  await until(async () => (await one(watcher,
    'SELECT COUNT(*) FROM v$session WHERE blocking_session IS NOT NULL'))[0] === 1);
  assert.strictEqual(done, false);
  await first.commit();
  await waiting;
  await second.commit();
  assert.deepStrictEqual(await one(first, 'SELECT t FROM node_locked'), ['first, second']);
});

check('two that wait for each other: one is told', async function () {
  const [first, second] = await twoSessions('node_deadlock');
  await first.executeMany('INSERT INTO node_deadlock VALUES (:1, :2)', [[1, 'x'], [2, 'x']], { autoCommit: true });
  await first.execute('UPDATE node_deadlock SET t = :1 WHERE n = 1', ['first']);
  await second.execute('UPDATE node_deadlock SET t = :1 WHERE n = 2', ['second']);
  const outcomes = await Promise.allSettled([
    first.execute('UPDATE node_deadlock SET t = :1 WHERE n = 2', ['first'])
      .catch(async error => { await first.rollback(); throw error; }),
    second.execute('UPDATE node_deadlock SET t = :1 WHERE n = 1', ['second'])
      .catch(async error => { await second.rollback(); throw error; }),
  ]);
  const failed = outcomes.filter(outcome => outcome.status === 'rejected');
  assert.deepStrictEqual(failed.map(outcome => outcome.reason.errorNum), [60]);
});

check('a transaction that would have to see one moment is refused', async function () {
  const connection = await connect();
  await connection.execute('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
  await fails(3001, connection.execute('SET TRANSACTION READ ONLY'));
  await fails(3001, connection.execute('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE'));
  await fails(3001, connection.execute('ALTER SESSION SET ISOLATION_LEVEL = SERIALIZABLE'));
});

check('fifty sessions at once lose nothing', async function () {
  const [first, , count] = await twoSessions('node_fifty');
  const all = await Promise.all(Array.from({ length: SESSIONS }, () => connect()));
  const sids = await Promise.all(all.map(each => one(each, "SELECT SYS_CONTEXT('USERENV', 'SID') FROM dual")));
  assert.strictEqual(new Set(sids.map(String)).size, SESSIONS);
  await Promise.all(all.map(async function (session, number) {
    for (let n = 0; n < 5; n++) {
      await session.execute('INSERT INTO node_fifty VALUES (:1, :2)', [number * 5 + n, 'x']);
      await (n % 2 ? session.rollback() : session.commit());
    }
  }));
  assert.strictEqual(await count(first), SESSIONS * 3);
  await Promise.all(all.map(session => session.close()));
  await until(async () => (await one(first,
    "SELECT COUNT(*) FROM v$session WHERE username = 'APP' AND status <> 'KILLED'"))[0] <= 2);
});
