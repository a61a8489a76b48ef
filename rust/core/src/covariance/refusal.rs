//! Why there is no covariance: the codes that results carry in its place.

/// No more rows than parameters.
pub const NO_DEGREES_OF_FREEDOM: &str = "no-degrees-of-freedom";
/// The Jacobian is rank deficient after column scaling.
pub const SINGULAR_JACOBIAN: &str = "singular-jacobian";
/// Too few rows lie within the threshold of the robust loss.
pub const FEW_ROWS_WITHIN_THRESHOLD: &str = "few-rows-within-threshold";
/// The kernel estimate of the curvature is not positive definite.
pub const SINGULAR_CURVATURE: &str = "singular-curvature";
/// Without one of the clusters the others do not determine the parameters.
pub const CLUSTER_DECIDES: &str = "one-cluster-decides";
/// A residual or a derivative is not finite.
pub const NOT_FINITE: &str = "not-finite";
