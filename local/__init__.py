"""The whole stack on this machine: an AWS emulator, the real `cdk deploy`, simulated mail."""
