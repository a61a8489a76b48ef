//! The sandwich covariance of the published Chinchilla refit against its bootstrap of 4,000 refits.
//!
//! Reads `epoch_chinchilla.csv` from the folder that `SCALEFAST_REFERENCE_DATA` names; says so and passes elsewhere.
//! Standard errors of the bootstrap and the minimum are those of the data's own description (Besiroglu et al. 2024,
//! every replicate at its minimum).

use scalefast_core::Loss;
use scalefast_core::covariance::{Method, covariance};
use scalefast_core::error::CoreError;

/// A, B, E, α, β at the minimum of the Huber objective over 240 rows, and their bootstrap standard errors.
const MINIMUM: [f64; 5] = [
    477.82586850763096,
    2143.417363390948,
    1.8172180990478304,
    0.3473104989151879,
    0.3671724326279843,
];
const BOOTSTRAP: [f64; 5] = [
    124.49363928136292,
    1293.1690655819245,
    0.025657043231737252,
    0.015397474938454449,
    0.02059416917639141,
];

/// Columns n_params, n_tokens, loss without the five highest losses.
fn rows() -> Option<Vec<[f64; 3]>> {
    let folder = std::env::var_os("SCALEFAST_REFERENCE_DATA")?;
    let path = std::path::Path::new(&folder).join("epoch_chinchilla.csv");
    let text =
        std::fs::read_to_string(path).expect("the reference data are where the variable says");
    let mut rows: Vec<[f64; 3]> = text
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<f64> = line
                .split(',')
                .map(|cell| cell.parse().expect("a number"))
                .collect();
            [cells[0], cells[1], cells[3]]
        })
        .collect();
    let mut losses: Vec<f64> = rows.iter().map(|row| row[2]).collect();
    losses.sort_by(f64::total_cmp);
    let limit = losses[losses.len() - 5];
    rows.retain(|row| row[2] < limit);
    Some(rows)
}

#[test]
fn the_sandwich_agrees_with_the_bootstrap_of_the_chinchilla_refit() -> Result<(), CoreError> {
    let Some(rows) = rows() else {
        eprintln!("skipped: SCALEFAST_REFERENCE_DATA is not set");
        return Ok(());
    };
    let m = rows.len();
    assert_eq!(m, 240);
    let [a, b, e, alpha, beta] = MINIMUM;
    let mut columns = vec![0.0; 5 * m];
    let mut residuals = vec![0.0; m];
    for (i, [n, d, loss]) in rows.into_iter().enumerate() {
        let (by_n, by_d) = (n.powf(-alpha), d.powf(-beta));
        let law = e + a * by_n + b * by_d;
        residuals[i] = law.ln() - loss.ln();
        let slopes = [by_n, by_d, 1.0, -a * by_n * n.ln(), -b * by_d * d.ln()];
        for (j, slope) in slopes.into_iter().enumerate() {
            columns[j * m + i] = slope / law;
        }
    }
    let found = covariance(&columns, 5, &residuals, None, Loss::Huber { delta: 1e-3 });
    assert_eq!((found.method, found.code), (Method::Sandwich, None));
    let errors = found
        .std_errors(5)
        .expect("39 rows lie within the threshold");
    let ratios: Vec<f64> = errors.iter().zip(BOOTSTRAP).map(|(e, b)| e / b).collect();
    // B and β are skewed in the bootstrap, which a first-order standard error cannot see: ln B has 0.42 there.
    for (k, (low, high)) in [
        (0.9, 1.15),
        (0.4, 1.1),
        (0.85, 1.1),
        (0.9, 1.15),
        (0.65, 1.1),
    ]
    .into_iter()
    .enumerate()
    {
        assert!((low..high).contains(&ratios[k]), "{ratios:?}");
    }
    // A threshold far below the residuals leaves almost no row inside it, and then there is no standard error.
    let refused = covariance(&columns, 5, &residuals, None, Loss::Huber { delta: 1e-5 });
    assert_eq!(refused.code, Some("few-rows-within-threshold"));
    Ok(())
}
