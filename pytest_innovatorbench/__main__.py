"""``python -m pytest_innovatorbench`` is ``ibench``."""

from pytest_innovatorbench.cli import main

if __name__ == "__main__":
    main()
