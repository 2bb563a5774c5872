"""The chaos run: a flood of feedback, redelivered and shuffled, while everything fails in turn."""
