"""`python -m app`: the command `vestka`."""

from app.cli.parser import main

if __name__ == "__main__":
    main()
