"""What task authors need: new tasks, checks, calibration, attacks."""
