"""A GAN that generates handwritten digits, step by step."""
