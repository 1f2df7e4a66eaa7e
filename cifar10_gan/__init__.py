"""A GAN that generates small colour photographs of ten classes, step by step."""
