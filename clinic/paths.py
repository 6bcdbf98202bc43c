"""Where templates/, static/, migrations/ and config.py lie.

In a checkout that is its root; in an installed wheel it is clinic/_bundle, which hatch_build.py fills.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
_BUNDLE = PACKAGE / "_bundle"
IS_CHECKOUT = not _BUNDLE.is_dir()
ROOT = PACKAGE.parent if IS_CHECKOUT else _BUNDLE
