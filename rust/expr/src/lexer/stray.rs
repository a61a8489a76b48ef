//! Characters that have no place in a formula, and what people mean by them.

use crate::error::FormulaError;

/// The error for a character that begins no token.
pub(super) fn error(text: &str, start: usize, character: char) -> FormulaError {
    let end = start + character.len_utf8();
    if character == '^' {
        return FormulaError::new(
            "caret-power",
            "`^` is not an operator of the formula language",
        )
        .at(text, start, end)
        .hint("powers are written `**`, as in N**alpha");
    }
    let printable = if character.is_control() {
        character.escape_unicode().to_string()
    } else {
        character.to_string()
    };
    let error = FormulaError::new(
        "unexpected-character",
        format!("`{printable}` has no meaning in a formula"),
    )
    .at(text, start, end);
    match hint(character) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// What to write instead of a character that people paste or carry over from other languages.
fn hint(character: char) -> Option<String> {
    let instead = match character {
        '×' | '·' | '⋅' | '∗' | '∙' => "`*`",
        '÷' | '∕' | '⁄' => "`/`",
        '−' | '–' | '—' => "the plain minus `-`",
        '²' => "`**2`",
        '³' => "`**3`",
        '√' => "`sqrt(…)`",
        '|' => "`abs(…)` or `max(…)`",
        '[' | '{' | '（' => "`(`",
        ']' | '}' | '）' => "`)`",
        '，' | ';' => "`,`",
        '=' => {
            return Some("give the right-hand side alone, as in E + A/N**alpha".to_owned());
        }
        '\\' => return Some("LaTeX is not read: write `alpha`, not `\\alpha`".to_owned()),
        '\'' | '"' | '‘' | '’' | '“' | '”' => {
            return Some(
                "a name with unusual characters goes in backquotes, as in `eval/loss`".to_owned(),
            );
        }
        '<' | '>' => return Some("there are no comparisons; use min(…) and max(…)".to_owned()),
        _ => {
            return match greek(character) {
                Some(name) => Some(format!("write `{name}`")),
                None if character.is_alphanumeric() => Some(
                    "names are made of a-z, A-Z, 0-9, `_` and `.`; any other name goes in backquotes"
                        .to_owned(),
                ),
                None => None,
            };
        }
    };
    Some(format!("write {instead}"))
}

/// The Greek letters that name parameters, spelt out.
pub(crate) const GREEK: [(&str, char); 24] = [
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("epsilon", 'ε'),
    ("zeta", 'ζ'),
    ("eta", 'η'),
    ("theta", 'θ'),
    ("iota", 'ι'),
    ("kappa", 'κ'),
    ("lambda", 'λ'),
    ("mu", 'μ'),
    ("nu", 'ν'),
    ("xi", 'ξ'),
    ("omicron", 'ο'),
    ("pi", 'π'),
    ("rho", 'ρ'),
    ("sigma", 'σ'),
    ("tau", 'τ'),
    ("upsilon", 'υ'),
    ("phi", 'φ'),
    ("chi", 'χ'),
    ("psi", 'ψ'),
    ("omega", 'ω'),
];

fn greek(character: char) -> Option<String> {
    let lower = character.to_lowercase().next().unwrap_or(character);
    let (name, _) = GREEK.iter().find(|(_, letter)| *letter == lower)?;
    if lower == character {
        return Some((*name).to_owned());
    }
    let (first, rest) = name.split_at(1);
    Some(first.to_uppercase() + rest)
}
