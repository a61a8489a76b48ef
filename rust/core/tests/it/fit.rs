//! Fits of simulated and invariant problems through the public interface of the crate.

use proptest::prelude::*;
use scalefast_core::dataset::Dataset;
use scalefast_core::executor::Control;
use scalefast_core::fit::{Fit, FitSpec, LossChoice, StartSet, fit};
use scalefast_core::model::Residual;
use scalefast_core::multistart;
use scalefast_core::parameter::Parameter;
use scalefast_core::rng::{Random, Stream};
use scalefast_core::{CoreError, Loss};
use scalefast_expr::System;
use std::borrow::Cow;

const LAW: &str = "E + A/N**alpha + B/D**beta";
const TRUTH: [f64; 5] = [1.8, 480.0, 0.35, 2100.0, 0.37];

/// Runs on a cloud over three decades of N and D, with a relative scatter of the loss.
struct Runs {
    n: Vec<f64>,
    d: Vec<f64>,
    loss: Vec<f64>,
    weights: Option<Vec<f64>>,
}

impl Runs {
    fn simulate(rows: usize, scatter: f64, seed: u64) -> Self {
        let random = Random::new(seed, Stream::Noise);
        let at = |row: usize, axis: u64| random.uniform(row as u32, axis);
        let n: Vec<f64> = (0..rows)
            .map(|i| 10f64.powf(7.0 + 3.0 * at(i, 0)))
            .collect();
        let d: Vec<f64> = (0..rows)
            .map(|i| 10f64.powf(9.0 + 3.0 * at(i, 1)))
            .collect();
        let [e, a, alpha, b, beta] = TRUTH;
        let loss = (0..rows)
            .map(|i| {
                let bell: f64 = (2..14).map(|axis| at(i, axis)).sum::<f64>() - 6.0;
                (e + a / n[i].powf(alpha) + b / d[i].powf(beta)) * (1.0 + scatter * bell)
            })
            .collect();
        Self {
            n,
            d,
            loss,
            weights: None,
        }
    }

    fn data(&self, residual: Residual) -> Result<Dataset<'_>, CoreError> {
        Dataset::new(
            vec!["N".into(), "D".into()],
            vec![Cow::Borrowed(&self.n[..]), Cow::Borrowed(&self.d[..])],
            Cow::Borrowed(&self.loss[..]),
            self.weights.as_deref().map(Cow::Borrowed),
            &[true, true],
            residual == Residual::Log,
        )
    }

    fn fit(&self, residual: Residual, loss: Loss, threads: usize) -> Result<Fit, CoreError> {
        let data = self.data(residual)?;
        fit(&spec(LAW, residual, loss, threads), &data, &Control::new())
    }
}

fn spec(formula: &str, residual: Residual, loss: Loss, threads: usize) -> FitSpec {
    let system = System::formula(formula).expect("the formula parses");
    let variables = vec!["N".to_owned(), "D".to_owned()];
    let parameters = system
        .symbols()
        .into_iter()
        .filter(|s| !variables.contains(s))
        .map(Parameter::free)
        .collect();
    FitSpec {
        system,
        output: "L".into(),
        variables,
        parameters,
        residual,
        loss: LossChoice::Given(loss),
        starts: StartSet::Global,
        clusters: None,
        threads: Some(threads),
    }
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * a.abs().max(b.abs())
}

fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (x, y) in a.iter().zip(b) {
        assert!(
            close(*x, *y, tolerance),
            "{a:?} differs from {b:?} by more than {tolerance}"
        );
    }
}

#[test]
fn closeness_sees_errors_of_both_signs() {
    assert!(close(1.0, 1.0 + 1e-10, 1e-9) && close(1.0 + 1e-10, 1.0, 1e-9));
    assert!(!close(1.0, 1.0 + 1e-8, 1e-9) && !close(1.0 + 1e-8, 1.0, 1e-9));
    assert!(!close(1.0, -1.0, 1e-9));
}

/// Starts that meet are solved together from there on; none of them may notice.
#[test]
fn a_start_ends_where_it_would_end_alone() {
    let runs = Runs::simulate(60, 0.01, 5);
    let data = runs.data(Residual::Log).expect("the data are sound");
    let mut starts = Vec::new();
    for a in [1.0, 1e4, 1e9] {
        for b in [1.0, 1e4, 1e9] {
            for exponent in [0.0, 0.5, 2.0] {
                starts.extend([0.5, a, exponent, b, exponent]);
            }
        }
    }
    let solve = |starts: &[f64], loss: Loss, threads: usize| {
        let spec = FitSpec {
            starts: StartSet::Given(starts.to_vec()),
            ..spec(LAW, Residual::Log, loss, threads)
        };
        fit(&spec, &data, &Control::new()).map(|fit| fit.runs)
    };
    let end = |runs: &multistart::Runs, i: usize| {
        let end = runs.end(i).clone();
        let bits: Vec<u64> = end.theta.iter().map(|t| t.to_bits()).collect();
        (bits, end.cost.to_bits(), end.status, runs.evaluations[i])
    };
    for loss in [
        Loss::Huber { delta: 1e-3 },
        Loss::Cauchy { delta: 1e-2 },
        Loss::Squared,
    ] {
        let together = solve(&starts, loss, 1).expect("some start has an end");
        let threaded = solve(&starts, loss, 3).expect("some start has an end");
        for (i, start) in starts.chunks(5).enumerate() {
            assert_eq!(together.start(i), start);
            assert_eq!(end(&threaded, i), end(&together, i));
            match solve(start, loss, 1) {
                Ok(alone) => assert_eq!(end(&alone, 0), end(&together, i)),
                Err(error) => {
                    assert_eq!(error.code, "law-undefined");
                    assert!(!together.end(i).cost.is_finite());
                }
            }
        }
    }
}

#[test]
fn noise_free_runs_give_the_truth_back() {
    let runs = Runs::simulate(120, 0.0, 1);
    for residual in [Residual::Log, Residual::Identity] {
        for loss in [
            Loss::Squared,
            Loss::Huber { delta: 1e-3 },
            Loss::SoftL1 { delta: 1e-2 },
        ] {
            let fit = runs.fit(residual, loss, 1).expect("the fit runs");
            assert_close(&fit.parameters, &TRUTH, 1e-6);
        }
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let runs = Runs::simulate(150, 0.01, 2);
    for loss in [Loss::Squared, Loss::Huber { delta: 1e-3 }] {
        let one = runs.fit(Residual::Log, loss, 1).expect("the fit runs");
        for threads in [2, 7] {
            let many = runs
                .fit(Residual::Log, loss, threads)
                .expect("the fit runs");
            let bits = |f: &Fit| f.parameters.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&one), bits(&many));
            assert_eq!(one.objective.to_bits(), many.objective.to_bits());
        }
    }
}

#[test]
fn every_loss_ends_at_a_certified_minimum() {
    let runs = Runs::simulate(200, 0.01, 3);
    let losses = [
        Loss::Squared,
        Loss::Huber { delta: 1e-3 },
        Loss::SoftL1 { delta: 1e-3 },
        Loss::Cauchy { delta: 5e-3 },
        Loss::Asymmetric { weight: 3.0 },
        Loss::Pinball {
            quantile: 0.3,
            width: 1e-2,
        },
    ];
    for loss in losses {
        let fit = runs.fit(Residual::Log, loss, 2).expect("the fit runs");
        assert_eq!(fit.status, "converged", "{loss:?}: {:?}", fit.certificate);
        assert!(
            fit.certificate.agreeing >= 2,
            "{loss:?}: {:?}",
            fit.certificate
        );
    }
}

#[test]
fn too_few_distinct_points_are_refused() {
    let mut runs = Runs::simulate(40, 0.01, 4);
    for i in 0..40 {
        runs.n[i] = runs.n[i % 5];
        runs.d[i] = runs.d[i % 5];
    }
    let error = runs
        .fit(Residual::Log, Loss::Squared, 1)
        .expect_err("five points cannot determine five parameters");
    assert_eq!(
        (error.code, error.value, error.limit),
        ("too-few-points", Some(5.0), Some(6.0))
    );
}

#[test]
fn a_constant_variable_is_refused_by_name() {
    let mut runs = Runs::simulate(40, 0.01, 4);
    runs.n.fill(1e9);
    let error = runs
        .fit(Residual::Log, Loss::Squared, 1)
        .expect_err("one N shows no dependence on it");
    assert_eq!(
        (error.code, error.column.as_deref()),
        ("too-few-values", Some("N"))
    );
}

#[test]
fn fixed_and_tied_parameters_hold() {
    let runs = Runs::simulate(100, 0.0, 5);
    let data = runs.data(Residual::Log).expect("the data are valid");
    let mut spec = spec(LAW, Residual::Log, Loss::Squared, 1);
    for parameter in &mut spec.parameters {
        *parameter = match parameter.name.as_str() {
            "E" => Parameter::fixed("E", 1.8),
            "beta" => Parameter::tied("beta", "alpha + 0.02"),
            other => Parameter::free(other),
        };
    }
    let fit = fit(&spec, &data, &Control::new()).expect("the fit runs");
    assert_eq!(fit.positions.len(), 3);
    assert_close(&fit.parameters, &TRUTH, 1e-6);
}

#[test]
fn cancelled_fits_end_with_their_own_error() {
    let runs = Runs::simulate(50, 0.01, 6);
    let data = runs.data(Residual::Log).expect("the data are valid");
    let control = Control::new();
    control.cancel();
    let error = fit(&spec(LAW, Residual::Log, Loss::Squared, 1), &data, &control)
        .expect_err("it was cancelled");
    assert_eq!(error.code, "interrupted");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// F1: what must not matter does not, and units move exactly the coefficients they should.
    #[test]
    fn invariances(seed in 10u64..1_000, k in 0.01f64..100.0, robust in any::<bool>()) {
        let loss = if robust { Loss::Huber { delta: 1e-3 } } else { Loss::Squared };
        let runs = Runs::simulate(80, 0.005, seed);
        let base = runs.fit(Residual::Log, loss, 2).expect("the fit runs");
        let [e, a, alpha, b, beta] = base.parameters[..] else { panic!("five parameters") };
        // The valley is flat: undamped steps at the end settle the parameters where the objective no longer can.
        let check = |fit: &Fit, expected: [f64; 5], objective: f64| {
            assert_close(&fit.parameters, &expected, 1e-9);
            assert!(close(fit.objective, objective, 1e-11), "{} is not {objective}", fit.objective);
        };

        let weighted = Runs { weights: Some(vec![k; 80]), n: runs.n.clone(), d: runs.d.clone(), loss: runs.loss.clone() };
        check(&weighted.fit(Residual::Log, loss, 2).expect("the fit runs"), [e, a, alpha, b, beta], k * base.objective);

        let rescaled = Runs {
            n: runs.n.iter().map(|n| n * k).collect(),
            d: runs.d.iter().map(|d| d / k).collect(),
            loss: runs.loss.clone(),
            weights: None,
        };
        let moved = [e, a * k.powf(alpha), alpha, b * k.powf(-beta), beta];
        check(&rescaled.fit(Residual::Log, loss, 2).expect("the fit runs"), moved, base.objective);

        let brighter = Runs { loss: runs.loss.iter().map(|l| l * k).collect(), n: runs.n.clone(), d: runs.d.clone(), weights: None };
        check(&brighter.fit(Residual::Log, loss, 2).expect("the fit runs"), [e * k, a * k, alpha, b * k, beta], base.objective);

        let reversed = Runs {
            n: runs.n.iter().rev().copied().collect(),
            d: runs.d.iter().rev().copied().collect(),
            loss: runs.loss.iter().rev().copied().collect(),
            weights: None,
        };
        check(&reversed.fit(Residual::Log, loss, 2).expect("the fit runs"), [e, a, alpha, b, beta], base.objective);

        let twice = Runs {
            n: [&runs.n[..], &runs.n[..20]].concat(),
            d: [&runs.d[..], &runs.d[..20]].concat(),
            loss: [&runs.loss[..], &runs.loss[..20]].concat(),
            weights: None,
        };
        let doubled = Runs {
            weights: Some((0..80).map(|i| if i < 20 { 2.0 } else { 1.0 }).collect()),
            n: runs.n.clone(),
            d: runs.d.clone(),
            loss: runs.loss.clone(),
        };
        let (x, y) = (twice.fit(Residual::Log, loss, 2).expect("the fit runs"), doubled.fit(Residual::Log, loss, 2).expect("the fit runs"));
        check(&x, [y.parameters[0], y.parameters[1], y.parameters[2], y.parameters[3], y.parameters[4]], y.objective);
    }
}
