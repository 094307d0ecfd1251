"""The runner's own subcommands."""
