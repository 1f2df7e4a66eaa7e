"""The commands of `explore.py`, a module each.

Each module's docstring is its help; it has `add_options(parser)` and
`run(subject, options, folder)`, which checks the options, prints what it found and saves
pictures.
"""
