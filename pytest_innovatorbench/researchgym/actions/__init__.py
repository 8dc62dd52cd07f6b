"""The actions that agents take, by family."""
