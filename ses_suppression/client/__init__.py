"""What an app asks before it sends."""
