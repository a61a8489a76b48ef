//! Rows on which a law is undefined: found where no parameters help, and named with the reason.

use scalefast_expr::System;

/// Fault of each row of `x`, as text; nothing where the row is fine.
fn faults(text: &str, x: &[f64], bounds: &[(&str, f64, f64)]) -> Vec<Option<String>> {
    let system = System::formula(text).unwrap_or_else(|error| panic!("{error}"));
    let found = system.undefined(&["L"], &[("x", x)], bounds);
    if found.rows.is_empty() {
        return vec![None; x.len()];
    }
    let word = |at: &Option<u32>| at.map(|at| found.faults[at as usize].to_string());
    found.rows.iter().map(word).collect()
}

#[test]
fn a_row_is_refused_where_no_parameters_give_a_value() {
    let refused = [
        (
            "a + b*log(x)",
            0.0,
            "x must be positive because the law takes log(x)",
        ),
        (
            "a + log(k*x)",
            0.0,
            "x must be positive because the law takes log(k*x)",
        ),
        (
            "a*x**(-k)",
            0.0,
            "x must be positive because the law takes x**-k",
        ),
        (
            "E + A/x**alpha",
            0.0,
            "x must be positive because the law divides by x**alpha",
        ),
        (
            "E + A/x**alpha",
            -2.0,
            "x must be zero or positive because the law takes x**alpha",
        ),
        (
            "a + b*x**c",
            -1.0,
            "x must be zero or positive because the law takes x**c",
        ),
        (
            "a*(p/x)",
            0.0,
            "x must be other than zero because the law divides by x",
        ),
        (
            "a*sqrt(x)",
            -1.0,
            "x must be zero or positive because the law takes sqrt(x)",
        ),
        (
            "a*log1p(x)",
            -1.0,
            "x must be above -1 because the law takes log1p(x)",
        ),
        (
            "a*log(1 - x)",
            3.0,
            "1 - x must be positive because the law takes log(1 - x)",
        ),
        (
            "a*x**0.5",
            -1.0,
            "x must be zero or positive because the law takes x**0.5",
        ),
        (
            "E + x**-exp(b)",
            0.0,
            "x must be positive because the law takes x**-exp(b)",
        ),
    ];
    for (text, x, expected) in refused {
        let found = faults(text, &[2.0, x, 0.5], &[]);
        assert_eq!(found[1].as_deref(), Some(expected), "{text}");
        let fine = if text.contains("1 - x") { 2 } else { 0 };
        assert_eq!(found[fine], None, "{text}");
    }
}

#[test]
fn a_row_is_kept_where_some_parameters_give_a_value() {
    let kept = [
        ("R - (R - R0)*exp(-k*x)", 0.0),
        ("a + b*x**c", 0.0),
        ("a/(1 + b*x**c)", 0.0),
        ("a*(x + e)**(-c)", 0.0),
        ("a*(x + e)**(-c)", -5.0),
        ("a*log(x - x0)", -5.0),
        ("a*x**2 + b*x**3", -5.0),
        ("a*abs(x)**c", -5.0),
        ("a*exp(b*x)/(c + x)", 0.0),
        ("max(a, b*x)", -1.0),
        ("a + b*log1p(x)", 0.0),
        ("a*x**(b - c)", 0.0),
    ];
    for (text, x) in kept {
        assert_eq!(
            faults(text, &[2.0, x, 0.5], &[]),
            [None, None, None],
            "{text}"
        );
    }
}

#[test]
fn bounds_of_parameters_decide_where_signs_are_open() {
    let x = [0.0, 1.0];
    assert!(faults("a + b*x**c", &x, &[("c", -2.0, -0.1)])[0].is_some());
    assert!(faults("a + b*x**(-c)", &x, &[("c", -2.0, -0.1)])[0].is_none());
    assert!(faults("a*log(x + e)", &[-1.0, 1.0], &[("e", -1.0, 0.0)])[0].is_some());
}

#[test]
fn rows_that_are_no_numbers_are_left_to_others() {
    assert_eq!(faults("a*log(x)", &[f64::NAN, 1.0], &[]), [None, None]);
}
