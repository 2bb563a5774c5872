"""The pure core: milliseconds, no mocks."""
