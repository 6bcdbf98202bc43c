"""Build hook: put what lies beside the package into it, so that an installed wheel is the whole program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BESIDE_THE_PACKAGE = ("templates", "static", "migrations", "config.py", "build/common_passwords.bin")


class Bundle(BuildHookInterface):  # type: ignore[type-arg]
    """In real wheels only: an editable install reads the checkout, where a copied bundle would go stale."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders as clinic/_bundle; refuse to build a wheel whose pages would have no style."""
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        if not (root / "static/vendor/manifest.json").exists():
            raise RuntimeError("static/vendor is empty: run `make setup` first")
        if not (root / "build/common_passwords.bin").exists():
            raise RuntimeError("the list of common passwords is missing: run `make setup` first")
        folder = root / "clinic/translations"
        if any(not one.with_suffix(".mo").exists() for one in folder.rglob("*.po")):
            raise RuntimeError("clinic/translations is not compiled: run `make setup` first")
        for name in BESIDE_THE_PACKAGE:
            build_data["force_include"][str(root / name)] = f"clinic/_bundle/{name}"
