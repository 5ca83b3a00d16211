"""A check and a build from the first step to the last."""
