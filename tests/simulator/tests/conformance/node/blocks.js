// Copyright (c) 2026 hotbackup contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// PL/SQL: anonymous blocks with binds.
'use strict';

const { assert, check, connect, fails, one, oracledb } = require('./checks');

check('blocks have binds in, out and both', async function () {
  const connection = await connect();
  const result = await connection.execute('BEGIN :out := :a * 3; :both := :both || :a; END;', {
    a: 7,
    both: { dir: oracledb.BIND_INOUT, val: 'x', maxSize: 20 },
    out: { dir: oracledb.BIND_OUT, type: oracledb.NUMBER },
  });
  assert.deepStrictEqual({ ...result.outBinds }, { out: 21, both: 'x7' });
  for (const n of [1, 2, 3]) {
    const again = await connection.execute('BEGIN :out := :a + 1; END;',
      { out: { dir: oracledb.BIND_OUT, type: oracledb.NUMBER }, a: n });
    assert.strictEqual(again.outBinds.out, n + 1);
  }
});

check('a block runs once for each row of binds', async function () {
  const connection = await connect();
  const result = await connection.executeMany('BEGIN :out := :a * 2; END;', [{ a: 1 }, { a: 2 }, { a: 3 }],
    { bindDefs: { a: { type: oracledb.NUMBER }, out: { dir: oracledb.BIND_OUT, type: oracledb.NUMBER } } });
  assert.deepStrictEqual(result.outBinds.map(each => each.out), [2, 4, 6]);
});

check('a parameter with the name of a column is itself among the VALUES', async function () {
  const connection = await connect();
  const dba = await connect({ user: 'SYS', privilege: oracledb.SYSDBA });
  await dba.execute('GRANT CREATE PROCEDURE TO app');
  await connection.execute('CREATE TABLE node_parameters (id NUMBER, content VARCHAR2(10))');
  await connection.execute(`CREATE OR REPLACE PROCEDURE node_store (id IN NUMBER, content IN OUT VARCHAR2) AS
    BEGIN
      INSERT INTO node_parameters (id, content) VALUES (ID, CONTENT);
      SELECT content || '!' INTO content FROM node_parameters;
    END;`);
  const { outBinds } = await connection.execute('BEGIN node_store(:in, :out); END;',
    { in: 7, out: { dir: oracledb.BIND_INOUT, val: 'x', type: oracledb.STRING } });
  assert.strictEqual(outBinds.out, 'x!');
  assert.deepStrictEqual(await one(connection, 'SELECT * FROM node_parameters'), [7, 'x']);
});

check('a value that its variable cannot take is an error of the call only', async function () {
  const connection = await connect();
  await fails(6502, connection.execute("BEGIN :out := 'text'; END;",
    { out: { dir: oracledb.BIND_OUT, type: oracledb.NUMBER } }));
  assert.deepStrictEqual(await one(connection, 'SELECT 1 FROM dual'), [1]);
});

check('blocks run SQL and catch errors', async function () {
  const connection = await connect();
  await connection.execute('CREATE TABLE node_block (n NUMBER PRIMARY KEY)');
  const result = await connection.execute(`
    DECLARE
      total NUMBER := 0;
    BEGIN
      FOR i IN 1 .. 5 LOOP
        INSERT INTO node_block VALUES (i);
        total := total + i;
      END LOOP;
      INSERT INTO node_block VALUES (1);
    EXCEPTION
      WHEN DUP_VAL_ON_INDEX THEN :total := total;
    END;`, { total: { dir: oracledb.BIND_OUT, type: oracledb.NUMBER } });
  assert.strictEqual(result.outBinds.total, 15);
  assert.deepStrictEqual(await one(connection, 'SELECT COUNT(*) FROM node_block'), [5]);
});

check('errors of a block have a number and a stack', async function () {
  const connection = await connect();
  const raised = await fails(20007, connection.execute(
    "BEGIN RAISE_APPLICATION_ERROR(-20007, 'not today'); END;"));
  assert.match(raised.message, /^ORA-20007: not today\nORA-06512: /);
  const unknown = await fails(6550, connection.execute('BEGIN no_such_procedure(1); END;'));
  assert.match(unknown.message, /PLS-00201/);
});
