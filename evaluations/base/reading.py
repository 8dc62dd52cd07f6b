"""Reading what an agent wrote, which may be anything."""

from pytest_innovatorbench.evaluation.contract.reading import (
    MOST_BYTES,
    MOST_DIGITS,
    RejectedError,
    parse_number,
    read_lines,
    read_text,
)

__all__ = ["MOST_BYTES", "MOST_DIGITS", "RejectedError", "parse_number", "read_lines", "read_text"]
