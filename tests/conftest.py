"""No test sees what belongs to a person's real accounts."""

from local.emulator import forget_real_accounts

forget_real_accounts()

pytest_plugins = ["pytester"]
