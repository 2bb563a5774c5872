import hashlib
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.bundle import ROOT, WHEELS, bundle

DEAD = "http://127.0.0.1:9/"


def digest(folder: Path) -> str:
    """Hash every path and every byte."""
    hashed = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            hashed.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return hashed.hexdigest()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    bundle(folder)
    return folder


def test_two_builds_are_the_same_bytes(built: Path, tmp_path: Path) -> None:
    bundle(tmp_path)
    assert digest(tmp_path) == digest(built)


def test_it_needs_no_network_once_set_up(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, DEAD)
    bundle(tmp_path)
    assert digest(tmp_path) == digest(built)


def test_it_is_small_and_holds_neither_tests_nor_caches(built: Path) -> None:
    files = [path for path in built.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 5_000_000
    assert not [path for path in files if path.suffix in {".pyc", ".so"}]
    assert not (built / "ses_suppression" / "testing.py").exists()


def test_under_any_umask_everybody_can_read_what_is_uploaded(tmp_path: Path) -> None:
    """In a checkout that only its owner can read, as `umask 077; git clone` makes it."""
    checkout, asset = tmp_path / "checkout", tmp_path / "asset"
    for name in ("lambdas", "ses_suppression", "stacks"):
        shutil.copytree(ROOT / name, checkout / name)
    for path in (checkout, *checkout.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    (checkout / ".wheels").symlink_to(WHEELS)
    program = (
        "import os, sys; os.umask(0o077); from aws_cdk import App, Stack; "
        "from aws_cdk import aws_lambda as lambda_; from stacks.bundle import function_code; "
        "app = App(outdir=sys.argv[1]); lambda_.Function(Stack(app, 'S'), 'F', "
        "code=function_code(), runtime=lambda_.Runtime.PYTHON_3_14, handler='x.y'); app.synth()"
    )
    subprocess.run([sys.executable, "-c", program, str(asset)], cwd=checkout, check=True)
    modes = {
        (path.is_dir(), stat.S_IMODE(path.stat().st_mode))
        for bundled in asset.glob("asset.*")
        for path in (bundled, *bundled.rglob("*"))
    }
    assert modes == {(True, 0o755), (False, 0o644)}


@pytest.mark.parametrize(
    "module",
    [
        "lambdas.bounces",
        "lambdas.complaints",
        "lambdas.deliveries",
        "lambdas.identity_notifications",
    ],
)
def test_each_function_starts_from_the_bundle_alone(built: Path, module: str) -> None:
    """boto3 is the runtime's own; everything else has to be in the bundle."""
    site_packages = next(path for path in sys.path if path.endswith("site-packages"))
    program = (
        "import sys; sys.path[:0] = [sys.argv[1]]; sys.path.append(sys.argv[2]); "
        "import importlib; module = importlib.import_module(sys.argv[3]); "
        "assert callable(module.handler); "
        "import aws_lambda_powertools as used; assert used.__file__.startswith(sys.argv[1])"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", program, str(built), site_packages, module],
        env={
            "SUPPRESSION_TABLE_NAME": "table",
            "DEAD_LETTER_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/dead",
            "FINGERPRINT_KEY": "key",
            "SUPPRESSION_ENVIRONMENT": "dev",
            "SENDING_ACCOUNT_IDS": "123456789012",
            "AWS_DEFAULT_REGION": "eu-west-1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
