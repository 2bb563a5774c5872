"""What is provisioned: one stack that composes, and one small construct a file."""
