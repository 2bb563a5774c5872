"""What `doctor` looks at: each check takes an environment and yields findings."""
