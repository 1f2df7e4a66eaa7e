"""What training needs around the step: building, callbacks, resuming, devices."""
