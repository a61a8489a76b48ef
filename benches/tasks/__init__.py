"""One module a task of the table; each has `run() -> list[Row]`. Identifiers are those of the targets P1 to P16."""
