use super::*;
use crate::rng::{Random, Stream};
use proptest::prelude::*;

/// Normal noise by the sum of twelve uniforms, close enough for what is tested here.
fn noise(seed: u64, n: usize) -> Vec<f64> {
    let random = Random::new(seed, Stream::Noise);
    (0..n as u64)
        .map(|i| (0..12).map(|k| random.uniform(k, i)).sum::<f64>() - 6.0)
        .collect()
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs())
}

#[test]
fn mean_of_a_sample_has_variance_s_squared_over_n() {
    let r = [1.0, -2.0, 3.0, -2.0];
    let found = covariance(&[1.0; 4], 1, &r, None, Loss::Squared);
    assert_eq!(found.method, Method::GaussNewton);
    assert!(close(found.matrix.unwrap()[0], 18.0 / 3.0 / 4.0, 1e-14));
}

#[test]
fn straight_line_has_the_textbook_standard_errors() {
    // x = 0..4: Sxx = 10, mean 2; var(slope) = s²/Sxx, var(intercept) = s²(1/n + mean²/Sxx).
    let columns = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 2.0, 3.0, 4.0];
    let r = [0.1, -0.2, 0.0, 0.3, -0.2];
    let s2 = r.iter().map(|r| r * r).sum::<f64>() / 3.0;
    let matrix = covariance(&columns, 2, &r, None, Loss::Squared)
        .matrix
        .unwrap();
    for (found, expected) in matrix
        .iter()
        .zip([s2 * 0.6, -s2 * 0.2, -s2 * 0.2, s2 * 0.1])
    {
        assert!(close(*found, expected, 1e-13));
    }
    let streamed = gauss_newton(&[5.0, 10.0, 10.0, 30.0], 2, 3.0 * s2, 5)
        .matrix
        .unwrap();
    assert!(
        streamed
            .iter()
            .zip(&matrix)
            .all(|(a, b)| close(*a, *b, 1e-12))
    );
}

#[test]
fn a_wide_huber_loss_gives_whites_covariance() {
    // Far above the residuals ψ(r) = r and κ = 1: (JᵀJ)⁻¹ (Σ r² J Jᵀ) (JᵀJ)⁻¹ n/(n − p), here for a mean.
    let r: Vec<f64> = (0..20)
        .map(|i| if i % 2 == 0 { 1.0 } else { -1.0 } * (1.0 + f64::from(i) / 10.0))
        .collect();
    let sum: f64 = r.iter().map(|r| r * r).sum();
    let found = covariance(&[1.0; 20], 1, &r, None, Loss::Huber { delta: 1e3 });
    assert_eq!(found.method, Method::Sandwich);
    assert!(close(
        found.matrix.unwrap()[0],
        sum / 400.0 * 20.0 / 19.0,
        1e-13
    ));
}

#[test]
fn a_median_of_normal_noise_has_variance_half_pi_over_n() {
    let n = 20_000;
    let found = covariance(
        &vec![1.0; n],
        1,
        &noise(1, n),
        None,
        Loss::Huber { delta: 0.01 },
    );
    let variance = found.matrix.unwrap()[0] * n as f64;
    assert!(
        close(variance, std::f64::consts::FRAC_PI_2, 0.06),
        "{variance}"
    );
    // The same through the smoothed check loss, which is refused no zone.
    let found = covariance(
        &vec![1.0; n],
        1,
        &noise(1, n),
        None,
        Loss::Pinball {
            quantile: 0.5,
            width: 1e-9,
        },
    );
    let variance = found.matrix.unwrap()[0] * n as f64;
    assert!(
        close(variance, std::f64::consts::FRAC_PI_2, 0.06),
        "{variance}"
    );
}

#[test]
fn noise_that_differs_by_row_widens_the_slope() {
    // Noise proportional to |x|: under squared-like Huber the slope's variance is Σ x⁴ σ²/(Σ x²)² = 3σ²/n, not σ²/n.
    let n = 20_000;
    let x = noise(2, n);
    let r: Vec<f64> = noise(3, n).iter().zip(&x).map(|(e, x)| e * x).collect();
    let found = covariance(&x, 1, &r, None, Loss::Huber { delta: 50.0 });
    let variance = found.matrix.unwrap()[0] * n as f64;
    assert!(close(variance, 3.0, 0.1), "{variance}");
}

#[test]
fn refusals_carry_their_code() {
    let n = 100;
    let ones = vec![1.0; n];
    let code = |found: Covariance| (found.matrix.is_none(), found.code);
    let far: Vec<f64> = noise(4, n)
        .iter()
        .map(|e| e + 5.0f64.copysign(*e))
        .collect();
    let huber = Loss::Huber { delta: 1e-3 };
    assert_eq!(
        code(covariance(&ones, 1, &far, None, huber)),
        (true, Some(FEW_ROWS_WITHIN_THRESHOLD))
    );
    assert_eq!(
        code(covariance(&[1.0, 2.0], 2, &[0.0], None, Loss::Squared)),
        (true, Some(NO_DEGREES_OF_FREEDOM))
    );
    let doubled: Vec<f64> = ones.iter().chain(&ones).copied().collect();
    let small = noise(5, n);
    assert_eq!(
        code(covariance(&doubled, 2, &small, None, Loss::Squared)),
        (true, Some(SINGULAR_JACOBIAN))
    );
    let wide = Loss::Huber { delta: 1.0 };
    assert_eq!(
        code(covariance(&doubled, 2, &small, None, wide)),
        (true, Some(SINGULAR_CURVATURE))
    );
    let mut broken = small.clone();
    broken[3] = f64::NAN;
    assert_eq!(
        code(covariance(&ones, 1, &broken, None, wide)),
        (true, Some(NOT_FINITE))
    );
    assert_eq!(
        code(covariance(&ones, 1, &broken, None, Loss::Squared)),
        (true, Some(NOT_FINITE))
    );
}

proptest! {
    #[test]
    fn scale_of_the_weights_order_of_rows_and_rows_without_weight_change_nothing(
        seed in 0u64..1000,
        factor in prop::sample::select(vec![1e-6, 0.3, 7.0, 1e9]),
        loss in prop::sample::select(vec![
            Loss::Squared, Loss::Huber { delta: 1.0 }, Loss::Cauchy { delta: 2.0 }, Loss::Asymmetric { weight: 2.0 },
        ]),
    ) {
        let n = 60;
        let (x, r, u) = (noise(seed, n), noise(seed + 1, n), noise(seed + 2, n));
        let columns: Vec<f64> = vec![1.0; n].into_iter().chain(x.iter().copied()).collect();
        let w: Vec<f64> = u.iter().map(|u| u.abs() + 0.1).collect();
        let plain = covariance(&columns, 2, &r, Some(&w), loss).matrix.unwrap();
        let scaled: Vec<f64> = w.iter().map(|w| w * factor).collect();
        let other = covariance(&columns, 2, &r, Some(&scaled), loss).matrix.unwrap();
        prop_assert!(plain.iter().zip(&other).all(|(a, b)| close(*a, *b, 1e-9)));

        let back = |v: &[f64]| v.iter().rev().copied().collect::<Vec<f64>>();
        let reversed: Vec<f64> = vec![1.0; n].into_iter().chain(back(&x)).collect();
        let other = covariance(&reversed, 2, &back(&r), Some(&back(&w)), loss).matrix.unwrap();
        prop_assert!(plain.iter().zip(&other).all(|(a, b)| close(*a, *b, 1e-9)));

        let with_extra = |v: &[f64], value: f64| v.iter().copied().chain([value]).collect::<Vec<f64>>();
        let wider: Vec<f64> = vec![1.0; n + 1].into_iter().chain(with_extra(&x, 9.0)).collect();
        let other =
            covariance(&wider, 2, &with_extra(&r, 3.0), Some(&with_extra(&w, 0.0)), loss).matrix.unwrap();
        prop_assert!(plain.iter().zip(&other).all(|(a, b)| close(*a, *b, 1e-9)));
    }

    #[test]
    fn units_of_a_parameter_scale_its_standard_error_only(seed in 0u64..1000, unit in 1e-12f64..1e12) {
        let n = 50;
        let (x, r) = (noise(seed, n), noise(seed + 1, n));
        let columns: Vec<f64> = vec![1.0; n].into_iter().chain(x.iter().copied()).collect();
        let scaled: Vec<f64> = vec![1.0; n].into_iter().chain(x.iter().map(|x| x / unit)).collect();
        for loss in [Loss::Squared, Loss::Huber { delta: 0.8 }] {
            let plain = covariance(&columns, 2, &r, None, loss).std_errors(2).unwrap();
            let other = covariance(&scaled, 2, &r, None, loss).std_errors(2).unwrap();
            prop_assert!(close(plain[0], other[0], 1e-9) && close(plain[1] * unit, other[1], 1e-9));
        }
    }
}
