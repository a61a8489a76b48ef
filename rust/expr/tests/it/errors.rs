//! Every kind of formula error, as a person sees it.
//!
//! Longer than the rule, because the messages are a table.

use scalefast_expr::{FormulaError, System};

#[track_caller]
fn assert_error(text: &str, code: &str, lines: &[&str]) {
    let Err(error) = System::formula(text) else {
        panic!("`{text}` was accepted");
    };
    let display = error.to_string();
    assert_eq!(display.lines().collect::<Vec<_>>(), lines);
    assert_eq!(error.code, code);
}

#[test]
fn operators() {
    assert_error(
        "E + A/N^alpha",
        "caret-power",
        &[
            "`^` is not an operator of the formula language",
            "  E + A/N^alpha",
            "         ^",
            "hint: powers are written `**`, as in N**alpha",
        ],
    );
    assert_error(
        "E + A/N**",
        "dangling-operator",
        &[
            "`**` has nothing on its right",
            "  E + A/N**",
            "         ^^",
            "hint: write what stands on the right of `**`, or remove it",
        ],
    );
    assert_error(
        "E + * A",
        "dangling-operator",
        &[
            "`*` has nothing on its left",
            "  E + * A",
            "      ^",
            "hint: write what stands on the left of `*`, or remove it",
        ],
    );
    assert_error(
        "(a + ) * b",
        "dangling-operator",
        &[
            "`+` has nothing on its right",
            "  (a + ) * b",
            "     ^",
            "hint: write what stands on the right of `+`, or remove it",
        ],
    );
    assert_error(
        "N // D",
        "dangling-operator",
        &[
            "`//` is not an operator of the formula language",
            "  N // D",
            "     ^",
            "hint: a quotient is written with one `/`",
        ],
    );
}

#[test]
fn implicit_multiplication() {
    assert_error(
        "2N",
        "missing-operator",
        &[
            "there is no operator between `2` and `N`",
            "  2N",
            "  ^^",
            "hint: if a product is meant, write 2*N",
        ],
    );
    assert_error(
        "6 * N D",
        "missing-operator",
        &[
            "there is no operator between `N` and `D`",
            "  6 * N D",
            "      ^^^",
            "hint: if a product is meant, write N*D",
        ],
    );
    assert_error(
        "70B/N",
        "missing-operator",
        &[
            "there is no operator between `70` and `B`",
            "  70B/N",
            "  ^^^",
            "hint: write 70e9 for the number, 70*B for the product",
        ],
    );
    assert_error(
        "1_000",
        "missing-operator",
        &[
            "there is no operator between `1` and `_000`",
            "  1_000",
            "  ^^^^^",
            "hint: digits are written without separators, as in 1000 or 1e3",
        ],
    );
    assert_error(
        "(a)(b)",
        "missing-operator",
        &[
            "there is no operator between `)` and `(`",
            "  (a)(b)",
            "    ^^",
            "hint: if a product is meant, write `*`",
        ],
    );
}

#[test]
fn functions() {
    assert_error(
        "sqr(N)",
        "unknown-function",
        &[
            "there is no function named `sqr`",
            "  sqr(N)",
            "  ^^^",
            "hint: did you mean `sqrt`?",
        ],
    );
    assert_error(
        "pow(N, 2)",
        "unknown-function",
        &[
            "there is no function named `pow`",
            "  pow(N, 2)",
            "  ^^^",
            "hint: write x**y",
        ],
    );
    assert_error(
        "N(D + 1)",
        "unknown-function",
        &[
            "there is no function named `N`",
            "  N(D + 1)",
            "  ^",
            "hint: if a product is meant, write N*(…)",
        ],
    );
    assert_error(
        "2*exp",
        "function-without-arguments",
        &[
            "`exp` is a function and needs its arguments",
            "  2*exp",
            "    ^^^",
            "hint: write exp(x); a symbol of that name goes in backquotes",
        ],
    );
    assert_error(
        "1 + min(a)",
        "wrong-argument-count",
        &[
            "`min` takes two arguments or more, not 1",
            "  1 + min(a)",
            "      ^^^^^^",
            "hint: write min(x, y)",
        ],
    );
    assert_error(
        "exp(a, b)",
        "wrong-argument-count",
        &[
            "`exp` takes one argument, not 2",
            "  exp(a, b)",
            "  ^^^^^^^^^",
            "hint: write exp(x)",
        ],
    );
    assert_error(
        "max(a,, b)",
        "missing-operand",
        &[
            "an argument is missing before this",
            "  max(a,, b)",
            "        ^",
            "hint: arguments are separated by single commas",
        ],
    );
    assert_error(
        "exp()",
        "missing-operand",
        &[
            "there is nothing between these parentheses",
            "  exp()",
            "      ^",
            "hint: write an expression between them, or remove them",
        ],
    );
}

#[test]
fn parentheses_and_commas() {
    assert_error(
        "E + A/(N**alpha",
        "unbalanced-parenthesis",
        &[
            "this `(` is never closed",
            "  E + A/(N**alpha",
            "        ^",
            "hint: add the `)` that it needs",
        ],
    );
    assert_error(
        "E + A/N)**alpha",
        "unbalanced-parenthesis",
        &[
            "this `)` closes nothing",
            "  E + A/N)**alpha",
            "         ^",
            "hint: remove it, or add the `(` that it belongs to",
        ],
    );
    assert_error(
        "1,5*N",
        "misplaced-comma",
        &[
            "a comma has a meaning only between the arguments of a function",
            "  1,5*N",
            "   ^",
            "hint: numbers have a decimal point and no separators of thousands",
        ],
    );
}

#[test]
fn numbers() {
    assert_error(
        "2 * 1e999",
        "number-too-large",
        &[
            "`1e999` is too large for a number",
            "  2 * 1e999",
            "      ^^^^^",
            "hint: numbers go up to 1.8e308",
        ],
    );
    assert_error(
        "1e-999",
        "number-too-small",
        &[
            "`1e-999` is too small for a number other than zero",
            "  1e-999",
            "  ^^^^^^",
            "hint: numbers go down to 5e-324",
        ],
    );
    assert_error(
        "1.2.3",
        "bad-number",
        &["`1.2.3` has two decimal points", "  1.2.3", "  ^^^^^"],
    );
    assert_error(
        "a + .",
        "bad-number",
        &[
            "a point without digits is not a number",
            "  a + .",
            "      ^",
        ],
    );
    assert_error(
        "1e*N",
        "missing-operator",
        &[
            "there is no operator between `1` and `e`",
            "  1e*N",
            "  ^^",
            "hint: write 1e9 for a power of ten, 1*e for the product",
        ],
    );
}

#[test]
fn characters() {
    assert_error(
        "A/N**α",
        "unexpected-character",
        &[
            "`α` has no meaning in a formula",
            "  A/N**α",
            "       ^",
            "hint: write `alpha`",
        ],
    );
    assert_error(
        "6×N",
        "unexpected-character",
        &[
            "`×` has no meaning in a formula",
            "  6×N",
            "   ^",
            "hint: write `*`",
        ],
    );
    assert_error(
        "L = E",
        "unexpected-character",
        &[
            "`=` has no meaning in a formula",
            "  L = E",
            "    ^",
            "hint: give the right-hand side alone, as in E + A/N**alpha",
        ],
    );
    assert_error(
        "参数",
        "unexpected-character",
        &[
            "`参` has no meaning in a formula",
            "  参数",
            "  ^",
            "hint: names are made of a-z, A-Z, 0-9, `_` and `.`; any other name goes in backquotes",
        ],
    );
    assert_error(
        "a\u{1b}[2J",
        "unexpected-character",
        &["`\\u{1b}` has no meaning in a formula", "  a [2J", "   ^"],
    );
    assert_error(
        "`eval/loss",
        "unclosed-quote",
        &[
            "this backquote is never closed",
            "  `eval/loss",
            "  ^",
            "hint: a name in backquotes ends with a second backquote",
        ],
    );
    assert_error(
        "1 + ``",
        "empty-name",
        &[
            "there is no name between the backquotes",
            "  1 + ``",
            "      ^^",
        ],
    );
}

#[test]
fn sizes() {
    assert_error(
        " \n ",
        "empty-formula",
        &[
            "the formula is empty",
            "hint: write something like E + A/N**alpha",
        ],
    );
    assert_error(
        &"x".repeat(100_000),
        "formula-too-long",
        &[
            "the formula has 100000 characters; at most 10000 are read",
            "hint: give repeated parts a name of their own in the definitions",
        ],
    );
    let deep = "(".repeat(4000) + "x" + &")".repeat(4000);
    let Err(error) = System::formula(&deep) else {
        panic!("4000 parentheses were accepted");
    };
    assert_eq!(error.code, "formula-too-deep");
    assert_eq!(error.span, Some((200, 201)));
}

fn code(outputs: &[(&str, &str)], definitions: &[(&str, &str)]) -> (&'static str, String) {
    match System::parse(outputs, definitions) {
        Ok(_) => panic!("{definitions:?} was accepted"),
        Err(FormulaError { code, message, .. }) => (code, message),
    }
}

#[test]
fn definitions_and_outputs() {
    let formula = [("L", "a + b")];
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: [Case; 7] = [
        (
            &[("a", "b"), ("b", "1")],
            "definition-order",
            "in the definition of `a`: `b` is used before it is defined",
        ),
        (
            &[("a", "a + 1")],
            "circular-definition",
            "in the definition of `a`: `a` is used in its own definition",
        ),
        (
            &[("a", "1"), ("a", "2")],
            "duplicate-definition",
            "`a` is defined twice",
        ),
        (
            &[("exp", "1")],
            "bad-definition-name",
            "the definition `exp` is the name of a function",
        ),
        (
            &[("pi", "3")],
            "bad-definition-name",
            "the definition `pi` is the constant 3.14159…",
        ),
        (
            &[("2a", "3")],
            "bad-definition-name",
            "the definition `2a` is not a name: names are made of letters, digits, `_` and `.`",
        ),
        (
            &[("a", "1 +")],
            "dangling-operator",
            "in the definition of `a`: `+` has nothing on its right",
        ),
    ];
    for (definitions, expected, message) in cases {
        assert_eq!(code(&formula, definitions), (expected, message.to_owned()));
    }
    assert_eq!(code(&[], &[]).0, "no-output");
    assert_eq!(code(&[("N", "C"), ("N", "C")], &[]).0, "duplicate-output");
    assert_eq!(
        code(&[("N", "C"), ("D", "C^2")], &[]).1,
        "in the formula of `D`: `^` is not an operator of the formula language"
    );
}
