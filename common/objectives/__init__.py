"""The objectives of `--objective`, one file each: the losses of D and G."""
