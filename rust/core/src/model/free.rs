//! A parameter that a fit is free to move.

use crate::parameter::{Level, Transform};

/// A free parameter of a [`Model`](super::Model).
#[derive(Clone, Debug)]
pub struct Free {
    /// Its name in the formula.
    pub name: String,
    /// Position in the law's parameter list.
    pub position: usize,
    /// Inclusive bounds, where there are any.
    pub bounds: Option<(f64, f64)>,
    /// The internal scale asked for.
    pub transform: Transform,
    /// Where the global strategy should look, where the law says so.
    pub range: Option<(f64, f64)>,
    /// The level whose rows it acts on; none for all rows.
    pub level: Option<Level>,
}

impl Free {
    /// Whether no row is affected by both parameters.
    pub(super) fn disjoint(&self, other: &Free) -> bool {
        match (&self.level, &other.level) {
            (Some(a), Some(b)) => a.column == b.column && a.indicator != b.indicator,
            _ => false,
        }
    }
}
