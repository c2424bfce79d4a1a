"""``python -m app.cli``: the command line where the ``relais`` script is not on the path."""

from app.cli import main

main()
