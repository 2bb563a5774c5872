"""Bridges to what apps are built with. Each needs its library, which is not installed with us."""
