"""No test sees what belongs to a person's real accounts."""

from hypothesis import settings

from local.emulator import forget_real_accounts

forget_real_accounts()

# A machine may be slow or busy: how long an example takes says nothing about what is right.
settings.register_profile("suite", deadline=None, print_blob=True)
settings.load_profile("suite")

pytest_plugins = ["pytester"]
