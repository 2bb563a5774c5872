"""The deployed stack, on the emulator: the real app, the real bundle, IAM evaluated, TLS on."""
