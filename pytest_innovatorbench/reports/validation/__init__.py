"""What ``ibench validate`` shows: the same findings as text, for programs, for reviewers and for CI."""
