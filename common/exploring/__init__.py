"""The commands of `explore.py`, one module per command.

The docstring of a command's module is its `--help` text. Each of these modules has
`add_options(parser)`, and `run(subject, options, folder)`, which validates the options,
prints the results and saves the pictures.
"""
