// Copyright (c) 2026 hotbackup contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Statements: binds, arrays, fetching in pieces, the statement cache, errors.
'use strict';

const { assert, check, connect, fails, one, oracledb } = require('./checks');

const ROWS = 1200;

async function withTable(connection, name, columns) {
  await connection.execute(`CREATE TABLE ${name} (${columns})`);
}

check('binds go by position and by name', async function () {
  const connection = await connect();
  assert.deepStrictEqual(await one(connection, 'SELECT :1 || :2 FROM dual', ['a', 'b']), ['ab']);
  const binds = { second: 'b', first: 'a' };
  assert.deepStrictEqual(await one(connection, 'SELECT :first || :second || :first FROM dual', binds), ['aba']);
  const quoted = await one(connection, 'SELECT ":x" || :x FROM (SELECT 1 AS ":x" FROM dual)', { x: 'y' });
  assert.deepStrictEqual(quoted, ['1y']);
});

check('a reserved word is no name of a bind', async function () {
  const connection = await connect();
  const error = await fails(1745, connection.execute('SELECT :rowid FROM dual', { rowid: 1 }));
  assert.strictEqual(error.offset, 7);
});

check('a missing bind is refused', async function () {
  const connection = await connect();
  await fails('NJS-097', connection.execute('SELECT :a FROM dual', { b: 1 }));
});

check('objects have the names of the columns', async function () {
  const connection = await connect();
  const result = await connection.execute('SELECT 1 AS n, \'x\' AS "mixed Case" FROM dual', [],
    { outFormat: oracledb.OUT_FORMAT_OBJECT });
  assert.deepStrictEqual({ ...result.rows[0] }, { N: 1, 'mixed Case': 'x' });
});

check('rows come in pieces of every size', async function () {
  const connection = await connect();
  await withTable(connection, 'node_rows', 'n NUMBER, t VARCHAR2(60)');
  const rows = Array.from({ length: ROWS }, (_unused, n) => [n, `row ${n}`.padEnd(n % 60, '.')]);
  const inserted = await connection.executeMany('INSERT INTO node_rows VALUES (:1, :2)', rows,
    { autoCommit: true });
  assert.strictEqual(inserted.rowsAffected, ROWS);
  for (const [fetchArraySize, prefetchRows] of [[1, 0], [7, 2], [100, 2], [100, 0], [5000, 100]]) {
    const few = fetchArraySize === 1 ? 60 : ROWS;
    const sql = `SELECT n, t FROM node_rows WHERE n < ${few} ORDER BY n`;
    const result = await connection.execute(sql, [], { fetchArraySize, prefetchRows });
    assert.deepStrictEqual(result.rows, rows.slice(0, few));
  }
});

check('a result set can be left in the middle', async function () {
  const connection = await connect();
  for (let turn = 0; turn < 3; turn++) {
    const { resultSet } = await connection.execute('SELECT n FROM node_rows ORDER BY n', [],
      { resultSet: true, fetchArraySize: 10 });
    assert.deepStrictEqual(await resultSet.getRow(), [0]);
    assert.deepStrictEqual((await resultSet.getRows(25)).map(row => row[0]).at(-1), 25);
    await resultSet.close();
  }
});

check('a stream gives every row', async function () {
  const connection = await connect();
  let sum = 0;
  for await (const [n] of connection.queryStream('SELECT n FROM node_rows', [], { fetchArraySize: 50 }))
    sum += n;
  assert.strictEqual(sum, ROWS * (ROWS - 1) / 2);
});

check('maxRows ends a fetch', async function () {
  const connection = await connect();
  const { rows } = await connection.execute('SELECT n FROM node_rows ORDER BY n', [], { maxRows: 5 });
  assert.strictEqual(rows.length, 5);
});

check('a statement is executed again from the cache', async function () {
  const connection = await connect();
  await withTable(connection, 'node_again', 'n NUMBER, t VARCHAR2(4000)');
  for (let n = 0; n < 5; n++)
    await connection.execute('INSERT INTO node_again VALUES (:1, :2)', [n, 'x'.repeat(n * 900)]);
  await connection.execute('INSERT INTO node_again VALUES (:1, :2)', [null, null]);
  for (let n = 0; n < 5; n++) {
    const row = await one(connection, 'SELECT n, LENGTH(t) FROM node_again WHERE n = :1', [n]);
    assert.deepStrictEqual(row, [n, n ? n * 900 : null]);
  }
});

check('columns that differ in case only are refused, and cost only the call', async function () {
  const connection = await connect();
  await fails(3001, connection.execute('CREATE TABLE node_case (c NUMBER, "c" NUMBER)'));
  assert.deepStrictEqual(await one(connection, 'SELECT 1 FROM dual'), [1]);
});

check('a cached query notices that its table was changed', async function () {
  const connection = await connect();
  await withTable(connection, 'node_changed', 'n NUMBER');
  await connection.execute('INSERT INTO node_changed VALUES (1)');
  assert.deepStrictEqual(await one(connection, 'SELECT * FROM node_changed'), [1]);
  await connection.execute('DROP TABLE node_changed PURGE');
  await fails(942, connection.execute('SELECT * FROM node_changed'));
  await withTable(connection, 'node_changed', 't VARCHAR2(10), d DATE');
  await connection.execute("INSERT INTO node_changed VALUES ('text', DATE '2024-02-29')");
  const row = await one(connection, 'SELECT * FROM node_changed');
  assert.deepStrictEqual(row, ['text', new Date(2024, 1, 29)]);
});

check('a cache of one statement, and none', async function () {
  for (const stmtCacheSize of [0, 1]) {
    const connection = await connect({ stmtCacheSize });
    for (let n = 0; n < 350; n++)
      assert.deepStrictEqual(await one(connection, `SELECT ${n % 3} FROM dual`), [n % 3]);
  }
});

check('what DML changed is counted', async function () {
  const connection = await connect();
  await withTable(connection, 'node_counts', 'n NUMBER');
  const rows = Array.from({ length: 100 }, (_unused, n) => [n]);
  assert.strictEqual(
    (await connection.executeMany('INSERT INTO node_counts VALUES (:1)', rows)).rowsAffected, 100);
  assert.strictEqual(
    (await connection.execute('UPDATE node_counts SET n = -n WHERE n > :1', [89])).rowsAffected, 10);
  assert.strictEqual((await connection.execute('DELETE FROM node_counts WHERE n > 5000')).rowsAffected, 0);
});

check('array DML counts row by row', async function () {
  const connection = await connect();
  await withTable(connection, 'node_array', 'n NUMBER');
  await connection.executeMany('INSERT INTO node_array VALUES (:1)', [[1], [2], [2], [3], [3], [3]]);
  const result = await connection.executeMany('DELETE FROM node_array WHERE n = :1', [[2], [7], [3]],
    { dmlRowCounts: true });
  assert.deepStrictEqual(result.dmlRowCounts.map(Number), [2, 0, 3]);
  assert.strictEqual(result.rowsAffected, 5);
});

check('array DML can collect its errors', async function () {
  const connection = await connect();
  await withTable(connection, 'node_batch', 'n NUMBER PRIMARY KEY, t VARCHAR2(5)');
  const result = await connection.executeMany('INSERT INTO node_batch VALUES (:1, :2)',
    [[1, 'a'], [1, 'again'], [2, 'too long'], [3, 'c']],
    { batchErrors: true, bindDefs: [{ type: oracledb.NUMBER }, { type: oracledb.STRING, maxSize: 20 }] });
  const errors = result.batchErrors.map(error => [error.offset, error.message.slice(0, 9)]);
  assert.deepStrictEqual(errors, [[1, 'ORA-00001'], [2, 'ORA-12899']]);
  assert.strictEqual(result.rowsAffected, 2);
  assert.deepStrictEqual(await one(connection, 'SELECT SUM(n) FROM node_batch'), [4]);
});

check('array DML without that ends at the first error and keeps what was before', async function () {
  const connection = await connect();
  await withTable(connection, 'node_stop', 'n NUMBER PRIMARY KEY');
  await fails(1, connection.executeMany('INSERT INTO node_stop VALUES (:1)', [[1], [2], [1], [3]]));
  assert.deepStrictEqual(await one(connection, 'SELECT COUNT(*) FROM node_stop'), [2]);
});

check('RETURNING gives values back', async function () {
  const connection = await connect();
  await withTable(connection, 'node_returning', 'n NUMBER, t VARCHAR2(20)');
  const out = { dir: oracledb.BIND_OUT, type: oracledb.NUMBER };
  const inserted = await connection.execute(
    "INSERT INTO node_returning VALUES (:n, 'one') RETURNING n INTO :out", { n: 5, out });
  assert.deepStrictEqual(inserted.outBinds.out, [5]);
  await connection.execute("INSERT INTO node_returning VALUES (6, 'two')");
  const updated = await connection.execute(
    'UPDATE node_returning SET n = n * 10 RETURNING n, t INTO :n, :t',
    { n: out, t: { dir: oracledb.BIND_OUT, type: oracledb.STRING, maxSize: 20 } });
  assert.deepStrictEqual([...updated.outBinds.n].sort(), [50, 60]);
  assert.deepStrictEqual([...updated.outBinds.t].sort(), ['one', 'two']);
  const none = await connection.execute('DELETE FROM node_returning WHERE n = 0 RETURNING n INTO :out', { out });
  assert.deepStrictEqual(none.outBinds.out, []);
});

check('the last row has an address', async function () {
  const connection = await connect();
  await withTable(connection, 'node_rowid', 'n NUMBER');
  const { lastRowid } = await connection.execute('INSERT INTO node_rowid VALUES (7)');
  assert.match(lastRowid, /^[A-Za-z0-9+/]{18}$/);
  const row = await one(connection, 'SELECT n, ROWIDTOCHAR(ROWID) FROM node_rowid WHERE ROWID = :1', [lastRowid]);
  assert.deepStrictEqual(row, [7, lastRowid]);
});

check('DDL commits, and may be run again', async function () {
  const connection = await connect();
  const other = await connect();
  await withTable(connection, 'node_ddl', 'n NUMBER');
  await connection.execute('INSERT INTO node_ddl VALUES (1)');
  await connection.execute('CREATE INDEX node_ddl_i ON node_ddl (n)');
  assert.deepStrictEqual(await one(other, 'SELECT COUNT(*) FROM node_ddl'), [1]);
  await connection.execute('TRUNCATE TABLE node_ddl');
  await connection.execute('TRUNCATE TABLE node_ddl');
  await fails(955, connection.execute('CREATE TABLE node_ddl (n NUMBER)'));
});

check('errors have a number and a place', async function () {
  const connection = await connect();
  const missing = await fails(942, connection.execute('SELECT * FROM nowhere_to_be_found'));
  assert.strictEqual(missing.offset, 14);
  const unknown = await fails(904, connection.execute('SELECT 1, no_such_column FROM dual'));
  assert.strictEqual(unknown.offset, 10);
  await fails(1476, connection.execute('SELECT 1/0 FROM dual'));
  await fails(1722, connection.execute("SELECT TO_NUMBER('x') FROM dual"));
  await fails(900, connection.execute('nonsense'));
  await fails(936, connection.execute('SELECT FROM dual'));
  await fails(1756, connection.execute("SELECT 'x FROM dual"));
  assert.deepStrictEqual(await one(connection, 'SELECT 1 FROM dual'), [1]);
});

check('an error costs neither cursor nor session', async function () {
  const connection = await connect();
  for (let turn = 0; turn < 400; turn++)
    await fails(942, connection.execute(`SELECT * FROM nowhere_${turn % 50}`));
  assert.deepStrictEqual(await one(connection, 'SELECT 1 FROM dual'), [1]);
});

check('more nesting than can be parsed is an error', async function () {
  const connection = await connect();
  await fails(36, connection.execute(`SELECT ${'('.repeat(3000)}1${')'.repeat(3000)} FROM dual`));
  assert.deepStrictEqual(await one(connection, 'SELECT 1 FROM dual'), [1]);
});

check('a statement may be long', async function () {
  const connection = await connect();
  const text = 'SELECT 1 /* ' + 'x'.repeat(200000) + ' */ FROM dual';
  assert.deepStrictEqual(await one(connection, text), [1]);
});

check('a statement tells about itself before it is run', async function () {
  const connection = await connect();
  const info = await connection.getStatementInfo('SELECT n, t FROM node_rows WHERE n = :wanted');
  assert.deepStrictEqual(info.bindNames, ['WANTED']);
  assert.deepStrictEqual(info.metaData.map(column => column.name), ['N', 'T']);
  assert.strictEqual(info.statementType, oracledb.STMT_TYPE_SELECT);
  await fails(942, connection.getStatementInfo('SELECT * FROM nowhere_to_be_found'));
});

check('what a session does is counted', async function () {
  const [connection, watcher] = [await connect(), await connect()];
  const [sid] = await one(connection, "SELECT SYS_CONTEXT('USERENV', 'SID') FROM dual");
  const statistic = async name => (await one(watcher, `SELECT s.value FROM v$sesstat s, v$statname n
    WHERE s.sid = :sid AND s.statistic# = n.statistic# AND n.name = :name`, { sid, name }))[0];
  const all = () => Promise.all(
    ['SQL*Net roundtrips to/from client', 'parse count (total)', 'execute count', 'opened cursors current']
      .map(statistic));
  await connection.execute('SELECT 1 FROM dual');
  const before = await all();
  for (let turn = 0; turn < 3; turn++)
    await connection.execute('SELECT 2 FROM dual');
  await connection.ping();
  const after = await all();
  assert.deepStrictEqual(after.map((value, n) => value - before[n]), [4, 1, 3, 1]);
});
