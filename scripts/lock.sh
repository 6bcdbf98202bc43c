#!/bin/sh
# Compute requirements/*.lock: one lock for all platforms and Pythons, with hashes, naming no host and no path.
# The runtime lock comes first and binds the others, so that tests run on the versions that are shipped.
set -eu

lock() {
    name=$1
    shift
    "$UV" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header -o "requirements/$name.lock" "$@"
}

lock runtime pyproject.toml --extra postgres
lock uv requirements/uv.in
lock node requirements/node.in
lock test requirements/test.in -c requirements/runtime.lock
lock e2e requirements/e2e.in -c requirements/runtime.lock -c requirements/test.lock
lock dev requirements/dev.in -c requirements/runtime.lock -c requirements/test.lock -c requirements/e2e.lock
"${PYTHON:-.venv/bin/python}" scripts/check_locks.py
