//! Whether the residuals of a fit follow each other along an order of its rows, as those of a learning curve do.

use super::rows::linearise;
use crate::covariance::Series;
use crate::dataset::Dataset;
use crate::error::CoreError;
use crate::executor::with_pool;
use crate::fit::{Fit, FitSpec, residual_unit};

/// Residuals of this size, relative to the response (or of logarithms), are rounding.
const EXACT: f64 = 1e-12;

/// How far the lag-1 autocorrelation of the residuals, rows taken in `order`, lies above what independent noise leads to, in
/// its standard deviations: the Durbin-Watson test of groups. NaN where residuals are rounding, do not even rise and fall
/// together as they stand, or are too few; rows of weight zero do not count.
///
/// # Errors
/// Those of the compiler.
pub fn serial_deviate(
    spec: &FitSpec,
    fit: &Fit,
    data: &Dataset<'_>,
    order: &[u32],
) -> Result<f64, CoreError> {
    with_pool(spec.threads, || {
        let model = spec.model()?;
        let m = data.len();
        let found = linearise(spec, fit, data, &model)?;
        let unit = residual_unit(spec.residual, data);
        let sigma = |row: usize| data.sigma().map_or(1.0, |sigma| sigma[row]);
        let mut series = Series::default();
        series
            .open
            .extend((0..model.p()).filter(|&j| !fit.at_bound[j]));
        let mut exact = true;
        for row in order.iter().map(|&row| row as usize) {
            let root = data.weight(row).sqrt();
            if root > 0.0 {
                let residual = found.residual[row];
                exact &= (residual * sigma(row)).abs() <= EXACT * unit;
                series.error.push(root * fit.loss.psi(residual));
                let slopes = series.open.iter();
                let slopes = slopes.map(|&j| root * found.jacobian[j * m + row]);
                series.gradient.extend(slopes);
            }
        }
        let follows = !exact && series.lagged_product() > 0.0 && series.measure();
        Ok(if follows { series.deviate } else { f64::NAN })
    })
}
