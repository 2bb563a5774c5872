"""The verdict: pure functions over plain data. No boto3, no clock, no environment."""
