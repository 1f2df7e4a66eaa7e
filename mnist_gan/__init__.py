"""A GAN that draws handwritten digits, step by step."""
