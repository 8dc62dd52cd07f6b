"""The environment agents do research in: actions, observations, computers."""
