//! The parameters of a fit: bounds, roles, internal scale and start range, in the law's own units.

use std::collections::HashSet;

use crate::error::CoreError;

/// What a fit does with a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// Estimated.
    Free,
    /// Held at a value.
    Fixed(f64),
    /// Computed by a formula of other parameters.
    Tied(String),
}

/// The scale on which the solver works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    /// Chosen by the engine.
    Auto,
    /// The parameter itself.
    Identity,
    /// The logarithm of a positive parameter.
    Log,
}

/// The rows that a parameter belongs to: those of one level of a column, such as one training set.
///
/// The law reads such parameters as `base = Σ parameter · indicator` over the levels, so no two of one column ever act on
/// the same row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// What the parameter stands for on its rows; all levels of a parameter share it.
    pub base: String,
    /// The column that tells levels apart.
    pub column: String,
    /// The variable that is one on the rows of the level and zero elsewhere.
    pub indicator: String,
}

/// One parameter of a law.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The symbol in the formula.
    pub name: String,
    /// Lower and upper bound; either may be infinite. `None`: no bounds.
    pub bounds: Option<(f64, f64)>,
    /// Free, fixed or tied.
    pub role: Role,
    /// Internal scale.
    pub transform: Transform,
    /// Range from which starts are drawn.
    pub start: Option<(f64, f64)>,
    /// The level it belongs to; none for a parameter of all rows.
    pub level: Option<Level>,
}

impl Parameter {
    /// A free parameter without bounds.
    pub fn free(name: impl Into<String>) -> Self {
        Parameter {
            name: name.into(),
            bounds: None,
            role: Role::Free,
            transform: Transform::Auto,
            start: None,
            level: None,
        }
    }

    /// A parameter held at `value`.
    pub fn fixed(name: impl Into<String>, value: f64) -> Self {
        Parameter {
            role: Role::Fixed(value),
            ..Parameter::free(name)
        }
    }

    /// A parameter computed by `formula`.
    pub fn tied(name: impl Into<String>, formula: impl Into<String>) -> Self {
        Parameter {
            role: Role::Tied(formula.into()),
            ..Parameter::free(name)
        }
    }

    /// The same with bounds.
    pub fn with_bounds(mut self, lower: f64, upper: f64) -> Self {
        self.bounds = Some((lower, upper));
        self
    }

    /// The same with an internal scale.
    pub fn with_transform(mut self, transform: Transform) -> Self {
        self.transform = transform;
        self
    }

    /// The same for the rows of one level.
    pub fn with_level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// The same with a start range.
    pub fn with_start(mut self, lower: f64, upper: f64) -> Self {
        self.start = Some((lower, upper));
        self
    }

    /// Lower bound, −∞ without one.
    pub fn lower(&self) -> f64 {
        self.bounds.map_or(f64::NEG_INFINITY, |b| b.0)
    }

    /// Upper bound, ∞ without one.
    pub fn upper(&self) -> f64 {
        self.bounds.map_or(f64::INFINITY, |b| b.1)
    }

    /// Whether the fit estimates it.
    pub fn is_free(&self) -> bool {
        self.role == Role::Free
    }

    /// Checks one parameter. Errors (`Settings`): `bad-bounds`, `bad-fixed-value`, `bad-start`, `bad-transform`.
    pub fn validate(&self) -> Result<(), CoreError> {
        let (lower, upper) = (self.lower(), self.upper());
        let error = |code, text: String| {
            CoreError::settings(code, format!("{}: {text}", self.name)).with_column(&self.name)
        };
        if !(lower < upper && lower < f64::INFINITY && upper > f64::NEG_INFINITY) {
            return Err(error(
                "bad-bounds",
                format!("the lower bound {lower} must be below the upper bound {upper}"),
            )
            .with_value(lower)
            .with_limit(upper)
            .with_argument("bounds"));
        }
        if self.transform == Transform::Log && lower < 0.0 && self.bounds.is_some() {
            return Err(error(
                "bad-transform",
                format!("a logarithmic scale needs a lower bound of at least 0, not {lower}"),
            )
            .with_value(lower)
            .with_limit(0.0)
            .with_argument("bounds"));
        }
        if let Role::Fixed(value) = self.role
            && !(value.is_finite() && value >= lower && value <= upper)
        {
            return Err(error(
                "bad-fixed-value",
                format!("the fixed value {value} must be finite and within {lower}..{upper}"),
            )
            .with_value(value)
            .with_argument("fixed"));
        }
        if let Some((first, last)) = self.start
            && !(first.is_finite()
                && last.is_finite()
                && first <= last
                && first >= lower
                && last <= upper)
        {
            return Err(error(
                "bad-start",
                format!("the start range {first}..{last} must be finite, ordered and within {lower}..{upper}"),
            )
            .with_value(first));
        }
        Ok(())
    }
}

/// Checks every parameter and that names differ (`Settings`, `duplicate-parameter`).
pub fn validate(parameters: &[Parameter]) -> Result<(), CoreError> {
    let mut seen = HashSet::new();
    for parameter in parameters {
        parameter.validate()?;
        if !seen.insert(parameter.name.as_str()) {
            let message = format!("{} is declared twice", parameter.name);
            return Err(
                CoreError::settings("duplicate-parameter", message).with_column(&parameter.name)
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_parameters_pass() {
        let parameters = [
            Parameter::free("A")
                .with_bounds(0.0, f64::INFINITY)
                .with_transform(Transform::Log)
                .with_start(1.0, 1e3),
            Parameter::fixed("E", 1.69).with_bounds(0.0, 5.0),
            Parameter::tied("beta", "alpha"),
            Parameter::free("alpha")
                .with_bounds(0.0, 1.0)
                .with_start(0.0, 1.0),
        ];
        assert!(validate(&parameters).is_ok());
    }

    #[test]
    fn unsound_parameters_are_named() {
        let code = |p: Parameter| {
            let error = p.validate().unwrap_err();
            assert_eq!(error.column.as_deref(), Some("a"));
            error.code
        };
        assert_eq!(
            code(Parameter::free("a").with_bounds(1.0, 1.0)),
            "bad-bounds"
        );
        assert_eq!(
            code(Parameter::free("a").with_bounds(f64::NAN, 1.0)),
            "bad-bounds"
        );
        assert_eq!(
            code(Parameter::free("a").with_bounds(f64::INFINITY, f64::INFINITY)),
            "bad-bounds"
        );
        assert_eq!(code(Parameter::fixed("a", f64::NAN)), "bad-fixed-value");
        assert_eq!(
            code(Parameter::fixed("a", 2.0).with_bounds(0.0, 1.0)),
            "bad-fixed-value"
        );
        assert_eq!(code(Parameter::free("a").with_start(2.0, 1.0)), "bad-start");
        assert_eq!(
            code(
                Parameter::free("a")
                    .with_bounds(0.0, 1.0)
                    .with_start(0.5, 1.5)
            ),
            "bad-start"
        );
        let log = Parameter::free("a")
            .with_bounds(-1.0, 1.0)
            .with_transform(Transform::Log);
        assert_eq!(code(log), "bad-transform");
    }

    #[test]
    fn names_must_differ() {
        let twice = [Parameter::free("a"), Parameter::free("a")];
        assert_eq!(validate(&twice).unwrap_err().code, "duplicate-parameter");
    }
}
