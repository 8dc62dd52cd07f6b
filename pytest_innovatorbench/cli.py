"""The `ibench` command."""

def main() -> None:
    """Run the command."""
