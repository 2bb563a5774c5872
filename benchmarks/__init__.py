"""Side by side with what a user would otherwise write: ratios of one run on one machine."""
