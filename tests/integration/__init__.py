"""The edges of the SDK, against moto and botocore's stubber."""
