"""Untrusted input: arrays, HDF5, model files, pickles, pictures: validated before use."""
