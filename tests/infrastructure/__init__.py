"""The template, the configuration and the bundle."""
