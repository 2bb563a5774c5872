"""May I send mail to this address? An Amazon SES application-level suppression list."""
