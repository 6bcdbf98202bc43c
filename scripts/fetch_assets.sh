#!/bin/sh
# Fetch the packages of package-lock.json and copy the few files we use into static/vendor and build.
# Uses npm where there is one; otherwise Node comes as a Python package and goes away again afterwards.
set -eu

fetch() {
    npm ci --no-fund --no-audit --loglevel=error >/dev/null
}

fetch_with_node_wheel() {
    echo "No usable npm here: fetching Node for the moment …"
    "$UV" venv --quiet --clear --python "$PYTHON" .venv-node
    "$UV" pip install --quiet --python .venv-node/bin/python --require-hashes -r requirements/node.lock
    (PATH="$PWD/.venv-node/bin:$PATH" && export PATH && fetch)
}

trap 'rm -rf .venv-node node_modules' EXIT
if ! { command -v npm >/dev/null 2>&1 && fetch; }; then
    fetch_with_node_wheel
fi
"$PYTHON" -m scripts.password_list node_modules
"$PYTHON" scripts/vendor_assets.py node_modules static/vendor build/axe
