//! A shelf for the programs of one model: many small data sets share a few of them.

use super::residual::Residual;
use crate::error::CoreError;
use scalefast_expr::Family;
use std::sync::{Arc, Mutex, PoisonError};

/// The programs of a residual, and where its second derivatives stand in the curvature.
#[derive(Clone)]
pub(crate) struct Compiled {
    pub(crate) family: Arc<Family>,
    pub(crate) curvature_slots: Vec<usize>,
}

/// What one compilation depends on besides the model: the residual, and which columns (the variables, the response, the
/// known standard deviation where there is one) are above zero.
pub(crate) type Conditions = (Residual, Vec<bool>);

/// The programs that were compiled for one model so far.
#[derive(Clone, Default)]
pub(crate) struct Programs(Arc<Mutex<Vec<(Conditions, Compiled)>>>);

impl Programs {
    /// The programs for these conditions, by `compile` where nobody asked before.
    pub(crate) fn get(
        &self,
        conditions: Conditions,
        compile: impl FnOnce(&Conditions) -> Result<Compiled, CoreError>,
    ) -> Result<Compiled, CoreError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = known.iter().find(|(found, _)| *found == conditions) {
            return Ok(found.clone());
        }
        let compiled = compile(&conditions)?;
        known.push((conditions, compiled.clone()));
        Ok(compiled)
    }
}
