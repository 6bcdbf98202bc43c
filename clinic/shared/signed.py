"""Keys in links that are signed and kept nowhere: they say whose they are, and only this clinic can make them."""

from __future__ import annotations

import hashlib
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from clinic.shared import crypto


def sign(purpose: str, values: list[Any]) -> str:
    """The values as a key for a link; one made for another purpose does not open it."""
    return str(_signer(purpose).dumps(values))


def opened(purpose: str, key: str) -> list[Any] | None:
    """The values that this key was made of; None for any other text."""
    try:
        return list(_signer(purpose).loads(key))
    except (BadData, TypeError):
        return None


def _signer(purpose: str) -> URLSafeSerializer:
    """What an older key of the clinic signed opens for as long as that key is kept."""
    ring = crypto.ring()
    older = [key for name, key in sorted(ring.keys.items()) if name != ring.current]
    return URLSafeSerializer(
        [*older, ring.keys[ring.current]],
        salt=purpose,
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
