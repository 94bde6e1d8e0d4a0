"""``python -m hiptbench.cli``."""

from hiptbench.cli import main

if __name__ == "__main__":
    main()
