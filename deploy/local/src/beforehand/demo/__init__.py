"""A small shop's bad day, played against a running installation, and a verdict on what its customers were told."""
