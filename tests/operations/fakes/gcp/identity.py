"""Who issues tokens: a service account's key file, and Google's side of it, which looks at the signature."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

__all__ = ["Issuer", "self_signed"]

AUDIENCE = "https://oauth2.googleapis.com/token"
"""Whom an assertion is for, wherever it is sent."""

MACHINE = "ya29.d.job-"
"""How the tokens of jobs begin."""

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@cache
def _key() -> rsa.RSAPrivateKey:
    """A short one: each world reads it, and checks it whole."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505


@cache
def _pem() -> str:
    return (
        _key()
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )


class Issuer:
    """Issues tokens to the holder of one key, until it is told to refuse."""

    def __init__(self, email: str, project: str) -> None:
        self.email = email
        self.project = project
        self.address = ""
        self.tokens: list[str] = []
        self.refusing = 0

    def write(self, path: Path) -> Path:
        """Write the key file that ``GOOGLE_APPLICATION_CREDENTIALS`` names."""
        info = {
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": "0123456789abcdef",
            "private_key": _pem(),
            "client_email": self.email,
            "client_id": "100000000000000000001",
            "token_uri": f"{self.address}/token",
        }
        path.write_text(json.dumps(info), encoding="utf-8")
        return path

    def secrets(self) -> tuple[str, ...]:
        """What no message may hold."""
        return (_pem(), _pem().splitlines()[1], *self.tokens)

    def token(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """Exchange a signed assertion for a token."""
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if (
            self.refusing
            or asked.get("grant_type") != GRANT
            or not self._is_signed(asked.get("assertion", ""))
        ):
            self.refusing = max(0, self.refusing - 1)
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        self.tokens.append(f"ya29.c.token-{len(self.tokens) + 1:06d}")
        return 200, {"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"}

    def machine(self, flavor: str) -> tuple[int, dict[str, Any]]:
        """Give a job on a machine of Google's the token of its service account."""
        if flavor != "Google":
            return 403, {"error": "missing Metadata-Flavor"}
        self.tokens.append(f"{MACHINE}{len(self.tokens) + 1:06d}")
        return 200, {"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"}

    def is_machine(self, header: str) -> bool:
        """Whether a token is a job's, whose project pays without being named."""
        return header.startswith(f"Bearer {MACHINE}")

    def _is_signed(self, assertion: str) -> bool:
        head, _, signature = assertion.rpartition(".")
        claims = json.loads(_bytes(head.partition(".")[2]))
        try:
            _key().public_key().verify(_bytes(signature), head.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return bool(claims["iss"] == self.email and claims["aud"] == AUDIENCE and claims["scope"])

    def knows(self, header: str) -> bool:
        """Whether a header has the token that is good now."""
        return bool(self.tokens) and header == f"Bearer {self.tokens[-1]}"

    def expire(self) -> None:
        """Let the token end, and refuse the next."""
        self.tokens.append("ya29.c.nobody-has-this")
        self.refusing += 1


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@cache
def _certificate() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "prediction")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), pem


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Write a certificate that nobody vouches for, as a private endpoint of Vertex AI has for its address."""
    certificate, key = folder / "private.crt", folder / "private.key"
    for path, content in zip((certificate, key), _certificate(), strict=True):
        path.write_bytes(content)
    return certificate, key
