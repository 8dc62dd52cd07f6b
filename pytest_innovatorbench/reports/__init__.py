"""Reports made from the results of attempts."""
