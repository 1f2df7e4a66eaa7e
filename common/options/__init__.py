"""Define, parse and validate the options of every `train.py`."""
