//! The one error type of the statistics: misuse and interruption, never lack of convergence (that is a status).
//!
//! Every error names its kind, a stable kebab-case code, the numbers it is about and, where there is one, the
//! remedy. Formula errors of the language crate are carried over with their caret line.

use std::fmt;

use scalefast_expr::FormulaError;

/// What was misused; each kind becomes one exception class in Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A formula that does not parse or compile.
    Formula,
    /// A law that lacks what was asked of it.
    Law,
    /// Rows that cannot be used.
    Data,
    /// A setting outside its range.
    Settings,
    /// Numbers in a unit that does not fit.
    Units,
    /// Cancelled by the caller, or out of time.
    Interrupted,
}

/// An error that carries its numbers: rows count from 0, values are in the caller's units.
#[derive(Clone, Debug, PartialEq)]
pub struct CoreError {
    /// What was misused.
    pub kind: ErrorKind,
    /// A stable kebab-case name.
    pub code: &'static str,
    /// What happened, in words.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The first row concerned, counted from 0.
    pub row: Option<usize>,
    /// The column, variable or parameter concerned.
    pub column: Option<String>,
    /// The offending value.
    pub value: Option<f64>,
    /// The limit it broke.
    pub limit: Option<f64>,
    /// The argument of the call that it is about, by its plain name, such as `threads`; each face spells it its own way.
    pub argument: Option<&'static str>,
}

impl CoreError {
    /// An error of `kind`, without numbers as yet.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        CoreError {
            kind,
            code,
            message: message.into(),
            hint: None,
            row: None,
            column: None,
            value: None,
            limit: None,
            argument: None,
        }
    }

    /// An error about rows.
    pub fn data(code: &'static str, message: impl Into<String>) -> Self {
        CoreError::new(ErrorKind::Data, code, message)
    }

    /// An error about a setting.
    pub fn settings(code: &'static str, message: impl Into<String>) -> Self {
        CoreError::new(ErrorKind::Settings, code, message)
    }

    /// An error about a law.
    pub fn law(code: &'static str, message: impl Into<String>) -> Self {
        CoreError::new(ErrorKind::Law, code, message)
    }

    /// Adds the remedy.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the first row concerned, counted from 0.
    pub fn with_row(mut self, row: usize) -> Self {
        self.row = Some(row);
        self
    }

    /// Adds the column, variable or parameter concerned.
    pub fn with_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// Adds the offending value.
    pub fn with_value(mut self, value: f64) -> Self {
        self.value = Some(value);
        self
    }

    /// Adds the argument of the call that the error is about.
    pub fn with_argument(mut self, argument: &'static str) -> Self {
        self.argument = Some(argument);
        self
    }

    /// Adds the limit that was broken.
    pub fn with_limit(mut self, limit: f64) -> Self {
        self.limit = Some(limit);
        self
    }
}

impl fmt::Display for CoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CoreError {}

impl From<FormulaError> for CoreError {
    /// Keeps the hint apart and the caret line within the message.
    fn from(mut error: FormulaError) -> Self {
        let hint = error.hint.take();
        CoreError {
            hint,
            ..CoreError::new(ErrorKind::Formula, error.code, error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_ends_with_the_hint() {
        let error = CoreError::settings("bad-level", "level must lie between 0 and 1")
            .with_value(1.5)
            .with_limit(1.0)
            .with_hint("use 0.9");
        assert_eq!(
            error.to_string(),
            "level must lie between 0 and 1\nhint: use 0.9"
        );
        assert_eq!((error.value, error.limit), (Some(1.5), Some(1.0)));
    }

    #[test]
    fn formula_errors_keep_their_code_and_hint_once() {
        let error: CoreError = FormulaError {
            code: "caret-power",
            message: "^ is not an operator".into(),
            text: Some("N^2".into()),
            span: Some((1, 2)),
            hint: Some("write N**2".into()),
        }
        .into();
        assert_eq!(
            (error.kind, error.code),
            (ErrorKind::Formula, "caret-power")
        );
        assert_eq!(error.hint.as_deref(), Some("write N**2"));
        assert_eq!(error.to_string().matches("write N**2").count(), 1);
    }
}
