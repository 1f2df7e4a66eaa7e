"""A GAN that draws small colour photographs of ten kinds of things, step by step."""
