// Copyright (c) 2026 hotbackup contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Every data type there and back, with NULL and the extremes: stored in a table, fetched by another session.
'use strict';

const { assert, check, connect, fails, one, oracledb } = require('./checks');

const asText = { fetchTypeHandler: () => ({ type: oracledb.STRING }) };
let tables = 0;

// Stores each value in a column of this type, commits, and fetches all of them again in order.
async function thereAndBack(type, values, { bind = {}, options = {} } = {}) {
  const table = `node_values_${++tables}`;
  const [writer, reader] = [await connect(), await connect()];
  await writer.execute(`CREATE TABLE ${table} (n NUMBER, v ${type})`);
  for (const [n, val] of values.entries())
    await writer.execute(`INSERT INTO ${table} VALUES (:1, :2)`, [n, { ...bind, val }]);
  await writer.commit();
  const { rows } = await reader.execute(`SELECT v FROM ${table} ORDER BY n`, [], options);
  return rows.map(row => row[0]);
}

async function same(type, values, how) {
  assert.deepStrictEqual(await thereAndBack(type, values, how), values);
}

check('numbers: small, negative, fractions, NULL', async function () {
  await same('NUMBER', [0, 1, -1, 10, 99, 100, 100.5, 123456789, 0.01, -0.5, -100.5, null, 1e20, 1e-20]);
});

check('numbers of 38 digits, exactly', async function () {
  const digits = ['12345678901234567890123456789012345678', '-99999999999999999999999999999999999999',
    '.00000000000000000000000000000000000001', '-1234567890123456789.0123456789012345678', '1', '-1'];
  const table = 'node_exact';
  const connection = await connect();
  await connection.execute(`CREATE TABLE ${table} (n NUMBER, v NUMBER)`);
  for (const [n, text] of digits.entries())
    await connection.execute(`INSERT INTO ${table} VALUES (${n}, TO_NUMBER(:1))`, [text]);
  const { rows } = await connection.execute(`SELECT v FROM ${table} ORDER BY n`, [], asText);
  const normal = text => text.replace(/^(-?)0?\./, '$1.');
  assert.deepStrictEqual(rows.map(row => normal(row[0])), digits.map(normal));
  const [count] = await one(connection, `SELECT COUNT(*) FROM ${table} WHERE v = ${digits[0]}`);
  assert.strictEqual(count, 1);
});

check('numbers from the smallest to the largest', async function () {
  await same('NUMBER', [1e125, -1e125, 1e-130, -1e-130, 9.99e125]);
  await fails(1426, one(await connect(), 'SELECT 1e125 * 10 FROM dual'));
});

check('numbers with a precision are rounded or refused', async function () {
  assert.deepStrictEqual(await thereAndBack('NUMBER(5,2)', [1.005, 999.994, -0.005, null]), [1.01, 999.99, -0.01, null]);
  assert.deepStrictEqual(await thereAndBack('NUMBER(3,-2)', [12345]), [12300]);
  await fails(1438, thereAndBack('NUMBER(5,2)', [1000]));
});

check('large integers come as they are wanted', async function () {
  const connection = await connect();
  const sql = 'SELECT 9007199254740993 FROM dual';
  const fetchTypeHandler = () => ({ type: oracledb.STRING });
  assert.deepStrictEqual(await one(connection, sql, [], { fetchTypeHandler }), ['9007199254740993']);
});

check('binary floating point, with infinities', async function () {
  const bind = { type: oracledb.DB_TYPE_BINARY_DOUBLE };
  await same('BINARY_DOUBLE', [0, 1.5, -1.5, 1.7976931348623157e308, 5e-324, Infinity, -Infinity, null], { bind });
  await same('BINARY_FLOAT', [0, 1.5, -1.5, 16777216, Infinity, null], { bind: { type: oracledb.DB_TYPE_BINARY_FLOAT } });
});

check('texts: empty is NULL, and characters of every width', async function () {
  assert.deepStrictEqual(
    await thereAndBack('VARCHAR2(4000)', ['a', '', null, 'äöüß', '漢字', '😀', 'x'.repeat(4000), "it's", ' pad ']),
    ['a', null, null, 'äöüß', '漢字', '😀', 'x'.repeat(4000), "it's", ' pad ']);
});

check('texts are no longer than their column in bytes', async function () {
  await fails(12899, thereAndBack('VARCHAR2(3)', ['äö']));
});

check('CHAR is filled up with blanks', async function () {
  assert.deepStrictEqual(await thereAndBack('CHAR(5)', ['ab', null, 'abcde']), ['ab   ', null, 'abcde']);
});

check('national texts', async function () {
  const bind = { type: oracledb.DB_TYPE_NVARCHAR };
  await same('NVARCHAR2(100)', ['plain', 'äöü 漢字 😀', null], { bind });
  const row = await thereAndBack('NCHAR(4)', ['é'], { bind });
  assert.deepStrictEqual(row, ['é   ']);
});

check('a text of 32,767 bytes goes there and back', async function () {
  const connection = await connect();
  for (const size of [251, 252, 253, 254, 255, 4000, 8191, 32766, 32767]) {
    const text = 'x'.repeat(size - 2) + 'é';
    const [back] = await one(connection, 'SELECT :1 FROM dual', [text]);
    assert.ok(back === text, `${size} bytes`);
  }
});

check('RAW', async function () {
  const all = Buffer.from(Array.from({ length: 256 }, (_unused, n) => n));
  await same('RAW(2000)', [Buffer.from([0]), all, Buffer.alloc(2000, 255), null]);
  await fails(12899, thereAndBack('RAW(3)', [Buffer.alloc(4)]));
});

check('dates of all times, to the second', async function () {
  const connection = await connect();
  const dates = ['4712-01-01 00:00:00', '9999-12-31 23:59:59', '1970-01-01 00:00:00', '1969-12-31 23:59:59',
    '1900-02-28 12:00:00', '2000-02-29 00:00:01', '1582-10-04 00:00:00'];
  await connection.execute('CREATE TABLE node_dates (n NUMBER, d DATE)');
  for (const [n, text] of dates.entries())
    await connection.execute("INSERT INTO node_dates VALUES (:1, TO_DATE(:2, 'YYYY-MM-DD HH24:MI:SS'))", [n, text]);
  const { rows } = await connection.execute(
    "SELECT TO_CHAR(d, 'YYYY-MM-DD HH24:MI:SS'), d FROM node_dates ORDER BY n");
  assert.deepStrictEqual(rows.map(row => row[0]), dates);
  const [, before1970] = rows[3];
  assert.deepStrictEqual(before1970, new Date(1969, 11, 31, 23, 59, 59));
  const moments = [new Date(2024, 1, 29, 23, 59, 58), new Date(1969, 6, 20), new Date(1900, 0, 1), null];
  await same('DATE', moments, { bind: { type: oracledb.DB_TYPE_DATE } });
});

check('years that are not known are refused, and cost only the call', async function () {
  const connection = await connect();
  const before = new Date(2000, 0, 1);
  before.setFullYear(-44);
  for (let turn = 0; turn < 2; turn++)
    await fails(3001, connection.execute('SELECT :1 FROM dual', [{ val: before, type: oracledb.DB_TYPE_DATE }]));
  assert.deepStrictEqual(await one(connection, 'SELECT 1 FROM dual'), [1]);
});

check('time stamps with fractions', async function () {
  const moments = [new Date(1999, 11, 31, 1, 2, 3, 456), new Date(1969, 11, 31, 23, 59, 59, 999), null];
  await same('TIMESTAMP', moments, { bind: { type: oracledb.DB_TYPE_TIMESTAMP } });
  const connection = await connect();
  const text = await one(connection,
    "SELECT TO_CHAR(TIMESTAMP '2024-02-29 12:34:56.123456', 'YYYY-MM-DD HH24:MI:SS.FF6') FROM dual");
  assert.deepStrictEqual(text, ['2024-02-29 12:34:56.123456']);
});

check('time stamps with a time zone are the same moment', async function () {
  const moments = [new Date('2024-02-29T12:34:56.789Z'), new Date('1969-12-31T23:59:59.500Z'), null];
  await same('TIMESTAMP WITH TIME ZONE', moments, { bind: { type: oracledb.DB_TYPE_TIMESTAMP_TZ } });
  await same('TIMESTAMP WITH LOCAL TIME ZONE', moments, { bind: { type: oracledb.DB_TYPE_TIMESTAMP_LTZ } });
  const connection = await connect();
  const [moment] = await one(connection, "SELECT TIMESTAMP '2020-05-06 12:38:09 +05:30' FROM dual");
  assert.deepStrictEqual(moment, new Date('2020-05-06T07:08:09Z'));
});

check('intervals', async function () {
  const connection = await connect();
  const [days] = await one(connection, "SELECT INTERVAL '3 04:00:05' DAY TO SECOND FROM dual");
  assert.deepStrictEqual([days.days, days.hours, days.minutes, days.seconds], [3, 4, 0, 5]);
  const [months] = await one(connection, "SELECT INTERVAL '-2-3' YEAR TO MONTH FROM dual");
  assert.deepStrictEqual([months.years, months.months], [-2, -3]);
  await same('INTERVAL DAY TO SECOND', [new oracledb.IntervalDS({ days: -1, hours: -2, minutes: -3, seconds: -4, fseconds: -5000 }), null],
    { bind: { type: oracledb.DB_TYPE_INTERVAL_DS } });
});

check('columns tell their type and size', async function () {
  const connection = await connect();
  await connection.execute(`CREATE TABLE node_described (a NUMBER, b NUMBER(10,2) NOT NULL, c VARCHAR2(30),
    d CHAR(3), e DATE, f TIMESTAMP(3), g RAW(16), h CLOB, i BLOB, j BINARY_DOUBLE, k NVARCHAR2(7))`);
  const { metaData } = await connection.execute('SELECT * FROM node_described');
  const seen = metaData.map(({ name, dbTypeName, byteSize, precision, scale, nullable }) =>
    [name, dbTypeName, byteSize ?? precision ?? null, scale ?? null, nullable]);
  assert.deepStrictEqual(seen, [
    ['A', 'NUMBER', 0, -127, true], ['B', 'NUMBER', 10, 2, false], ['C', 'VARCHAR2', 30, null, true],
    ['D', 'CHAR', 3, null, true], ['E', 'DATE', null, null, true], ['F', 'TIMESTAMP', 3, null, true],
    ['G', 'RAW', 16, null, true], ['H', 'CLOB', null, null, true], ['I', 'BLOB', null, null, true],
    ['J', 'BINARY_DOUBLE', null, null, true], ['K', 'NVARCHAR2', 7, null, true],
  ]);
});

check('NULL has every type', async function () {
  const connection = await connect();
  for (const type of [oracledb.STRING, oracledb.NUMBER, oracledb.DATE, oracledb.BUFFER, oracledb.CLOB])
    assert.deepStrictEqual(await one(connection, 'SELECT :1 FROM dual', [{ type, val: null }]), [null]);
  assert.deepStrictEqual(await one(connection, 'SELECT NULL, 1 FROM dual'), [null, 1]);
});
