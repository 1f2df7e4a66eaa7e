"""Games small enough to be understood: GANs of numbers and curves, not of images."""
