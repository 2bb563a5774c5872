"""The table: what is read from DynamoDB and written to it."""
