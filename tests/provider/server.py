"""Runs the stand-in as Terraform runs a provider: a program that says where it listens, until it is told to stop.

``python -m tests.provider.server PROVIDER VERSION``. The variable ``STAND_IN_TYPES`` may name the types that are
served, with commas: a whole schema takes Terraform seconds at each start. May not be started but by Terraform.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tf.gen import grpc_controller_pb2 as controller
from tf.gen import grpc_controller_pb2_grpc as controller_rpc
from tf.gen import grpc_stdio_pb2_grpc as stdio_rpc
from tf.gen import tfplugin_pb2_grpc as rpc

from tests.provider.served import Served
from tests.provider.servicer import Servicer

__all__ = ["TYPES_VARIABLE"]

TYPES_VARIABLE = "STAND_IN_TYPES"
PLUGIN_COOKIE = ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
"""How a plugin knows that Terraform started it (HashiCorp's handshake, the same in every version)."""
HANDSHAKE_VERSION, PROTOCOL_VERSION = 1, 6
LARGEST_BYTES = 256 << 20


class _Controller(controller_rpc.GRPCControllerServicer):  # type: ignore[misc] # generated, without types
    def __init__(self, done: Event) -> None:
        self._done = done

    def Shutdown(self, _request: object, _context: object) -> controller.Empty:  # noqa: N802
        self._done.set()
        return controller.Empty()


class _Stdio(stdio_rpc.GRPCStdioServicer):  # type: ignore[misc] # generated, without types
    def StreamStdio(self, _request: object, _context: object) -> Iterator[object]:  # noqa: N802
        return iter(())


def main(arguments: list[str]) -> int:
    """Serve until Terraform has done."""
    if os.environ.get(PLUGIN_COOKIE[0]) != PLUGIN_COOKIE[1]:
        print("This is a Terraform provider: Terraform starts it.", file=sys.stderr)  # noqa: T201
        return 1
    provider, version = arguments
    only = os.environ.get(TYPES_VARIABLE)
    done = Event()
    options = [(f"grpc.max_{way}_message_length", LARGEST_BYTES) for way in ("send", "receive")]
    server = grpc.server(ThreadPoolExecutor(8), options=options)
    served = Served(provider, version, only.split(",") if only else None)
    rpc.add_ProviderServicer_to_server(Servicer(served, done.set), server)
    controller_rpc.add_GRPCControllerServicer_to_server(_Controller(done), server)
    stdio_rpc.add_GRPCStdioServicer_to_server(_Stdio(), server)
    with tempfile.TemporaryDirectory() as folder:
        certificate, credentials = _credentials()
        server.add_secure_port(f"unix://{folder}/socket", credentials)
        server.start()
        encoded = base64.b64encode(certificate).decode().rstrip("=")
        said = (HANDSHAKE_VERSION, PROTOCOL_VERSION, "unix", f"{folder}/socket", "grpc", encoded)
        print("|".join(map(str, said)), flush=True)  # noqa: T201
        done.wait()
        server.stop(grace=0.1).wait()
    return 0


def _credentials() -> tuple[bytes, grpc.ServerCredentials]:
    """Make a certificate for this run: Terraform takes the one that it reads from standard output."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pair = (private, certificate.public_bytes(serialization.Encoding.PEM))
    return certificate.public_bytes(serialization.Encoding.DER), grpc.ssl_server_credentials([pair])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
