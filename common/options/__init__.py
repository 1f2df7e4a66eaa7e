"""The options of every `train.py`."""
