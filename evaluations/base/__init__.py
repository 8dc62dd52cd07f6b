"""What every evaluator is written against."""
