"""The command line of scalefast: a thin reader and writer around the public names of the package.

`app` is the entry point, `program` the group of commands, `commands` has one file per command, `options` reads what
people type, `reading` reads frames, `output` writes everything, `errors` says what went wrong.
"""
