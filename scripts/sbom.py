"""Write what the program ships to build/sbom.json: every locked package with its version and hashes, as CycloneDX 1.5.

`python scripts/sbom.py`, without a network. Python's packages come from requirements/runtime.lock, the files of
the look from package-lock.json (those for development left out).
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)", re.I)
HASHED = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def python_packages(lock: str) -> list[dict[str, Any]]:
    """One component for each line of a lock that names a package."""
    found: list[dict[str, Any]] = []
    for line in lock.splitlines():
        if named := NAMED.match(line):
            name, version = named.groups()
            found.append(component(name, version, f"pkg:pypi/{name}@{version}"))
        if found:
            found[-1]["hashes"] += [{"alg": "SHA-256", "content": one} for one in HASHED.findall(line)]
    return found


def browser_packages(lock: str) -> list[dict[str, Any]]:
    """One component for each package of npm that is shipped."""
    found = []
    for place, package in json.loads(lock)["packages"].items():
        if place and not package.get("dev"):
            name = place.removeprefix("node_modules/")
            made = component(
                name, package["version"], f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
            )
            digest = base64.b64decode(package["integrity"].removeprefix("sha512-")).hex()
            made["hashes"].append({"alg": "SHA-512", "content": digest})
            if "license" in package:
                made["licenses"] = [{"expression": package["license"]}]
            found.append(made)
    return found


def component(name: str, version: str, address: str) -> dict[str, Any]:
    """One entry, without hashes yet."""
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": address,
        "bom-ref": address,
        "hashes": [],
    }


def document() -> dict[str, Any]:
    """The whole list. The same locks give the same document, to the letter."""
    parts = python_packages((ROOT / "requirements" / "runtime.lock").read_text(encoding="utf-8"))
    parts += browser_packages((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": parts}


if __name__ == "__main__":
    target = ROOT / "build" / "sbom.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")
    print(f"{len(document()['components'])} packages are listed in {target.relative_to(ROOT)}.")
