//! Text to tokens: the first stage.
//!
//! In: the text of a formula. Out: numbers, names, operators, brackets and commas with their byte
//! ranges, or an error at the first character that has no place in a formula. Operators are read from
//! the table in [`crate::op`].
//! Longer than the rule, because `number` follows the one grammar of a number to its end.

mod stray;

use crate::error::FormulaError;
use crate::op::{Notation, Op};

pub(crate) use stray::GREEK;

/// Longest formula that is read, in characters.
pub const MAX_CHARACTERS: usize = 10_000;

/// What a piece of the text is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    /// A number, never negative.
    Number(f64),
    /// A name as typed.
    Name(String),
    /// A name in backquotes, which may hold any characters and is never a function or a constant.
    Quoted(String),
    /// An infix operator; the parser decides when a minus is a prefix.
    Operator(Op),
    Open,
    Close,
    Comma,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lexeme {
    pub(crate) token: Token,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The tokens of `text`.
pub(crate) fn tokens(text: &str) -> Result<Vec<Lexeme>, FormulaError> {
    if text.len() > MAX_CHARACTERS {
        let characters = text.chars().count();
        if characters > MAX_CHARACTERS {
            return Err(FormulaError::new(
                "formula-too-long",
                format!(
                    "the formula has {characters} characters; at most {MAX_CHARACTERS} are read"
                ),
            )
            .hint("give repeated parts a name of their own in the definitions"));
        }
    }
    let mut lexemes = Vec::new();
    let mut start = 0;
    while let Some(character) = text[start..].chars().next() {
        if character.is_whitespace() {
            start += character.len_utf8();
            continue;
        }
        let (token, length) = token(text, start, character)?;
        lexemes.push(Lexeme {
            token,
            start,
            end: start + length,
        });
        start += length;
    }
    Ok(lexemes)
}

/// The token that begins at `start` with `character`, and its length in bytes.
fn token(text: &str, start: usize, character: char) -> Result<(Token, usize), FormulaError> {
    let rest = &text[start..];
    match character {
        '(' => Ok((Token::Open, 1)),
        ')' => Ok((Token::Close, 1)),
        ',' => Ok((Token::Comma, 1)),
        '`' => quoted(text, start),
        '0'..='9' | '.' => number(text, start),
        'a'..='z' | 'A'..='Z' | '_' => {
            let length = name_length(rest);
            Ok((Token::Name(rest[..length].to_owned()), length))
        }
        _ => match operator(rest) {
            Some((op, length)) => Ok((Token::Operator(op), length)),
            None => Err(stray::error(text, start, character)),
        },
    }
}

/// The longest infix operator that `rest` begins with.
fn operator(rest: &str) -> Option<(Op, usize)> {
    Op::ALL
        .iter()
        .filter_map(|&op| match op.info().notation {
            Notation::Infix { symbol, .. } if rest.starts_with(symbol) => Some((op, symbol.len())),
            _ => None,
        })
        .max_by_key(|&(_, length)| length)
}

/// Length of the name at the beginning of `rest`; parts of a name may be joined by points.
fn name_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut length = 0;
    while let Some(&byte) = bytes.get(length) {
        let joins = byte == b'.' && bytes.get(length + 1).is_some_and(|&next| begins_name(next));
        if !(begins_name(byte) || byte.is_ascii_digit() || joins) {
            break;
        }
        length += 1;
    }
    length
}

fn begins_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// Whether `name` can be typed without backquotes.
pub(crate) fn is_plain_name(name: &str) -> bool {
    name.bytes().next().is_some_and(begins_name) && name_length(name) == name.len()
}

/// A name in backquotes; a doubled backquote stands for one.
fn quoted(text: &str, start: usize) -> Result<(Token, usize), FormulaError> {
    let mut name = String::new();
    let mut characters = text[start + 1..].char_indices().peekable();
    while let Some((offset, character)) = characters.next() {
        if character != '`' {
            name.push(character);
        } else if characters.next_if(|&(_, next)| next == '`').is_some() {
            name.push('`');
        } else {
            let end = start + 1 + offset + 1;
            if name.is_empty() {
                let error =
                    FormulaError::new("empty-name", "there is no name between the backquotes");
                return Err(error.at(text, start, end));
            }
            return Ok((Token::Quoted(name), end - start));
        }
    }
    Err(
        FormulaError::new("unclosed-quote", "this backquote is never closed")
            .at(text, start, start + 1)
            .hint("a name in backquotes ends with a second backquote"),
    )
}

/// A number: digits with at most one point, then perhaps an exponent.
fn number(text: &str, start: usize) -> Result<(Token, usize), FormulaError> {
    let rest = &text[start..];
    let bytes = rest.as_bytes();
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut length = digits(0);
    let mut mantissa_digits = length;
    if bytes.get(length) == Some(&b'.') {
        let fraction = digits(length + 1);
        mantissa_digits += fraction;
        length += 1 + fraction;
    }
    let bad = |length: usize, message: String| {
        FormulaError::new("bad-number", message).at(text, start, start + length)
    };
    if mantissa_digits == 0 {
        return Err(bad(
            length,
            "a point without digits is not a number".to_owned(),
        ));
    }
    if bytes.get(length) == Some(&b'.') {
        let length = length + 1 + digits(length + 1);
        return Err(bad(
            length,
            format!("`{}` has two decimal points", &rest[..length]),
        ));
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let signed = matches!(bytes.get(length + 1), Some(b'+' | b'-'));
        let from = length + 1 + usize::from(signed);
        let exponent = bytes.get(from..).map_or(0, |_| digits(from));
        if exponent > 0 {
            length = from + exponent;
        }
    }
    let literal = &rest[..length];
    let value: f64 = literal
        .parse()
        .map_err(|_| bad(length, format!("`{literal}` is not a number")))?;
    if value.is_infinite() {
        return Err(FormulaError::new(
            "number-too-large",
            format!("{} is too large for a number", shortened(literal)),
        )
        .at(text, start, start + length)
        .hint("numbers go up to 1.8e308"));
    }
    let mantissa = literal.split(['e', 'E']).next().unwrap_or(literal);
    if value == 0.0 && mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        return Err(FormulaError::new(
            "number-too-small",
            format!(
                "{} is too small for a number other than zero",
                shortened(literal)
            ),
        )
        .at(text, start, start + length)
        .hint("numbers go down to 5e-324"));
    }
    Ok((Token::Number(value), length))
}

/// The literal, unless it would fill the message.
fn shortened(literal: &str) -> String {
    if literal.len() <= 24 {
        format!("`{literal}`")
    } else {
        "this literal".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Token> {
        let lexemes = tokens(text).unwrap_or_else(|error| panic!("{error}"));
        lexemes.into_iter().map(|lexeme| lexeme.token).collect()
    }

    fn number_of(text: &str) -> f64 {
        match kinds(text).as_slice() {
            [Token::Number(value)] => *value,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn numbers_are_read_to_the_last_bit() {
        assert_eq!(number_of("406.401"), 406.401);
        assert_eq!(number_of(".5"), 0.5);
        assert_eq!(number_of("5."), 5.0);
        assert_eq!(number_of("6.02E+23"), 6.02e23);
        assert_eq!(number_of("0e999"), 0.0);
        assert_eq!(number_of("1.7976931348623157e308"), f64::MAX);
        assert_eq!(number_of("5e-324"), f64::from_bits(1));
    }

    #[test]
    fn names_may_hold_points_and_quotes_anything() {
        assert_eq!(
            kinds("config.n_params"),
            [Token::Name("config.n_params".into())]
        );
        assert_eq!(
            kinds("`eval/loss``s`"),
            [Token::Quoted("eval/loss`s".into())]
        );
        assert!(is_plain_name("R_Dstar") && is_plain_name("a.b"));
        assert!(!is_plain_name("") && !is_plain_name("2N") && !is_plain_name("a."));
    }

    #[test]
    fn the_longest_operator_wins() {
        assert_eq!(
            kinds("***"),
            [Token::Operator(Op::Pow), Token::Operator(Op::Mul)]
        );
    }
}
