#!/bin/sh
# Make .venv in the repository's root from a Python that can do it, and install the pinned requirements.
set -eu
cd "$(dirname "$0")/../.."

# A candidate must really run (a version manager's shim may not), be new enough, and be able to make environments.
# The versions the pinned Ansible was released for come first; a newer one is better than none.
usable='
import sys, venv, ensurepip
newest = (3, int(sys.argv[1]))
sys.exit(not (3, 11) <= sys.version_info[:2] <= newest)
'
find_python() {
    for newest in 13 99; do
        for name in python3 python3.13 python3.12 python3.11 python3.14 python3.15; do
            IFS=:
            for folder in $PATH; do
                if [ -x "$folder/$name" ] && "$folder/$name" -c "$usable" "$newest" >/dev/null 2>&1; then
                    printf '%s\n' "$folder/$name"
                    return
                fi
            done
        done
    done
    return 1
}

if ! python=$(find_python); then
    echo "make: no Python >= 3.11 with its venv module was found on the PATH." >&2
    echo "Install one (for instance: apt install python3 python3-venv) and run make again." >&2
    exit 1
fi

if ! [ -x .venv/bin/python ] || ! .venv/bin/python -c "$usable" 99 >/dev/null 2>&1; then
    echo "Making .venv with $python ($("$python" --version))"
    rm -rf .venv
    "$python" -m venv .venv
fi

echo "Installing the pinned versions of tests/requirements.txt"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
