"""One file per command; `scalefast.cli.app` lists them and loads a file only when its command is needed."""
