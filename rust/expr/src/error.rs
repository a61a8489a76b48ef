//! What is wrong with a formula, said to a person: a message, the text, a caret, a hint.
//!
//! Used by every stage of this crate. In: a byte range of a text; out: an error whose `Display` is
//! ready for a terminal. Codes are kebab-case and stable; messages may be reworded.

use std::fmt;

/// Characters of the formula that are shown around the fault when the text is long.
const WINDOW: usize = 72;

/// An error in a formula, or in how its symbols are bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormulaError {
    /// Stable kebab-case name of the kind of error, such as `unknown-function`.
    pub code: &'static str,
    /// One sentence without the final stop.
    pub message: String,
    /// The formula, when the error belongs to a place in a text.
    pub text: Option<String>,
    /// Byte range of the fault inside `text`.
    pub span: Option<(usize, usize)>,
    /// What to type instead.
    pub hint: Option<String>,
}

impl FormulaError {
    /// An error without a place in a text.
    pub fn new(code: &'static str, message: impl Into<String>) -> FormulaError {
        FormulaError {
            code,
            message: message.into(),
            text: None,
            span: None,
            hint: None,
        }
    }

    /// The same error at the byte range `start..end` of `text`.
    pub fn at(self, text: &str, start: usize, end: usize) -> FormulaError {
        FormulaError {
            text: Some(text.to_owned()),
            span: Some((start, end)),
            ..self
        }
    }

    /// The same error with a hint.
    pub fn hint(self, hint: impl Into<String>) -> FormulaError {
        FormulaError {
            hint: Some(hint.into()),
            ..self
        }
    }
}

impl fmt::Display for FormulaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let (Some(text), Some((start, end))) = (&self.text, self.span) {
            let (line, caret) = excerpt(text, start, end);
            write!(f, "\n  {line}\n  {caret}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for FormulaError {}

/// The part of `text` around the byte range and a line of carets below it, of equal indentation.
///
/// Offsets that lie outside the text or inside a character are moved to the nearest boundary, so
/// that no error can fail to be shown.
fn excerpt(text: &str, start: usize, end: usize) -> (String, String) {
    let characters: Vec<char> = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let position = |offset: usize| text.char_indices().take_while(|(i, _)| *i < offset).count();
    let first = position(start).min(characters.len());
    let last = position(end).clamp(first, characters.len());

    let fault = (last - first).clamp(1, WINDOW / 2);
    let margin = (WINDOW - fault) / 2;
    let mut from = first.saturating_sub(margin);
    let to = (from + WINDOW).min(characters.len());
    from = to.saturating_sub(WINDOW).min(from);

    let before = if from > 0 { "…" } else { "" };
    let after = if to < characters.len() { "…" } else { "" };
    let shown: String = characters[from..to].iter().collect();
    let indent = " ".repeat(first - from + before.chars().count());
    let caret = "^".repeat(fault.min((to - first).max(1)));
    (
        format!("{before}{shown}{after}"),
        format!("{indent}{caret}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, start: usize, end: usize) -> Vec<String> {
        let error = FormulaError::new("example", "message").at(text, start, end);
        error.to_string().lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_caret_stands_below_the_fault() {
        assert_eq!(shown("a ^ b", 2, 3), ["message", "  a ^ b", "    ^"]);
        assert_eq!(shown("α + ?x", 5, 6), ["message", "  α + ?x", "      ^"]);
        assert_eq!(shown("a +", 3, 3), ["message", "  a +", "     ^"]);
    }

    #[test]
    fn a_long_text_is_cut_around_the_fault() {
        let text = format!("{}?{}", "a+".repeat(500), "+b".repeat(500));
        let lines = shown(&text, 1000, 1001);
        let column = lines[2].chars().position(|c| c == '^');
        let fault = lines[1].chars().position(|c| c == '?');
        assert_eq!(column, fault);
        assert!(lines[1].chars().count() <= WINDOW + 4);
    }

    #[test]
    fn offsets_outside_the_text_are_still_shown() {
        assert_eq!(shown("ab", 9, 12), ["message", "  ab", "    ^"]);
        assert_eq!(shown("é", 1, 1), ["message", "  é", "   ^"]);
        assert_eq!(shown("", 0, 0), ["message", "  ", "  ^"]);
    }
}
