"""Snapshots of workspaces, each piece of content kept once.

`Store` is all there is to use; the rest are the values that it returns.
"""

from pytest_innovatorbench.researchgym.snapshots.aside import discard_aside
from pytest_innovatorbench.researchgym.snapshots.model import Change, Entry, Mark, Pruned, Restored, Snapshot
from pytest_innovatorbench.researchgym.snapshots.store import Store

__all__ = ["Change", "Entry", "Mark", "Pruned", "Restored", "Snapshot", "Store", "discard_aside"]
