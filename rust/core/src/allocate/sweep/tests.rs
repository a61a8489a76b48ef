use super::*;
use crate::rng::{Random, Stream};
use scalefast_expr::System;

const LAW: &str = "E + A/N**alpha + B/D**beta";

fn form(cost: &str) -> ClosedForm {
    ClosedForm::detect(
        &System::formula(LAW).unwrap(),
        "L",
        &System::formula(cost).unwrap(),
        ("N", "D"),
    )
    .unwrap()
}

/// Draws around the optimum of the Epoch data, in the order alpha, beta, A, B, E.
fn draws(count: u64) -> [Vec<f64>; 5] {
    let random = Random::new(1, Stream::Draws);
    let draw = |k: u32, centre: f64, spread: f64| -> Vec<f64> {
        (0..count)
            .map(|i| centre * (1.0 + spread * random.normal(k, i)))
            .collect()
    };
    [
        draw(0, 0.35, 0.04),
        draw(1, 0.37, 0.05),
        draw(2, 480.0, 0.1),
        draw(3, 2100.0, 0.1),
        draw(4, 1.8, 0.01),
    ]
}

const ESTIMATE: [f64; 5] = [0.35, 0.37, 480.0, 2100.0, 1.8];

fn run(
    form: &ClosedForm,
    draws: &[Vec<f64>; 5],
    budgets: &[f64],
    q: &[f64],
    threads: usize,
) -> Sweep {
    let columns: Vec<Values<'_>> = draws.iter().map(|column| Values::Column(column)).collect();
    assert_eq!(form.parameters(), ["alpha", "beta", "A", "B", "E"]);
    sweep(
        form,
        &ESTIMATE,
        &columns,
        budgets,
        q,
        Some(threads),
        &Control::new(),
    )
    .unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-12
}

#[test]
fn quantiles_are_those_of_single_allocations() {
    let form = form("6*N*D");
    let draws = draws(501);
    let (budgets, q) = ([1e21, 3e24], [0.05, 0.5, 0.9]);
    let found = run(&form, &draws, &budgets, &q, 2);
    for (b, &budget) in budgets.iter().enumerate() {
        let single: Vec<[f64; 4]> = (0..501)
            .map(|i| {
                let values: Vec<f64> = draws.iter().map(|column| column[i]).collect();
                let best = form.allocate(&values, budget).unwrap();
                [best.first, best.second, best.second / best.first, best.loss]
            })
            .collect();
        let best = form.allocate(&ESTIMATE, budget).unwrap();
        assert_eq!(found.first.point[b], best.first);
        assert_eq!(found.ratio.point[b], best.second / best.first);
        let quantities = [&found.first, &found.second, &found.ratio, &found.loss];
        for (k, quantity) in quantities.into_iter().enumerate() {
            let column: Vec<f64> = single.iter().map(|row| row[k]).collect();
            let expected = quantile::quantiles(&column, &q, &mut Vec::new());
            for (q, expected) in expected.iter().enumerate() {
                assert!(close(quantity.quantiles[q][b], *expected), "{k} {q}");
            }
        }
    }
    assert_eq!((found.draws, found.valid_draws), (501, 501));
}

#[test]
fn threads_change_no_bit() {
    let form = form("6*N*D");
    let draws = draws(3000);
    let budgets: Vec<f64> = (0..13).map(|k| 1e20 * f64::from(1 << k)).collect();
    let q = [0.05, 0.5, 0.95];
    assert_eq!(
        run(&form, &draws, &budgets, &q, 1),
        run(&form, &draws, &budgets, &q, 3)
    );
}

#[test]
fn an_uncertain_cost_is_drawn_too() {
    let form = form("k*N*D");
    assert_eq!(form.parameters(), ["alpha", "beta", "A", "B", "k", "E"]);
    let [alpha, beta, a, b, e] = draws(200);
    let k: Vec<f64> = (0..200).map(|i| 5.0 + f64::from(i) / 100.0).collect();
    let columns: Vec<Values<'_>> = [&alpha, &beta, &a, &b, &k, &e]
        .map(|c| Values::Column(c))
        .to_vec();
    let estimate = [0.35, 0.37, 480.0, 2100.0, 6.0, 1.8];
    let found = sweep(
        &form,
        &estimate,
        &columns,
        &[1e22],
        &[0.5],
        None,
        &Control::new(),
    )
    .unwrap();
    let seconds: Vec<f64> = (0..200)
        .map(|i| {
            form.allocate(&[alpha[i], beta[i], a[i], b[i], k[i], e[i]], 1e22)
                .unwrap()
                .second
        })
        .collect();
    assert!(close(
        found.second.quantiles[0][0],
        quantile::quantiles(&seconds, &[0.5], &mut Vec::new())[0]
    ));
}

#[test]
fn draws_without_an_optimum_are_counted_and_left_out() {
    let form = form("6*N*D");
    let mut draws = draws(100);
    draws[0][3] = -0.1;
    draws[2][7] = f64::NAN;
    let found = run(&form, &draws, &[1e22, 1e23], &[0.0, 1.0], 1);
    assert_eq!(found.valid_draws, 98);
    assert!(
        found
            .first
            .quantiles
            .iter()
            .flatten()
            .all(|x| x.is_finite())
    );
    draws[4].fill(f64::NAN);
    let found = run(&form, &draws, &[1e22], &[0.5], 1);
    assert_eq!(found.valid_draws, 0);
    assert!(found.first.quantiles[0][0].is_nan() && found.first.point[0].is_finite());
}

#[test]
fn without_draws_there_are_no_quantiles() {
    let form = form("6*N*D");
    let numbers: Vec<Values<'_>> = ESTIMATE.iter().map(|x| Values::Number(*x)).collect();
    let found = sweep(
        &form,
        &ESTIMATE,
        &numbers,
        &[1e22],
        &[0.5],
        None,
        &Control::new(),
    )
    .unwrap();
    assert_eq!((found.draws, found.valid_draws), (0, 0));
    assert!(found.first.quantiles[0][0].is_nan() && found.first.point[0] > 0.0);
}

#[test]
fn misuse_is_an_error_with_a_code() {
    let form = form("6*N*D");
    let numbers: Vec<Values<'_>> = ESTIMATE.iter().map(|x| Values::Number(*x)).collect();
    let code = |budgets: &[f64], q: &[f64], estimate: &[f64]| {
        sweep(&form, estimate, &numbers, budgets, q, None, &Control::new())
            .unwrap_err()
            .code
    };
    for budget in [-1.0, 0.0, f64::NAN, f64::INFINITY] {
        assert_eq!(code(&[1e21, budget], &[0.5], &ESTIMATE), "bad-budget");
    }
    assert_eq!(code(&[1e21], &[1.5], &ESTIMATE), "bad-quantile");
    assert_eq!(code(&[1e21], &[0.5], &ESTIMATE[1..]), "parameter-count");
}

#[test]
fn columns_of_the_cost_follow_the_draws_not_the_estimate() {
    // A number among the draws is what the draws use, also where the estimate says otherwise.
    let form = form("k*N*D");
    let [alpha, beta, a, b, e] = draws(50);
    let mut columns: Vec<Values<'_>> = [&alpha, &beta, &a, &b].map(|c| Values::Column(c)).to_vec();
    columns.extend([Values::Number(12.0), Values::Column(&e)]);
    let estimate = [0.35, 0.37, 480.0, 2100.0, 6.0, 1.8];
    let found = sweep(
        &form,
        &estimate,
        &columns,
        &[1e22],
        &[0.0],
        None,
        &Control::new(),
    )
    .unwrap();
    let largest = (0..50)
        .map(|i| {
            form.allocate(&[alpha[i], beta[i], a[i], b[i], 12.0, e[i]], 1e22)
                .unwrap()
                .first
        })
        .fold(0.0, f64::max);
    assert!(close(found.second.quantiles[0][0] * largest, 1e22 / 12.0));
}
