"""What the local inbox and the local phone have in common: how they keep, serve and show what they receive."""
