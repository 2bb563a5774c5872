"""Deprecated, and removed in the next release: use `ses_suppression.core.policy`."""

from ses_suppression.deprecation import moved

__getattr__ = moved(__name__, "ses_suppression.core.policy")
