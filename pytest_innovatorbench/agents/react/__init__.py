"""The ReAct agent: a model that acts, observes and goes on until its work or its budget ends."""
