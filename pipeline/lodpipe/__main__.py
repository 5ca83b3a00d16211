"""`python -m lodpipe`: the command line."""

from lodpipe.commands.cli import run

if __name__ == "__main__":
    run()
