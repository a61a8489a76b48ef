//! Every kind of formula error, as a person sees it.

use scalefast_expr::System;

fn shown(text: &str) -> (&'static str, String) {
    match System::formula(text) {
        Ok(_) => panic!("`{text}` was accepted"),
        Err(error) => (error.code, error.to_string()),
    }
}

#[track_caller]
fn assert_error(text: &str, code: &str, lines: &[&str]) {
    let (actual_code, display) = shown(text);
    assert_eq!(display.lines().collect::<Vec<_>>(), lines);
    assert_eq!(actual_code, code);
}

#[test]
fn each_error_shows_the_place_and_the_remedy() {
    assert_error(
        " \n ",
        "empty-formula",
        &[
            "the formula is empty",
            "hint: write something like E + A/N**alpha",
        ],
    );
}
