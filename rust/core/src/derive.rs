//! Quantities derived from estimates: any formula of the parameters, with its standard error by the delta method.
//!
//! In: a formula, the estimates (`p`), their covariance (row-major `p × p`). Out: the value, the exact gradient and
//! √(gᵀ Σ g).

use scalefast_expr::System;

use crate::error::CoreError;
use crate::linalg::quadratic_form;

/// A derived quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    /// The formula at the estimates.
    pub value: f64,
    /// Its standard error; `None` without a covariance.
    pub std_error: Option<f64>,
    /// Its derivatives by the parameters, in their order.
    pub gradient: Vec<f64>,
}

/// Evaluates `output` of `formula` at the estimates `values` of the parameters `names`.
///
/// # Errors
/// `unknown-output`; `unbound-symbol` for a symbol that is no parameter; `covariance-size`.
///
/// ```
/// use scalefast_core::derive::derive;
/// use scalefast_expr::System;
/// let names = ["alpha".to_string(), "beta".to_string()];
/// let share = System::formula("beta/(alpha + beta)")?;
/// let found = derive(&share, "L", &names, &[0.35, 0.37], Some(&[4e-4, 0.0, 0.0, 4e-4])).unwrap();
/// assert!((found.value - 0.37 / 0.72).abs() < 1e-15);
/// assert!((found.std_error.unwrap() - 0.02 * 0.35f64.hypot(0.37) / 0.72 / 0.72).abs() < 1e-15);
/// # Ok::<(), scalefast_expr::FormulaError>(())
/// ```
pub fn derive(
    formula: &System,
    output: &str,
    names: &[String],
    values: &[f64],
    covariance: Option<&[f64]>,
) -> Result<Derived, CoreError> {
    let p = names.len();
    if values.len() != p || covariance.is_some_and(|matrix| matrix.len() != p * p) {
        return Err(CoreError::data(
            "covariance-size",
            format!("expected {p} estimates and a {p} × {p} covariance"),
        ));
    }
    let root = formula.output(output).ok_or_else(|| {
        CoreError::law("unknown-output", format!("there is no output `{output}`"))
    })?;
    let mut graph = formula.graph.clone();
    for symbol in graph.symbols_of(root) {
        let name = graph.symbol_name(symbol);
        if !names.iter().any(|known| known == name) {
            let message = format!(
                "`{name}` is not a parameter; there are {}",
                names.join(", ")
            );
            return Err(CoreError::settings("unbound-symbol", message).with_column(name));
        }
    }
    let slopes: Vec<_> = names
        .iter()
        .map(|name| graph.derivative(root, name))
        .collect();
    let by_symbol: Vec<f64> = graph
        .symbols()
        .iter()
        .map(|symbol| {
            names
                .iter()
                .position(|name| name == symbol)
                .map_or(f64::NAN, |k| values[k])
        })
        .collect();
    let gradient: Vec<f64> = slopes
        .iter()
        .map(|&slope| graph.evaluate(slope, &by_symbol))
        .collect();
    let std_error = covariance.map(|matrix| {
        let variance = quadratic_form(matrix, &gradient);
        if variance < 0.0 { 0.0 } else { variance.sqrt() }
    });
    Ok(Derived {
        value: graph.evaluate(root, &by_symbol),
        std_error,
        gradient,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["A", "alpha", "E"].map(String::from).to_vec()
    }

    #[test]
    fn a_single_parameter_keeps_its_own_standard_error() {
        let covariance = [4.0, 0.1, 0.0, 0.1, 0.01, 0.0, 0.0, 0.0, 0.25];
        let formula = System::formula("alpha").unwrap();
        let found = derive(
            &formula,
            "L",
            &names(),
            &[400.0, 0.3, 1.7],
            Some(&covariance),
        )
        .unwrap();
        assert_eq!((found.value, found.gradient), (0.3, vec![0.0, 1.0, 0.0]));
        assert!((found.std_error.unwrap() - 0.1).abs() < 1e-15);
    }

    #[test]
    fn perfectly_correlated_parameters_can_cancel() {
        let covariance = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        let formula = System::formula("A - alpha").unwrap();
        let found = derive(&formula, "L", &names(), &[5.0, 3.0, 0.0], Some(&covariance)).unwrap();
        assert_eq!((found.value, found.std_error), (2.0, Some(0.0)));
    }

    #[test]
    fn names_and_sizes_are_checked() {
        let formula = System::formula("A*N").unwrap();
        let error = derive(&formula, "L", &names(), &[1.0; 3], None).unwrap_err();
        assert_eq!(
            (error.code, error.column.as_deref()),
            ("unbound-symbol", Some("N"))
        );
        let formula = System::formula("A").unwrap();
        assert_eq!(
            derive(&formula, "L", &names(), &[1.0; 3], Some(&[1.0]))
                .unwrap_err()
                .code,
            "covariance-size"
        );
        assert_eq!(
            derive(&formula, "M", &names(), &[1.0; 3], None)
                .unwrap_err()
                .code,
            "unknown-output"
        );
        assert_eq!(
            derive(&formula, "L", &names(), &[1.0; 3], None)
                .unwrap()
                .std_error,
            None
        );
    }
}
