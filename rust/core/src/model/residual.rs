//! How a prediction is compared with a datum.

/// How a prediction is compared with a datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Residual {
    /// `ln L̂ − ln L`.
    Log,
    /// `L̂ − L`.
    Identity,
    /// `L̂/L − 1`: linear in the law and close to [`Residual::Log`], so starts are screened with it.
    Relative,
}

impl Residual {
    /// The residual that starts are screened by: affine in the linear parameters.
    pub(crate) fn screened(self) -> Self {
        match self {
            Self::Identity => Self::Identity,
            Self::Log | Self::Relative => Self::Relative,
        }
    }
}
