"""What the folders share: the adversarial step, and the services around it."""
