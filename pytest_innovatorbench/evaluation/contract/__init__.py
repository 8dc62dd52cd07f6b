"""What a task's author writes against; seen by them as ``evaluations.base``.

It runs inside the evaluator process with the interpreter of the task, so it needs the standard
library only, any Python from 3.8 on, and as little start-up time as it can.
"""
