#!/bin/sh
# Install node-oracledb, the second client the simulated instance is tested with, into .venv/node: exactly what
# tests/simulator/clients/node/package-lock.json says. It is an extra: without Node.js, npm or its registry the tests
# that need it are skipped, and .venv/node/missing says why.
set -eu
cd "$(dirname "$0")/../.."

target=.venv/node
rm -rf "$target"
mkdir -p "$target"
cp tests/simulator/clients/node/package.json tests/simulator/clients/node/package-lock.json "$target"

missing() {
    printf '%s\n' "$1" >"$target/missing"
    echo "Without node-oracledb: $1"
    exit 0
}

command -v node >/dev/null 2>&1 || missing "Node.js is not installed"
command -v npm >/dev/null 2>&1 || missing "npm is not installed"

echo "Installing the pinned node-oracledb of tests/simulator/clients/node"
# A registry that cannot be reached must not cost minutes; the package has no build step that is needed.
npm ci --prefix "$target" --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-timeout=30000 \
    >"$target/npm.log" 2>&1 ||
    missing "npm could not install node-oracledb (see $target/npm.log; to try again: rm -r $target, make venv)"
node -e "require('./$target/node_modules/oracledb')" >>"$target/npm.log" 2>&1 ||
    missing "this Node.js cannot load node-oracledb (see $target/npm.log)"
