"""`make acceptance`: a throw-away environment on a real account, and what it proves."""
