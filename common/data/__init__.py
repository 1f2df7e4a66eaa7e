"""Real images: where they lie, how they are read, in which order they come."""
