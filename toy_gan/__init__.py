"""GANs of numbers and of points in the plane, small enough to be understood."""
