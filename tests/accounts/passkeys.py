"""A passkey in Python: what a phone would make and sign, to try the server without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    """As browsers write bytes in JSON."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Phone:
    """One passkey, its counter, and whether it asked for its PIN. What it says can be changed to try the server."""

    origin: str = "http://localhost"
    host: str = "localhost"
    counter: int = 0
    asks_pin: bool = True
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    handle: bytes = b""

    def make(self, options: Any) -> str:
        """Answer to the options for a new passkey."""
        return self.make_of(self.public(), options)

    def public(self) -> Any:
        """The public half, as it is written in CBOR."""
        numbers = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}

    def make_of(self, public: Any, options: Any) -> str:
        """The same with this for the public half."""
        self.handle = base64.urlsafe_b64decode(options["user"]["id"] + "==")
        attested = (
            bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cbor2.dumps(public)
        )
        made = {"fmt": "none", "attStmt": {}, "authData": self._state(ATTESTED) + attested}
        return self._answer(
            {
                "clientDataJSON": b64(self._client("webauthn.create", options)),
                "attestationObject": b64(cbor2.dumps(made)),
            }
        )

    def sign(self, options: Any) -> str:
        """Answer to the options for signing."""
        self.counter += 1
        state, client = self._state(), self._client("webauthn.get", options)
        signed = self.key.sign(state + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": b64(client),
                "authenticatorData": b64(state),
                "signature": b64(signed),
                "userHandle": b64(self.handle),
            }
        )

    def _state(self, more: int = 0) -> bytes:
        flags = USER_PRESENT | (USER_VERIFIED if self.asks_pin else 0) | more
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + struct.pack(">I", self.counter)

    def _client(self, kind: str, options: Any) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(said).encode()

    def _answer(self, response: dict[str, str]) -> str:
        name = b64(self.credential_id)
        return json.dumps(
            {
                "id": name,
                "rawId": name,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
            }
        )
