// Copyright (c) 2026 hotbackup contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// CLOB and BLOB: as streams, as values, and temporary ones.
'use strict';

const { assert, check, connect, one, oracledb } = require('./checks');

const SIZES = [1, 4000, 32767, 32768, 200000];
const text = size => 'äb😀'.repeat((size - 1) / 4).padEnd(size, 'z');
const bytes = size => Buffer.from(Array.from({ length: size }, (_unused, n) => n * 7 % 256));

async function stored(type, make, bindType) {
  const connection = await connect();
  const table = `node_${type.toLowerCase()}`;
  await connection.execute(`CREATE TABLE ${table} (n NUMBER, v ${type})`);
  for (const size of SIZES)
    await connection.execute(`INSERT INTO ${table} VALUES (:1, :2)`, [size, { val: make(size), type: bindType }]);
  await connection.execute(`INSERT INTO ${table} VALUES (0, NULL)`);
  await connection.commit();
  return [connection, `SELECT v FROM ${table} WHERE n = :1`];
}

async function streamed(lob) {
  const pieces = [];
  for await (const piece of lob)
    pieces.push(piece);
  const whole = Buffer.concat(pieces);
  return lob.type === oracledb.CLOB ? whole.toString() : whole;
}

check('a CLOB is read as a stream and as a text', async function () {
  const [connection, sql] = await stored('CLOB', text, oracledb.STRING);
  for (const size of SIZES) {
    const [lob] = await one(connection, sql, [size]);
    assert.strictEqual(lob.type, oracledb.CLOB);
    assert.strictEqual(lob.length, size);
    assert.ok(await streamed(lob) === text(size), `streamed, ${size}`);
    const fetchInfo = { V: { type: oracledb.STRING } };
    assert.ok((await one(connection, sql, [size], { fetchInfo }))[0] === text(size), `as a value, ${size}`);
  }
  assert.deepStrictEqual(await one(connection, sql, [0]), [null]);
});

check('a BLOB is read as a stream and as a buffer', async function () {
  const [connection, sql] = await stored('BLOB', bytes, oracledb.BUFFER);
  for (const size of SIZES) {
    const [lob] = await one(connection, sql, [size]);
    assert.strictEqual(lob.length, size);
    assert.ok(bytes(size).equals(await streamed(lob)), `streamed, ${size}`);
    const fetchInfo = { V: { type: oracledb.BUFFER } };
    assert.ok(bytes(size).equals((await one(connection, sql, [size], { fetchInfo }))[0]), `as a value, ${size}`);
  }
  assert.deepStrictEqual(await one(connection, sql, [0]), [null]);
});

check('a temporary LOB is written, bound and stored', async function () {
  const connection = await connect();
  await connection.execute('CREATE TABLE node_temporary (v CLOB)');
  const lob = await connection.createLob(oracledb.CLOB);
  await new Promise((resolve, reject) => {
    lob.on('error', reject);
    lob.on('finish', resolve);
    lob.write('first, ');
    lob.end(text(50000));
  });
  await connection.execute('INSERT INTO node_temporary VALUES (:1)', [lob]);
  await lob.close();
  await connection.commit();
  const [content] = await one(connection, 'SELECT v FROM node_temporary', [],
    { fetchInfo: { V: { type: oracledb.STRING } } });
  assert.ok(content === 'first, ' + text(50000));
});

check('a LOB of a locked row is written in place', async function () {
  const connection = await connect();
  await connection.execute('CREATE TABLE node_written (v BLOB)');
  await connection.execute('INSERT INTO node_written VALUES (EMPTY_BLOB())', [], { autoCommit: true });
  const [lob] = await one(connection, 'SELECT v FROM node_written FOR UPDATE');
  await new Promise((resolve, reject) => {
    lob.on('error', reject);
    lob.on('finish', resolve);
    lob.end(bytes(70000));
  });
  await connection.commit();
  const [content] = await one(await connect(), 'SELECT v FROM node_written', [],
    { fetchInfo: { V: { type: oracledb.BUFFER } } });
  assert.ok(bytes(70000).equals(content));
});

check('parts of a LOB are read', async function () {
  const connection = await connect();
  const [lob] = await one(connection, 'SELECT v FROM node_blob WHERE n = 32768');
  assert.deepStrictEqual(await lob.getData(100, 50), bytes(32768).subarray(99, 149));
  await lob.close();
});
