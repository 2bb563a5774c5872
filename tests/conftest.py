"""No test sees what belongs to a person's real accounts."""

import os
import sys
from pathlib import Path

from hypothesis import settings

from local.emulator import forget_real_accounts

forget_real_accounts()

# The Node of the virtual environment, not one that happens to be installed: jsii warns of old ones.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

# A machine may be slow or busy: how long an example takes says nothing about what is right.
settings.register_profile("suite", deadline=None, print_blob=True)
settings.load_profile("suite")

pytest_plugins = ["pytester"]
