"""What Lambda hands to a handler beside the event."""

from dataclasses import dataclass


@dataclass
class Context:
    seconds: float = 30.0
    aws_request_id: str = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)
