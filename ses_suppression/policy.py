"""Deprecated, and removed in the next release: use `ses_suppression.core.policy`."""

from ses_suppression.deprecation import redirect

__getattr__ = redirect(__name__, "ses_suppression.core.policy")
