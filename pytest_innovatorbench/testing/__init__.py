"""What tests of agents need, ours and third parties'."""
