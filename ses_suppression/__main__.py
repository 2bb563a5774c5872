"""`python -m ses_suppression`, the same as the command `ses-suppression`."""

import sys


def main() -> None:
    """Run the command line, when what it needs is installed."""
    try:
        from ses_suppression.cli.app import run  # noqa: PLC0415  # typer is an extra
    except ModuleNotFoundError as error:
        if error.name not in {"typer", "rich"}:
            raise
        sys.exit(f"error: {error.name} is not installed: pip install 'ses-suppression[cli]'")
    run()


if __name__ == "__main__":
    main()
