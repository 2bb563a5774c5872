"""Starts and stops the emulator: on a free port of loopback, with IAM evaluated and TLS on."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from local.certificate import make_certificate

ACCOUNT_ID = "123456789012"

_ROOT = Path(__file__).parent.parent
# The key of the emulator's root user. The CDK CLI remembers account by key, so it is one that
# nobody else has.
_ACCESS_KEY, _SECRET_KEY = "SESSUPPRESSIONLOCAL", "of-the-emulator-on-loopback-only"
_START_SECONDS = 30.0
_ATTEMPTS = 3


class LocalError(Exception):
    """Something on this machine did not work; the message says what, and where to look."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator.

    Attributes:
        endpoint_url: where it listens.
        region: the region that it serves by default.
        environment: what a process needs in its environment to talk to it.
        folder: its files: certificate, log, state. Gone when it stops.
        process: its process.
    """

    endpoint_url: str
    region: str
    environment: Mapping[str, str]
    folder: Path
    process: subprocess.Popen[bytes]

    def client(self, service: Any, **options: Any) -> Any:  # noqa: ANN401  # boto3's own
        """Give a boto3 client of the root user, or of the credentials in the options."""
        defaults = {
            "aws_access_key_id": _ACCESS_KEY,
            "aws_secret_access_key": _SECRET_KEY,
            "region_name": self.region,
            "endpoint_url": self.endpoint_url,
            "verify": self.environment["AWS_CA_BUNDLE"],
        }
        return boto3.client(service, **(defaults | options))

    def last_words(self) -> str:
        """Give the end of what the emulator printed."""
        return _tail(self.log)

    @property
    def log(self) -> Path:
        """The file with what the emulator printed."""
        return self.folder / "emulator.log"


@contextmanager
def running_emulator(region: str, *, python: str = sys.executable) -> Iterator[Emulator]:
    """Run an emulator, and stop it and all that it started on the way out, whatever the way.

    Args:
        region: the region that it serves by default.
        python: the interpreter that runs it, and the functions in it.

    Raises:
        LocalError: it did not start.
    """
    with tempfile.TemporaryDirectory(prefix="ses-suppression-", ignore_cleanup_errors=True) as name:
        emulator = _start(Path(name), region, python)
        try:
            yield emulator
        finally:
            _stop(emulator.process)


def _start(folder: Path, region: str, python: str) -> Emulator:
    certificate, key = make_certificate(folder)
    for _ in range(_ATTEMPTS):  # somebody may take the port between the look and the start
        port = free_port()
        url = f"https://localhost:{port}"
        environment = {
            "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": url,
            "AWS_CA_BUNDLE": str(certificate),
            "NODE_EXTRA_CA_CERTS": str(certificate),
            "SSL_CERT_FILE": str(certificate),
        }
        process = _spawn(
            folder, python, port=port, environment=environment, certificate=certificate, key=key
        )
        emulator = Emulator(url, region, environment, folder, process)
        try:
            if _is_up(emulator):
                return emulator
        except BaseException:
            _stop(process)
            raise
        _stop(process)
    raise LocalError(
        f"the emulator did not start; its last words:\n{_tail(folder / 'emulator.log')}"
    )


def _spawn(
    folder: Path,
    python: str,
    *,
    port: int,
    environment: Mapping[str, str],
    certificate: Path,
    key: Path,
) -> subprocess.Popen[bytes]:
    with (folder / "emulator.log").open("ab") as log:
        return subprocess.Popen(  # our own command
            [python, "-m", "local.ministack_server"],
            cwd=_ROOT,
            env={
                **os.environ,
                **environment,
                "AUTH": "true",
                "USE_SSL": "1",
                "MINISTACK_SSL_CERT": str(certificate),
                "MINISTACK_SSL_KEY": str(key),
                "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
                "MINISTACK_REGION": environment["AWS_REGION"],
                "GATEWAY_PORT": str(port),
                "BIND_HOST": "127.0.0.1",
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                "LOG_LEVEL": "WARNING",
                "TMPDIR": str(folder),
                "S3_DATA_DIR": str(folder / "s3"),
                "STATE_DIR": str(folder / "state"),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdin=subprocess.PIPE,  # it ends when this is closed: with us
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that Ctrl-C reaches only us, and it ends when we say so
        )


_FOREIGN = ("AWS_", "CDK_", "MINISTACK", "LOCALSTACK", "POWERTOOLS_", "SUPPRESSION_")


def forget_real_accounts() -> None:
    """Take out of this process's environment what speaks of real accounts or of other emulators.

    A proxy stays, but not for loopback.
    """
    for name in list(os.environ):
        if name.startswith(_FOREIGN):
            del os.environ[name]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "localhost,127.0.0.1"


def free_port() -> int:
    """Give a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_up(emulator: Emulator) -> bool:
    trust = ssl.create_default_context(cafile=emulator.environment["AWS_CA_BUNDLE"])
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and emulator.process.poll() is None:
        try:
            with urllib.request.urlopen(  # noqa: S310  # our own URL
                f"{emulator.endpoint_url}/_ministack/health", timeout=1, context=trust
            ):
                return True
        except OSError:
            time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Close its standard input, at which it ends itself; then end what is left of its group."""
    if process.stdin:
        process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with suppress(ProcessLookupError):  # nothing is left of its group, as it should be
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
