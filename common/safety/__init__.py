"""Untrusted input: HDF5 files, model files and pictures are validated before use."""
