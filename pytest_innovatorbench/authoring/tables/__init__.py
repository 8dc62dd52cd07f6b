"""Tables of records, as outputs, references and datasets hold them, whatever the format."""

from pytest_innovatorbench.authoring.tables.files import (
    KINDS,
    MOST_BYTES,
    explain_unreadable,
    format_table,
    parse_table,
    read_table,
    write_table,
)
from pytest_innovatorbench.authoring.tables.table import ABSENT, Absent, Kind, Row, Table, number

__all__ = [
    "ABSENT",
    "KINDS",
    "MOST_BYTES",
    "Absent",
    "Kind",
    "Row",
    "Table",
    "explain_unreadable",
    "format_table",
    "number",
    "parse_table",
    "read_table",
    "write_table",
]
