"""One law: found, evaluated, written as an expression, kept in a file."""
