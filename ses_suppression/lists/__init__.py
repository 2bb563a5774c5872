"""Files of addresses: other services' exports, and what a mailing would do."""
