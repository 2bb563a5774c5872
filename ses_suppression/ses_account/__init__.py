"""What the account's SES holds and does: its list, its identities, its health."""
