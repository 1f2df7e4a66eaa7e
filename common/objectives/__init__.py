"""The objectives of `--objective`, one file each: what D and G minimize."""
