"""The command line of scalefast: a thin reader and writer around the public names of the package.

`app` is the program, `commands` has one file per command, `options` and `numbers` read what people type,
`reading` reads frames, `output` writes everything.
"""
