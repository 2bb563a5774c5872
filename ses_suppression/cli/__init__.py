"""The command `ses-suppression`: what an operator uses. Thin over the package."""
