"""A GAN that generates faces, or images like your own pictures, step by step."""
