"""Find, read, validate and batch the real images."""
