//! How the symbols of a formula are bound when a program is compiled.
//!
//! Stage: between the graph and lowering. Nothing about a symbol's meaning (variable or parameter) is known
//! here, only how often its value changes, which decides when the work that depends on it is done.

/// How often a symbol's value changes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Rate {
    /// Never: a number known when the program is compiled.
    Constant(f64),
    /// One number for all rows of a run, such as a parameter of a fit.
    Uniform,
    /// One number a row.
    Varying,
}

/// The binding of one symbol.
#[derive(Clone, PartialEq, Debug)]
pub struct Binding {
    /// The symbol's name in the formula.
    pub name: String,
    /// How often its value changes.
    pub rate: Rate,
    /// For a varying symbol: the rows stay the same between runs, so what depends on them alone may be
    /// computed once and kept as a cached column.
    pub prepared: bool,
    /// The values are proven to be above zero, which lets powers become exponentials of logarithms.
    pub positive: bool,
}

impl Binding {
    /// A number known now.
    pub fn constant(name: &str, value: f64) -> Binding {
        Binding::new(name, Rate::Constant(value), false, value > 0.0)
    }

    /// One number a run.
    pub fn uniform(name: &str, positive: bool) -> Binding {
        Binding::new(name, Rate::Uniform, false, positive)
    }

    /// A column of data that stays the same from run to run.
    pub fn prepared(name: &str, positive: bool) -> Binding {
        Binding::new(name, Rate::Varying, true, positive)
    }

    /// A column whose values are new in each run.
    pub fn varying(name: &str, positive: bool) -> Binding {
        Binding::new(name, Rate::Varying, false, positive)
    }

    fn new(name: &str, rate: Rate, prepared: bool, positive: bool) -> Binding {
        Binding {
            name: name.to_owned(),
            rate,
            prepared,
            positive,
        }
    }
}
