//! What the parser says about a token that cannot stand where it stands.
//!
//! In: the position of the token. Out: the error, with the nearest thing that could have been meant.

use super::Parser;
use crate::error::FormulaError;
use crate::lexer::Token;
use crate::op::Op;
use crate::spelling::nearest;

impl Parser<'_> {
    pub(super) fn error_at(
        &self,
        code: &'static str,
        position: usize,
        message: String,
    ) -> FormulaError {
        let lexeme = &self.lexemes[position];
        FormulaError::new(code, message).at(self.text, lexeme.start, lexeme.end)
    }

    /// The token as typed, unless it is too long for a message.
    fn typed(&self, position: usize) -> Option<&str> {
        let lexeme = &self.lexemes[position];
        Some(&self.text[lexeme.start..lexeme.end]).filter(|typed| typed.len() <= 24)
    }

    pub(super) fn dangling(&self, position: usize, side: &str) -> FormulaError {
        let operator = self.typed(position).unwrap_or_default();
        self.error_at(
            "dangling-operator",
            position,
            format!("`{operator}` has nothing on its {side}"),
        )
        .hint(format!(
            "write what stands on the {side} of `{operator}`, or remove it"
        ))
    }

    /// An operator, a closing parenthesis or a comma where an operand should stand.
    pub(super) fn nothing_before(&self, position: usize) -> FormulaError {
        let before = position.checked_sub(1);
        let token = &self.lexemes[position].token;
        match before.map(|before| (before, &self.lexemes[before].token)) {
            Some((before, Token::Operator(first))) => match token {
                Token::Operator(second) if (*first, *second) == (Op::Div, Op::Div) => self
                    .error_at(
                        "dangling-operator",
                        position,
                        "`//` is not an operator of the formula language".to_owned(),
                    )
                    .hint("a quotient is written with one `/`"),
                Token::Operator(_) => self.dangling(position, "left"),
                _ => self.dangling(before, "right"),
            },
            Some((_, Token::Open)) if *token == Token::Close => self
                .error_at(
                    "missing-operand",
                    position,
                    "there is nothing between these parentheses".to_owned(),
                )
                .hint("write an expression between them, or remove them"),
            Some((_, Token::Open | Token::Comma)) if !matches!(token, Token::Operator(_)) => self
                .error_at(
                    "missing-operand",
                    position,
                    "an argument is missing before this".to_owned(),
                )
                .hint("arguments are separated by single commas"),
            _ => match token {
                Token::Operator(_) => self.dangling(position, "left"),
                Token::Comma => self.misplaced_comma(position),
                _ => self
                    .error_at(
                        "unbalanced-parenthesis",
                        position,
                        "this `)` closes nothing".to_owned(),
                    )
                    .hint("remove it, or add the `(` that it belongs to"),
            },
        }
    }

    pub(super) fn misplaced_comma(&self, position: usize) -> FormulaError {
        let error = self.error_at(
            "misplaced-comma",
            position,
            "a comma has a meaning only between the arguments of a function".to_owned(),
        );
        let number = |position: Option<usize>| {
            position
                .and_then(|position| self.lexemes.get(position))
                .is_some_and(|lexeme| matches!(lexeme.token, Token::Number(_)))
        };
        if number(position.checked_sub(1)) && number(Some(position + 1)) {
            return error.hint("numbers have a decimal point and no separators of thousands");
        }
        error
    }

    pub(super) fn missing_operator(&self, position: usize) -> FormulaError {
        let (before, lexeme) = (&self.lexemes[position - 1], &self.lexemes[position]);
        let (left, right) = (self.typed(position - 1), self.typed(position));
        let product = match (&before.token, &lexeme.token) {
            (Token::Close, _) | (_, Token::Open) => None,
            _ => left
                .zip(right)
                .map(|(left, right)| format!("{left}*{right}")),
        };
        let error = match left.zip(right) {
            Some((left, right)) => FormulaError::new(
                "missing-operator",
                format!("there is no operator between `{left}` and `{right}`"),
            ),
            None => FormulaError::new("missing-operator", "there is no operator between these"),
        }
        .at(self.text, before.start, lexeme.end);
        let follows_digits = before.end == lexeme.start && matches!(before.token, Token::Number(_));
        if let Token::Name(name) = &lexeme.token
            && follows_digits
        {
            let digits = left.unwrap_or("…");
            if matches!(name.as_str(), "e" | "E") {
                return error.hint(format!(
                    "write {digits}e9 for a power of ten, {digits}*{name} for the product"
                ));
            }
            if name.starts_with('_') {
                return error.hint("digits are written without separators, as in 1000 or 1e3");
            }
            if let Some(power) = suffix(name).filter(|_| !digits.contains(['e', 'E'])) {
                return error.hint(format!(
                    "write {digits}{power} for the number, {digits}*{name} for the product"
                ));
            }
        }
        match product {
            Some(product) => error.hint(format!("if a product is meant, write {product}")),
            None => error.hint("if a product is meant, write `*`"),
        }
    }

    pub(super) fn unknown_function(&self, name: &str, position: usize) -> FormulaError {
        let shown = self.typed(position).unwrap_or("…");
        let error = self.error_at(
            "unknown-function",
            position,
            format!("there is no function named `{shown}`"),
        );
        let known = self.names.contains_key(name) || self.graph.symbol_id(name).is_some();
        if known || name.len() == 1 {
            return error.hint(format!("if a product is meant, write {shown}*(…)"));
        }
        if let Some((_, instead)) = FOREIGN.iter().find(|(foreign, _)| *foreign == name) {
            return error.hint(format!("write {instead}"));
        }
        let names =
            || Op::functions().flat_map(|row| row.aliases.iter().copied().chain([row.name]));
        match nearest(name, names()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!(
                "the functions are {}",
                names().collect::<Vec<_>>().join(", ")
            )),
        }
    }
}

/// The power of ten of a suffix that means one wherever people write numbers.
fn suffix(name: &str) -> Option<&'static str> {
    match name {
        "k" | "K" => Some("e3"),
        "M" => Some("e6"),
        "B" | "G" => Some("e9"),
        "T" => Some("e12"),
        _ => None,
    }
}

/// Functions of other languages, and how to say the same here.
const FOREIGN: [(&str, &str); 14] = [
    ("pow", "x**y"),
    ("power", "x**y"),
    ("square", "x**2"),
    ("cbrt", "x**(1/3)"),
    ("atan", "arctan(x)"),
    ("fabs", "abs(x)"),
    ("expit", "sigmoid(x)"),
    ("logistic", "sigmoid(x)"),
    ("softplus", "log1p(exp(x))"),
    ("relu", "max(x, 0)"),
    ("minimum", "min(x, y)"),
    ("maximum", "max(x, y)"),
    ("sinh", "(exp(x) - exp(-x))/2"),
    ("cosh", "(exp(x) + exp(-x))/2"),
];
