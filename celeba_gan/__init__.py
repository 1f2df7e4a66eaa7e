"""A GAN that draws faces, or whatever is in your own pictures."""
