use super::*;
use crate::executor::Control;
use crate::rng::{Random, Stream};
use scalefast_expr::System;
use scalefast_expr::math;

const LAW: &str = "E + A/N**alpha + B/D**beta";
const OPEN: [[Option<f64>; 2]; 2] = [[None; 2]; 2];

/// Lanes around the optimum of the Epoch data under uncertain compute.
fn stake(count: usize, cost: &str, bounds: [[Option<f64>; 2]; 2], spread: f64) -> Stake {
    let random = Random::new(4, Stream::Draws);
    let draw = |k: u32, centre: f64, relative: f64| -> Vec<f64> {
        let of = |i| centre * (1.0 + spread * relative * random.normal(k, i));
        (0..count as u64).map(of).collect()
    };
    let columns = [
        ("alpha", draw(0, 0.35, 0.04)),
        ("beta", draw(1, 0.37, 0.05)),
        ("A", draw(2, 480.0, 0.1)),
        ("B", draw(3, 2100.0, 0.1)),
        ("E", draw(4, 1.8, 0.01)),
    ];
    let values = |name: &str| match name {
        "T" => Some(Column::Number(2e12)),
        _ => columns
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, column)| Column::Lanes(column.clone())),
    };
    Stake::new(
        &System::formula(LAW).unwrap(),
        "L",
        &System::parse(&[("C", cost), ("N", "N"), ("D", "D")], &[]).unwrap(),
        ["N", "D"],
        bounds,
        values,
        draw(5, 1e23, 0.2),
    )
    .unwrap()
}

/// The mean share of the compute that a size wastes, each lane solved for the least compute of its loss.
fn mean_regret(stake: &Stake, first: f64) -> f64 {
    let found = stake.at(first, None, &Control::new()).unwrap();
    let needed = stake.cheapest(&found.loss, None, &Control::new()).unwrap();
    let shares = needed.columns[2].iter().zip(&stake.targets);
    shares
        .map(|(cost, target)| 1.0 - cost / target)
        .sum::<f64>()
        / found.loss.len() as f64
}

#[test]
fn no_size_of_a_dense_grid_has_less_regret() {
    for (cost, bounds) in [
        ("6*N*D", OPEN),
        ("6*N*D + 2*N*T", OPEN),
        ("6*N*D", [[None, None], [None, Some(6e11)]]),
        ("6*N*D", [[None, Some(2e10)], [None, None]]),
    ] {
        let stake = stake(300, cost, bounds, 1.0);
        let control = Control::new();
        let chosen = least_regret(&[&stake], &[1.0], None, &control).unwrap();
        let least = mean_regret(&stake, chosen);
        assert!(least >= -1e-9);
        for step in -40..=40 {
            let first = chosen * math::exp(0.03 * f64::from(step));
            if bounds[0][1].is_some_and(|high| first > high) {
                continue;
            }
            let other = mean_regret(&stake, first);
            assert!(
                other >= least - 1e-6 || other.is_nan(),
                "{cost} {step}: {other} {least}"
            );
        }
    }
}

#[test]
fn one_world_has_no_regret() {
    let stake = stake(1, "6*N*D", OPEN, 0.0);
    let control = Control::new();
    let chosen = least_regret(&[&stake], &[1.0], None, &control).unwrap();
    assert_eq!(chosen, stake.best(None, &control).unwrap().columns[0][0]);
    assert!(mean_regret(&stake, chosen).abs() < 1e-9);
}

#[test]
fn a_size_spends_the_compute_unless_the_data_end() {
    let stake = stake(50, "6*N*D", [[None, None], [None, Some(1e12)]], 1.0);
    let found = stake.at(1.6e10, None, &Control::new()).unwrap();
    let mut capped = 0;
    for ((d, cost), target) in found.second.iter().zip(&found.cost).zip(&stake.targets) {
        assert!((6.0 * 1.6e10 * d / cost - 1.0).abs() < 1e-14);
        if *d == 1e12 {
            capped += 1;
            assert!(cost < target);
        } else {
            assert!((cost / target - 1.0).abs() < 1e-12);
        }
    }
    assert!(capped > 5 && capped < 45);
}

#[test]
fn compute_beyond_both_bounds_buys_the_corner() {
    let bounds = [[None, Some(1e9)], [None, Some(2e10)]];
    let stake = stake(3, "6*N*D", bounds, 1.0);
    let best = stake.best(None, &Control::new()).unwrap();
    assert_eq!(best.columns[0], [1e9; 3]);
    assert_eq!(best.columns[1], [2e10; 3]);
}

#[test]
fn a_size_that_serving_alone_makes_too_dear_is_none() {
    let stake = stake(20, "6*N*D + 2*N*T", OPEN, 1.0);
    let found = stake.at(1e13, None, &Control::new()).unwrap();
    assert!(found.loss.iter().all(|loss| loss.is_nan()));
}

#[test]
fn the_cheapest_way_to_the_best_loss_is_all_the_compute() {
    let stake = stake(40, "6*N*D + 2*N*T", OPEN, 1.0);
    let control = Control::new();
    let losses = stake.best(None, &control).unwrap().columns[3].clone();
    let cheapest = stake.cheapest(&losses, None, &control).unwrap();
    for (cost, target) in cheapest.columns[2].iter().zip(&stake.targets) {
        assert!((cost / target - 1.0).abs() < 1e-9);
    }
}

#[test]
fn the_ends_of_the_range_waste_the_share_more() {
    let stake = stake(200, "6*N*D", OPEN, 1.0);
    let control = Control::new();
    let chosen = least_regret(&[&stake], &[1.0], None, &control).unwrap();
    let least = mean_regret(&stake, chosen);
    let [low, high] = indifference(&[&stake], &[1.0], chosen, 0.01, None, &control).unwrap();
    assert!(low < chosen && chosen < high);
    for end in [low, high] {
        assert!((mean_regret(&stake, end) - least - 0.01).abs() < 2e-5);
    }
    // A wider share holds the narrower one.
    let wide = indifference(&[&stake], &[1.0], chosen, 0.02, None, &control).unwrap();
    assert!(wide[0] < low && high < wide[1]);
}

#[test]
fn the_range_ends_at_the_bounds() {
    let stake = stake(20, "6*N*D", [[None, Some(8e9)], [None, None]], 1.0);
    let control = Control::new();
    let chosen = least_regret(&[&stake], &[1.0], None, &control).unwrap();
    let [low, high] = indifference(&[&stake], &[1.0], chosen, 0.01, None, &control).unwrap();
    assert!((chosen / 8e9 - 1.0).abs() < 1e-9);
    assert!(low < chosen && (high / 8e9 - 1.0).abs() < 1e-9);
}

#[test]
fn weights_move_the_size_between_the_stakes() {
    let control = Control::new();
    let (one, other) = (
        stake(100, "6*N*D", OPEN, 1.0),
        stake(100, "6*N*D*(N/1e10)", OPEN, 1.0),
    );
    let at = |weights: [f64; 2]| least_regret(&[&one, &other], &weights, None, &control).unwrap();
    let (alone, both, alone_other) = (at([1.0, 0.0]), at([0.5, 0.5]), at([0.0, 1.0]));
    assert!(alone.min(alone_other) < both && both < alone.max(alone_other));
    assert_eq!(at([1.0, 0.0]), at([3.0, 0.0]));
}

#[test]
fn threads_change_no_bit() {
    let stake = stake(40_000, "6*N*D", OPEN, 1.0);
    let control = Control::new();
    let with = |threads| least_regret(&[&stake], &[1.0], Some(threads), &control).unwrap();
    assert_eq!(with(1).to_bits(), with(3).to_bits());
}

#[test]
fn what_is_missing_is_named() {
    let law = System::formula(LAW).unwrap();
    let spending = System::parse(&[("C", "6*N*D"), ("N", "N"), ("D", "D")], &[]).unwrap();
    let make = |targets: Vec<f64>, column: Option<Column>| {
        Stake::new(
            &law,
            "L",
            &spending,
            ["N", "D"],
            OPEN,
            |_| column.clone(),
            targets,
        )
        .map(|_| ())
        .unwrap_err()
        .code
    };
    assert_eq!(make(vec![1e20], None), "unbound-symbol");
    assert_eq!(
        make(vec![1e20], Some(Column::Lanes(vec![1.0; 2]))),
        "column-length"
    );
    assert_eq!(make(vec![-1.0], Some(Column::Number(1.0))), "bad-target");
}
