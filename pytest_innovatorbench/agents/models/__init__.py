"""Models that agents ask, each behind the same small protocol."""
