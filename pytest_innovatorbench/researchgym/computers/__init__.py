"""Computers that an attempt works on."""
