// Copyright (c) 2026 hotbackup contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// What the scripts with checks share: the database's address and passwords, connections, expected errors.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const util = require('node:util');
const oracledb = require('oracledb');

const LIMIT_MS = 120000;

// {connectString, passwords: {USER: password}}
const settings = JSON.parse(fs.readFileSync(0, 'utf8'));
const registered = [];
let script;

// Registers a check. What it opens with connect() is closed behind it.
function check(name, run) {
  registered.push({ script, name, run });
}

let opened = [];

async function connect(options = {}) {
  const user = options.user || 'APP';
  const connection = await oracledb.getConnection({
    user, password: settings.passwords[user], connectString: settings.connectString, ...options,
  });
  opened.push(connection);
  return connection;
}

// The first row of a query.
async function one(connection, sql, binds = [], options = {}) {
  const result = await connection.execute(sql, binds, options);
  return result.rows[0];
}

// The error that must come, with this Oracle error number or this code of the driver's ('NJS-123').
async function fails(expected, promise) {
  try {
    await promise;
  } catch (error) {
    const key = typeof expected === 'number' ? error.errorNum : error.code;
    assert.strictEqual(key, expected, `another error: ${error.stack}`);
    return error;
  }
  return assert.fail(`no error instead of ${expected}`);
}

// Waits until a condition holds; the check's own limit ends it.
async function until(condition) {
  while (!await condition())
    await new Promise(resolve => setTimeout(resolve, 20));
}

// Tells the test that started this process that it may do its part.
function ready() {
  process.stdout.write('{"ready": true}\n');
}

async function runOne(entry) {
  let timer;
  const limit = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`did not end within ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  let problem = null;
  opened = [];
  try {
    await Promise.race([entry.run(), limit]);
  } catch (error) {
    problem = util.inspect(error).slice(0, 4000);
  }
  clearTimeout(timer);
  for (const connection of opened) {
    // Many checks end their connections themselves, or have them ended.
    await Promise.race([connection.close().catch(() => null), limit.catch(() => null)]);
  }
  process.stdout.write(JSON.stringify({ script: entry.script, check: entry.name, problem }) + '\n');
}

async function runAll(scripts) {
  for (script of scripts)
    require(`./${script}`);
  for (const entry of registered)
    await runOne(entry);
}

module.exports = { assert, check, connect, fails, one, oracledb, ready, runAll, settings, until };
