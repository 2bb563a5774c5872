"""Deprecated: use `ses_suppression.integrations`."""
