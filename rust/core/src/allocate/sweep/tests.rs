//! Published optima, and what a sweep must agree with.
//!
//! Longer than the rule, because one case compares every quantity of a sweep with that of each cell alone.

use super::*;
use crate::allocate::Wanted;
use crate::quantile;
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

/// Quantiles, the loss at the plan, every allocation.
fn wanted(probabilities: &[f64]) -> Wanted<'_> {
    Wanted {
        probabilities,
        plan_loss: true,
        keep: true,
    }
}

fn run(
    form: &ClosedForm,
    draws: &[Vec<f64>; 5],
    budgets: &[f64],
    q: &[f64],
    threads: usize,
) -> Spread {
    let columns: Vec<Values<'_>> = draws.iter().map(|column| Values::Column(column)).collect();
    assert_eq!(form.parameters(), ["alpha", "beta", "A", "B", "E"]);
    sweep(
        form,
        &Asked {
            estimate: &ESTIMATE,
            draws: &columns,
            cells: &Cells::of(budgets),
            wanted: wanted(q),
            threads: Some(threads),
        },
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
        assert_eq!(found.quantities[0].point[b], best.first);
        assert_eq!(found.quantities[4].point[b], best.second / best.first);
        let quantities = [0, 1, 4, 3].map(|k| &found.quantities[k]);
        for (k, quantity) in quantities.into_iter().enumerate() {
            let column: Vec<f64> = single.iter().map(|row| row[k]).collect();
            let expected = quantile::quantiles(&column, &q);
            for (q, expected) in expected.iter().enumerate() {
                assert!(close(quantity.quantiles[q][b], *expected), "{k} {q}");
            }
        }
    }
    assert_eq!(found.solved_draws, [501, 501]);
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
        &Asked {
            estimate: &estimate,
            draws: &columns,
            cells: &Cells::of(&[1e22]),
            wanted: wanted(&[0.5]),
            threads: None,
        },
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
        found.quantities[1].quantiles[0][0],
        quantile::quantiles(&seconds, &[0.5])[0]
    ));
}

#[test]
fn draws_without_an_optimum_are_counted_and_left_out() {
    let form = form("6*N*D");
    let mut draws = draws(100);
    draws[0][3] = -0.1;
    draws[2][7] = f64::NAN;
    let found = run(&form, &draws, &[1e22, 1e23], &[0.0, 1.0], 1);
    assert_eq!(found.solved_draws, [98, 98]);
    assert!(
        found.quantities[0]
            .quantiles
            .iter()
            .flatten()
            .all(|x| x.is_finite())
    );
    draws[4].fill(f64::NAN);
    let found = run(&form, &draws, &[1e22], &[0.5], 1);
    assert_eq!(found.solved_draws, [0]);
    assert!(
        found.quantities[0].quantiles[0][0].is_nan() && found.quantities[0].point[0].is_finite()
    );
}

#[test]
fn without_draws_there_are_no_quantiles() {
    let form = form("6*N*D");
    let numbers: Vec<Values<'_>> = ESTIMATE.iter().map(|x| Values::Number(*x)).collect();
    let found = sweep(
        &form,
        &Asked {
            estimate: &ESTIMATE,
            draws: &numbers,
            cells: &Cells::of(&[1e22]),
            wanted: wanted(&[0.5]),
            threads: None,
        },
        &Control::new(),
    )
    .unwrap();
    assert_eq!(found.solved_draws, [0]);
    assert!(found.quantities[0].quantiles[0][0].is_nan() && found.quantities[0].point[0] > 0.0);
}

#[test]
fn misuse_is_an_error_with_a_code() {
    let form = form("6*N*D");
    let numbers: Vec<Values<'_>> = ESTIMATE.iter().map(|x| Values::Number(*x)).collect();
    let code = |budgets: &[f64], q: &[f64], estimate: &[f64]| {
        sweep(
            &form,
            &Asked {
                estimate,
                draws: &numbers,
                cells: &Cells::of(budgets),
                wanted: wanted(q),
                threads: None,
            },
            &Control::new(),
        )
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
        &Asked {
            estimate: &estimate,
            draws: &columns,
            cells: &Cells::of(&[1e22]),
            wanted: wanted(&[0.0]),
            threads: None,
        },
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
    assert!(close(
        found.quantities[1].quantiles[0][0] * largest,
        1e22 / 12.0
    ));
}

/// The quantiles of a cell, from its allocations.
fn from_kept(found: &Spread, cell: usize, count: usize, q: &[f64]) -> [Vec<f64>; 4] {
    let kept = found.kept.as_ref().unwrap();
    let range = cell * count..(cell + 1) * count;
    let solved: Vec<usize> = range.filter(|&i| kept.status[i].is_solved()).collect();
    assert_eq!(solved.len(), found.solved_draws[cell]);
    let column = |k: usize| -> Vec<f64> { solved.iter().map(|&i| kept.columns[k][i]).collect() };
    let (first, second, loss) = (column(0), column(1), column(2));
    let ratio: Vec<f64> = second.iter().zip(&first).map(|(d, n)| d / n).collect();
    [first, second, ratio, loss].map(|column| quantile::quantiles(&column, q))
}

#[test]
fn quantiles_of_many_draws_are_those_of_the_allocations_to_the_last_bit() {
    let (budgets, q) = ([1e20, 1e23, 1e26], [0.0, 0.05, 0.5, 0.501, 0.95, 1.0]);
    let count = 50_001;
    for spoilt in [0, 7] {
        let mut draws = draws(count as u64);
        draws[0]
            .iter_mut()
            .skip(3)
            .step_by(1000)
            .take(spoilt)
            .for_each(|alpha| *alpha = -0.1);
        let found = run(&form("6*N*D"), &draws, &budgets, &q, 2);
        for cell in 0..budgets.len() {
            assert_eq!(found.solved_draws[cell], count - spoilt);
            let expected = from_kept(&found, cell, count, &q);
            for (k, expected) in [0, 1, 4, 3].into_iter().zip(expected) {
                let quantiles = &found.quantities[k].quantiles;
                assert_eq!(
                    quantiles.iter().map(|q| q[cell]).collect::<Vec<f64>>(),
                    expected,
                    "{k}"
                );
            }
        }
    }
}

#[test]
fn the_loss_at_the_plan_is_that_of_each_draw_at_one_split() {
    let form = form("6*N*D");
    let [alpha, beta, a, b, e] = draws(300);
    let drawn = [alpha.clone(), beta.clone(), a.clone(), b.clone(), e.clone()];
    let found = run(&form, &drawn, &[1e23], &[0.05, 0.5, 0.95], 1);
    let best = form.allocate(&ESTIMATE, 1e23).unwrap();
    let losses: Vec<f64> = (0..300)
        .map(|i| e[i] + a[i] / best.first.powf(alpha[i]) + b[i] / best.second.powf(beta[i]))
        .collect();
    let expected = quantile::quantiles(&losses, &[0.05, 0.5, 0.95]);
    for (found, (own, expected)) in found.quantities[5]
        .quantiles
        .iter()
        .zip(found.quantities[3].quantiles.iter().zip(expected))
    {
        assert!(close(found[0], expected));
        // No draw does better elsewhere than at its own optimum.
        assert!(own[0] <= found[0]);
    }
    assert_eq!(found.quantities[5].point, found.quantities[3].point);
}

#[test]
fn what_differs_from_cell_to_cell_is_as_if_asked_alone() {
    let law = System::formula("E + A/N**alpha + Z*B/D**beta").unwrap();
    let cost = System::formula("6*N*D").unwrap();
    let form = ClosedForm::detect(&law, "L", &cost, ("N", "D")).unwrap();
    let drawn = draws(100);
    let place = |name: &String| {
        ["alpha", "beta", "A", "B", "E"]
            .iter()
            .position(|n| n == name)
    };
    let values = |z: f64| -> (Vec<f64>, Vec<Values<'_>>) {
        let estimate = |name: &String| place(name).map_or(z, |k| ESTIMATE[k]);
        let column = |name: &String| match place(name) {
            Some(k) => Values::Column(&drawn[k]),
            None => Values::Number(z),
        };
        let names = form.parameters();
        (
            names.iter().map(estimate).collect(),
            names.iter().map(column).collect(),
        )
    };
    // Where Z is negative the data term grows: no optimum.
    let (budgets, z) = ([1e21, 1e22, 1e21], [0.5, 2.0, -1.0]);
    let cells = Cells {
        targets: &budgets,
        pinned: vec![("Z", &z)],
    };
    let (estimate, rows) = values(f64::NAN);
    let q = [0.1, 0.9];
    let together = sweep(
        &form,
        &Asked {
            estimate: &estimate,
            draws: &rows,
            cells: &cells,
            wanted: wanted(&q),
            threads: None,
        },
        &Control::new(),
    )
    .unwrap();
    assert_eq!(together.solved_draws, [100, 100, 0]);
    assert_eq!(together.status[2], Status::NoFiniteOptimum);
    for cell in 0..2 {
        let (estimate, rows) = values(z[cell]);
        let alone = Cells::of(&budgets[cell..=cell]);
        let alone = sweep(
            &form,
            &Asked {
                estimate: &estimate,
                draws: &rows,
                cells: &alone,
                wanted: wanted(&q),
                threads: None,
            },
            &Control::new(),
        )
        .unwrap();
        for (together, alone) in together.quantities.iter().zip(&alone.quantities) {
            assert_eq!(together.point[cell], alone.point[0]);
            for (together, alone) in together.quantiles.iter().zip(&alone.quantiles) {
                assert!(close(together[cell], alone[0]));
            }
        }
    }
}
