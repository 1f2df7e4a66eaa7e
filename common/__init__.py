"""What the folders share: the adversarial step, and the services around it."""

import os

# TensorFlow reads this when it is imported. On most processors it would leave oneDNN off,
# and take 1.3 to 2.8 times as long. Results differ by rounding.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
