"""Validate untrusted files before use: arrays, HDF5, models, pickles and pictures."""
