"""boto3, Django, pytest and SNS over HTTPS."""
