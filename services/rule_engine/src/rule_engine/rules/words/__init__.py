"""The words of a rule file: every key, what it says, what it takes, an example. Loader and JSON Schema both read this.

Words of the language that are not built yet stand in the `later` of their table: using one is an error that says so.
The words of a condition are in rules/conditions/, one file each.
"""
