"""Starting a whole installation on this machine, and keeping it up."""
