//! Groups: truths recovered, agreement with single fits, statuses, independence of threads and neighbours.

use super::*;
use crate::parameter::{Parameter, Transform};
use crate::rng::{Random, Stream};
use scalefast_expr::System;

/// Columns of many groups, one after the other.
#[derive(Default)]
struct Rows {
    x: Vec<f64>,
    y: Vec<f64>,
    offsets: Vec<usize>,
}

impl Rows {
    fn new() -> Self {
        Rows {
            offsets: vec![0],
            ..Rows::default()
        }
    }

    fn push(&mut self, points: impl IntoIterator<Item = (f64, f64)>) {
        for (x, y) in points {
            self.x.push(x);
            self.y.push(y);
        }
        self.offsets.push(self.x.len());
    }

    fn groups(&self) -> usize {
        self.offsets.len() - 1
    }

    fn rows(&self, group: usize) -> Range<usize> {
        self.offsets[group]..self.offsets[group + 1]
    }

    fn fit(&self, spec: &GroupSpec, weights: Option<&[f64]>) -> GroupFits {
        self.with(weights, |data| {
            fit_groups(spec, data, &Control::new()).unwrap()
        })
    }

    fn alone(&self, spec: &GroupSpec, weights: Option<&[f64]>, group: usize) -> Row {
        self.with(weights, |data| {
            fit_alone(spec, data, self.rows(group), &Control::new()).unwrap()
        })
    }

    fn with<R>(&self, weights: Option<&[f64]>, work: impl FnOnce(&GroupData<'_>) -> R) -> R {
        let columns = [&self.x[..]];
        work(&GroupData {
            columns: &columns,
            response: &self.y,
            weights,
            offsets: &self.offsets,
            require_positive: &[true],
        })
    }
}

fn spec(formula: &str, parameters: Vec<Parameter>, residual: Residual) -> GroupSpec {
    GroupSpec {
        system: System::formula(formula).unwrap(),
        output: "L".into(),
        variables: vec!["x".into()],
        parameters,
        residual,
        loss: LossChoice::Given(Loss::Squared),
        errors: Errors::Independent,
        threads: Some(2),
    }
}

fn power(residual: Residual, bounded: bool) -> GroupSpec {
    let mut parameters: Vec<Parameter> = ["E", "A", "alpha"].map(Parameter::free).to_vec();
    if bounded {
        parameters[1] = parameters[1]
            .clone()
            .with_bounds(0.0, f64::INFINITY)
            .with_transform(Transform::Log);
        parameters[2] = parameters[2]
            .clone()
            .with_bounds(0.0, f64::INFINITY)
            .with_start(0.02, 2.0);
    }
    spec("E + A/x**alpha", parameters, residual)
}

fn truth(group: u32) -> (f64, f64, f64) {
    let random = Random::new(7, Stream::Screening);
    let draw = |i| random.uniform(group, i);
    (
        1.0 + 2.0 * draw(0),
        0.5 + 2.0 * draw(1),
        0.2 + 0.4 * draw(2),
    )
}

/// Runs of `E + A (x/1e6)^-alpha` with noise of a given size, of 8 to 8 + `spread` rows.
fn curves(groups: u32, noise: f64, spread: usize) -> Rows {
    let random = Random::new(8, Stream::Screening);
    let mut rows = Rows::new();
    for group in 0..groups {
        let (e, a, alpha) = truth(group);
        let m = 8 + group as usize % (spread + 1);
        rows.push((0..m).map(|i| {
            let x = 10f64.powf(6.0 + 4.0 * i as f64 / (m - 1) as f64);
            let y = e + a * (x / 1e6).powf(-alpha);
            (x, y * (1.0 + noise * random.normal(group, i as u64)))
        }));
    }
    rows
}

fn bits(fits: &GroupFits) -> Vec<u64> {
    let columns = fits.parameters.iter().chain(&fits.std_errors);
    let numbers = columns.chain(std::iter::once(&fits.objective)).flatten();
    let status = fits.status.iter().map(|&s| u64::from(s));
    numbers.map(|x| x.to_bits()).chain(status).collect()
}

#[test]
fn the_truth_is_recovered_from_exact_curves() {
    let rows = curves(300, 0.0, 3);
    for residual in [Residual::Identity, Residual::Log] {
        let fits = rows.fit(&power(residual, true), None);
        for group in 0..rows.groups() {
            let (e, a, alpha) = truth(group as u32);
            assert_eq!(fits.status[group], Status::Converged as u8, "{group}");
            let expected = [e, a * 1e6f64.powf(alpha), alpha];
            for (found, wanted) in fits.parameters.iter().zip(expected) {
                let found = found[group];
                assert!(
                    (found - wanted).abs() <= 1e-6 * wanted,
                    "{group}: {found} {wanted}"
                );
            }
        }
    }
}

#[test]
fn lanes_agree_with_single_fits() {
    for (residual, bounded) in [
        (Residual::Identity, true),
        (Residual::Identity, false),
        (Residual::Log, true),
    ] {
        let spec = power(residual, bounded);
        let rows = curves(60, 0.01, 9);
        let fits = rows.fit(&spec, None);
        for group in 0..rows.groups() {
            let alone = rows.alone(&spec, None, group);
            agree(&fits, group, &alone);
        }
    }
}

/// Lanes may end lower than a single fit, never higher; at the same optimum everything agrees.
fn agree(fits: &GroupFits, group: usize, alone: &Row) {
    let excess = (fits.objective[group] - alone.objective) / alone.objective;
    assert!(excess <= 1e-10, "{group}: {excess:e}");
    if excess < -1e-8 {
        return;
    }
    assert_eq!(fits.status[group], alone.status as u8, "{group}");
    for q in 0..alone.parameters.len() {
        let (error, own) = (fits.std_errors[q][group], alone.std_errors[q]);
        assert_eq!(error.is_nan(), own.is_nan());
        if error.is_nan() {
            continue;
        }
        assert!((error - own).abs() <= 1e-5 * own, "{group}: {error} {own}");
        let distance = (fits.parameters[q][group] - alone.parameters[q]).abs();
        assert!(distance <= 1e-5 * own, "{group}: {distance} {own}");
    }
}

#[test]
fn other_laws_agree_with_single_fits() {
    let free = |names: &[&str]| {
        names
            .iter()
            .map(|n| Parameter::free(*n))
            .collect::<Vec<_>>()
    };
    let mut bounded = free(&["E", "A", "k"]);
    bounded[0] = bounded[0].clone().with_bounds(1.5, 2.0);
    let laws = [
        spec(
            "E + A*exp(-k*x)",
            free(&["E", "A", "k"]),
            Residual::Identity,
        ),
        spec("E + A*exp(-k*x)", bounded, Residual::Identity),
        spec("a + b*x", free(&["a", "b"]), Residual::Identity),
        spec("A*x**-b*exp(-c*x)", free(&["A", "b", "c"]), Residual::Log),
    ];
    let random = Random::new(9, Stream::Screening);
    for spec in &laws {
        let mut rows = Rows::new();
        for group in 0..40 {
            let (e, a, k) = truth(group);
            rows.push((1..=10).map(|i| {
                let x = f64::from(i);
                let y = e + a * (-k * x).exp();
                (x, y * (1.0 + 0.003 * random.normal(group, i as u64)))
            }));
        }
        let fits = rows.fit(spec, None);
        for group in 0..rows.groups() {
            let alone = rows.alone(spec, None, group);
            if alone.status == Status::Converged || alone.status == Status::AtBound {
                agree(&fits, group, &alone);
            }
        }
    }
}

#[test]
fn ties_and_fixed_values_are_kept_with_their_errors() {
    let mut parameters: Vec<Parameter> = ["E", "A", "alpha"].map(Parameter::free).to_vec();
    parameters[0] = Parameter::tied("E", "2*alpha + 1");
    parameters.push(Parameter::fixed("c", 1e6));
    let spec = spec("E + A*(x/c)**-alpha", parameters, Residual::Identity);
    let rows = curves(20, 0.01, 0);
    let fits = rows.fit(&spec, None);
    for group in 0..rows.groups() {
        assert_eq!(fits.parameters[3][group], 1e6);
        assert!(fits.std_errors[3][group].is_nan());
        let (e, alpha) = (fits.parameters[0][group], fits.parameters[2][group]);
        assert!((e - 2.0 * alpha - 1.0).abs() <= 1e-12 * e);
        let ratio = fits.std_errors[0][group] / fits.std_errors[2][group];
        assert!((ratio - 2.0).abs() <= 1e-9);
        agree(&fits, group, &rows.alone(&spec, None, group));
    }
}

#[test]
fn broken_groups_are_named_and_leave_the_others_alone() {
    let sound = curves(200, 0.01, 5);
    let spec = power(Residual::Identity, true);
    let expected = sound.fit(&spec, None);
    let mut rows = Rows::new();
    let mut origin = Vec::new();
    let mut wanted = Vec::new();
    for group in 0..sound.groups() {
        let own: Vec<(f64, f64)> = sound
            .rows(group)
            .map(|i| (sound.x[i], sound.y[i]))
            .collect();
        origin.push(rows.groups());
        rows.push(own.clone());
        let (status, broken): (Status, Vec<(f64, f64)>) = match group % 7 {
            0 => (Status::InvalidValues, with_value(&own, f64::NAN)),
            1 => (Status::InvalidValues, with_value(&own, f64::INFINITY)),
            2 => (
                Status::ConstantResponse,
                own.iter().map(|p| (p.0, 2.0)).collect(),
            ),
            3 => (Status::TooFewPoints, own[..2].to_vec()),
            4 => (Status::TooFewPoints, vec![own[0]; 8]),
            5 => (
                Status::InvalidValues,
                own.iter().map(|p| (-p.0, p.1)).collect(),
            ),
            _ => (Status::TooFewPoints, Vec::new()),
        };
        wanted.push((rows.groups(), status));
        rows.push(broken);
    }
    let fits = rows.fit(&spec, None);
    for (group, status) in wanted {
        assert_eq!(Status::ALL[fits.status[group] as usize], status);
        assert!(
            fits.objective[group].is_nan() && fits.parameters.iter().all(|p| p[group].is_nan())
        );
    }
    for (group, &place) in origin.iter().enumerate() {
        let same = |a: &[f64], b: &[f64]| a[place].to_bits() == b[group].to_bits();
        assert_eq!(fits.status[place], expected.status[group]);
        for (a, b) in fits.parameters.iter().zip(&expected.parameters) {
            assert!(same(a, b));
        }
        for (a, b) in fits.std_errors.iter().zip(&expected.std_errors) {
            assert!(same(a, b));
        }
    }
}

fn with_value(points: &[(f64, f64)], value: f64) -> Vec<(f64, f64)> {
    let mut points = points.to_vec();
    points[1].1 = value;
    points
}

#[test]
fn collinear_variables_are_ill_determined() {
    let mut parameters: Vec<Parameter> = ["E", "A", "B"].map(Parameter::free).to_vec();
    parameters[0] = Parameter::free("E");
    let spec = spec("E + A*x + B*(2*x)", parameters, Residual::Identity);
    let rows = curves(5, 0.01, 0);
    let fits = rows.fit(&spec, None);
    assert!(
        fits.status
            .iter()
            .all(|&s| s == Status::IllDetermined as u8)
    );
}

#[test]
fn results_depend_on_neither_threads_nor_neighbours() {
    let rows = curves(3_000, 0.02, 7);
    let reference = bits(&rows.fit(&power(Residual::Identity, true), None));
    for threads in [1, 3, 7] {
        let spec = GroupSpec {
            threads: Some(threads),
            ..power(Residual::Identity, true)
        };
        assert!(bits(&rows.fit(&spec, None)) == reference);
    }
    let whole = rows.fit(&power(Residual::Identity, true), None);
    for group in (0..rows.groups()).step_by(97) {
        let mut one = Rows::new();
        one.push(rows.rows(group).map(|i| (rows.x[i], rows.y[i])));
        let single = one.fit(&power(Residual::Identity, true), None);
        for (a, b) in single.parameters.iter().zip(&whole.parameters) {
            assert_eq!(a[0].to_bits(), b[group].to_bits());
        }
    }
}

#[test]
fn weights_count_rows_and_zero_leaves_them_out() {
    let spec = power(Residual::Identity, true);
    let rows = curves(150, 0.01, 3);
    let doubled = vec![2.0; rows.x.len()];
    let (plain, twice) = (rows.fit(&spec, None), rows.fit(&spec, Some(&doubled)));
    for group in 0..rows.groups() {
        let ratio = twice.objective[group] / plain.objective[group];
        assert!((ratio - 2.0).abs() <= 1e-9);
        let (a, b) = (plain.std_errors[2][group], twice.std_errors[2][group]);
        assert!((a - b).abs() <= 1e-6 * a);
    }
    let mut longer = Rows::new();
    let mut weights = Vec::new();
    for group in 0..rows.groups() {
        let own = rows.rows(group);
        weights.extend(std::iter::repeat_n(1.0, own.len()));
        weights.push(0.0);
        let extra = std::iter::once((1e7, 99.0));
        longer.push(own.map(|i| (rows.x[i], rows.y[i])).chain(extra));
    }
    let without = longer.fit(&spec, Some(&weights));
    for (a, b) in without.parameters.iter().zip(&plain.parameters) {
        assert!(
            a.iter()
                .zip(b)
                .all(|(x, y)| (x - y).abs() <= 1e-6 * y.abs())
        );
    }
}

#[test]
fn robust_losses_go_one_by_one_through_the_same_face() {
    let spec = GroupSpec {
        loss: LossChoice::Given(Loss::Huber { delta: 0.01 }),
        ..power(Residual::Log, true)
    };
    let rows = curves(6, 0.01, 0);
    let fits = rows.fit(&spec, None);
    for group in 0..rows.groups() {
        let alone = rows.alone(&spec, None, group);
        assert_eq!(fits.objective[group].to_bits(), alone.objective.to_bits());
    }
}

#[test]
fn arrays_that_do_not_fit_together_are_refused() {
    let (x, y) = ([1.0, 2.0], [1.0, 2.0]);
    let columns = [&x[..]];
    let data = |offsets| GroupData {
        columns: &columns,
        response: &y,
        weights: None,
        offsets,
        require_positive: &[true],
    };
    let spec = power(Residual::Identity, true);
    for bad in [&[0, 1][..], &[1, 2], &[0, 2, 1, 2], &[]] {
        let error = fit_groups(&spec, &data(bad), &Control::new()).unwrap_err();
        assert_eq!(error.code, "bad-offsets");
    }
    let none = fit_groups(&spec, &data(&[0, 0, 2]), &Control::new()).unwrap();
    assert_eq!(none.status, [Status::TooFewPoints as u8; 2]);
}
