"""Build models, resume runs, run callbacks and distribute training over devices."""
