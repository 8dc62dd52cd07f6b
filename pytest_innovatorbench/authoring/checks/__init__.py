"""Rules, one small module per group."""
