"""What operators do to many addresses at once. The command asks, calls and prints."""
