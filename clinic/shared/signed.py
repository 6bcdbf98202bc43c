"""Keys in links that are signed and kept nowhere: they say whose they are, and only this clinic can make them.

A link in a mail is pressed years later. When a key of the clinic is dropped, the key file keeps for each purpose what
was made of it for signing. That opens links, and nothing that was sealed: the dropped key cannot be worked out from it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from clinic.shared import crypto

STOP, VISIT = PURPOSES = ("stop", "visit")
"""A mail's link that stops messages of its kind, and the one to a visit's own page in a reminder."""


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
    """The current key of the clinic signs, and what older ones signed opens."""
    ring = crypto.ring()
    older = [_made_of(key, purpose) for name, key in sorted(ring.keys.items()) if name != ring.current]
    return URLSafeSerializer(
        [*ring.links.get(purpose, []), *older, _made_of(ring.keys[ring.current], purpose)],
        signer_kwargs={"key_derivation": "none", "digest_method": hashlib.sha256},
    )


def outliving(ring: crypto.KeyRing, gone: Collection[str]) -> dict[str, list[bytes]]:
    """What still opens the links that were mailed, by purpose, when the keys with these names go from this ring."""
    made = {purpose: [_made_of(ring.keys[name], purpose) for name in sorted(gone)] for purpose in PURPOSES}
    return {purpose: [*ring.links.get(purpose, []), *made[purpose]] for purpose in PURPOSES}


def _made_of(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, purpose.encode(), "sha256")
