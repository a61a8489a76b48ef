use super::*;
use crate::allocate::{Aim, Cells, ClosedForm};
use proptest::prelude::*;
use scalefast_expr::System;

const ADDITIVE: &str = "E + A/N**alpha + B/D**beta";
const OPEN: [[Option<f64>; 2]; 2] = [[None, None]; 2];
/// Rounded constants of Hoffmann et al. 2022, equation 10.
const ROUNDED: [(&str, f64); 5] = [
    ("E", 1.69),
    ("A", 406.4),
    ("B", 410.7),
    ("alpha", 0.34),
    ("beta", 0.28),
];

/// The same from the TeX source of the paper.
const EXACT: [(&str, f64); 5] = [
    ("E", 1.6933736809989528),
    ("A", 406.4010175194737),
    ("B", 410.7228269450398),
    ("alpha", 0.33917084),
    ("beta", 0.2849083),
];

fn spending(cost: &str) -> System {
    System::parse(&[("C", cost), ("N", "N"), ("D", "D")], &[]).unwrap()
}

fn ask(law: &str, cost: &str, aim: Aim, free: &[&str], bounds: &[[Option<f64>; 2]]) -> Question {
    let law = System::formula(law).unwrap();
    Question::new(&law, "L", &spending(cost), aim, free, bounds).unwrap()
}

fn numbers(question: &Question, known: &[(&str, f64)]) -> Vec<f64> {
    let value = |name: &String| known.iter().find(|(n, _)| n == name).unwrap().1;
    question.parameters().iter().map(value).collect()
}

fn solve(question: &Question, known: &[(&str, f64)], target: f64) -> ([f64; 4], Status) {
    let values: Vec<Values<'_>> = numbers(question, known)
        .into_iter()
        .map(Values::Number)
        .collect();
    let found = answer(question, &values, &[target]).unwrap();
    ([0, 1, 2, 3].map(|k| found.columns[k][0]), found.status[0])
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * b.abs()
}

/// The slow twin: the least value of `law` over a dense grid of N along `cost = budget`, D by bisection, every formula
/// walked node by node.
fn dense_grid(law: &str, cost: &str, known: &[(&str, f64)], budget: f64, n: [f64; 2]) -> f64 {
    let (law, cost) = (
        System::formula(law).unwrap(),
        System::formula(cost).unwrap(),
    );
    let value = |system: &System, n: f64, d: f64| {
        let symbols: Vec<f64> = system
            .graph
            .symbols()
            .iter()
            .map(|name| match name.as_str() {
                "N" => n,
                "D" => d,
                _ => known
                    .iter()
                    .find(|(k, _)| k == name)
                    .map_or(f64::NAN, |k| k.1),
            })
            .collect();
        system.graph.evaluate(system.outputs()[0].1, &symbols)
    };
    let mut best = f64::INFINITY;
    for step in 0..4000 {
        let n = (n[0].ln() + (n[1].ln() - n[0].ln()) * f64::from(step) / 3999.0).exp();
        let (mut low, mut high) = (1e-3f64.ln(), 1e40f64.ln());
        for _ in 0..80 {
            let middle = 0.5 * (low + high);
            if value(&cost, n, middle.exp()) < budget {
                low = middle;
            } else {
                high = middle;
            }
        }
        let d = low.exp();
        // What costs more than the budget is no competitor.
        if d > 2e-3 && value(&cost, n, d) <= budget {
            best = best.min(value(&law, n, d));
        }
    }
    best
}

#[test]
fn agrees_with_the_published_optimum() {
    let question = ask(ADDITIVE, "6*N*D", Aim::Budget, &["N", "D"], &OPEN);
    let ([n, d, c, l], status) = solve(&question, &ROUNDED, 5.76e23);
    assert_eq!(status, Status::Interior);
    assert!(close(n, 32.19e9, 2e-4) && close(d, 2.982e12, 2e-4) && close(l, 1.93075, 3e-6));
    assert!(close(c, 5.76e23, 1e-13));
}

#[test]
fn inference_aware_optima_of_sardana() {
    // Sardana et al. 2024: the cheapest way to the loss of a Chinchilla-optimal model, training and serving together.
    let best = ask(ADDITIVE, "6*N*D", Aim::Companion, &["D"], &OPEN[..1]);
    let cheap = ask(ADDITIVE, "6*N*D + 2*N*T", Aim::Loss, &["N", "D"], &OPEN);
    // Quality of a model of this size, tokens served; N, the ratio of D, the saving, each as printed
    // (the last row as the paper prints it, from its own rounding of the same law).
    for (size, served, smaller, ratio, saving) in [
        (13e9, 2e12, [7.12e9, 0.005e9], [2.098, 5e-4], 0.163),
        (30e9, 5e12, [16.78e9, 0.005e9], [f64::NAN, 0.0], 0.152),
        (70e9, 10e12, [42.5e9, 0.05e9], [f64::NAN, 0.0], 0.110),
        (7e9, 1e11, [6e9, 0.5e9], [1.18, 0.02], f64::NAN),
    ] {
        let known: Vec<(&str, f64)> = EXACT
            .into_iter()
            .chain([("T", served), ("N", size)])
            .collect();
        let ([_, data, cost, loss], _) = solve(&best, &known, 1.0);
        let ([n, d, total, _], status) = solve(&cheap, &known, loss);
        assert_eq!(status, Status::Interior);
        let prints = |value: f64, [printed, half]: [f64; 2]| {
            printed.is_nan() || (value - printed).abs() <= half
        };
        assert!(
            prints(n, smaller) && prints(d / data, ratio),
            "{n} {}",
            d / data
        );
        let before = cost + 2.0 * size * served;
        assert!(prints(1.0 - total / before, [saving, 5e-4]));
        // Their first-order condition: the elasticities are as 1 + T/(3 D) to 1.
        let slope = |k: usize| EXACT[k].1;
        let (en, ed) = (
            slope(3) * slope(1) / n.powf(slope(3)),
            slope(4) * slope(2) / d.powf(slope(4)),
        );
        assert!(close(en / ed, 1.0 + served / (3.0 * d), 1e-9));
    }
}

#[test]
fn over_training_curve_of_de_vries() {
    let best = ask(ADDITIVE, "6*N*D", Aim::Budget, &["N", "D"], &OPEN);
    let data = ask(ADDITIVE, "6*N*D", Aim::Loss, &["D"], &OPEN[..1]);
    let ([n, d, c, l], _) = solve(&best, &ROUNDED, 1e23);
    for (size, tokens, overhead) in [
        (0.75, 1.371, 0.029),
        (0.5, 2.416, 0.208),
        (0.4, 3.593, 0.437),
        (0.3, 6.851, 1.055),
    ] {
        let known: Vec<(&str, f64)> = ROUNDED.into_iter().chain([("N", size * n)]).collect();
        let ([_, more, cost, loss], status) = solve(&data, &known, l);
        assert_eq!(status, Status::Interior);
        assert!((more / d - tokens).abs() < 5e-4 && (cost / c - 1.0 - overhead).abs() < 6e-4);
        assert!(close(loss, l, 1e-13));
    }
    // Below the critical size no amount of data makes up.
    let critical = (1.0f64 + 0.34 / 0.28).powf(-1.0 / 0.34);
    assert!((critical - 0.0965).abs() < 5e-5);
    let known: Vec<(&str, f64)> = ROUNDED
        .into_iter()
        .chain([("N", 0.99 * critical * n)])
        .collect();
    assert_eq!(solve(&data, &known, l).1, Status::Infeasible);
}

#[test]
fn data_of_a_fixed_size_and_size_of_fixed_data() {
    let with = |extra: (&'static str, f64)| -> Vec<(&str, f64)> {
        EXACT.into_iter().chain([extra]).collect()
    };
    let data = ask(ADDITIVE, "6*N*D", Aim::Companion, &["D"], &OPEN[..1]);
    let ([_, d, c, _], _) = solve(&data, &with(("N", 10e9)), 1.0);
    assert!((d - 451.8e9).abs() < 0.05e9 && (c - 2.71e22).abs() < 0.005e22);
    let size = ask(ADDITIVE, "6*N*D", Aim::Companion, &["N"], &OPEN[..1]);
    let ([n, _, c, _], _) = solve(&size, &with(("D", 1e12)), 1.0);
    assert!((n - 19.5e9).abs() < 0.05e9 && (c - 1.17e23).abs() < 0.005e23);
}

#[test]
fn bounds_bind_and_say_so() {
    let at = |bounds: [[Option<f64>; 2]; 2]| {
        let question = ask(ADDITIVE, "6*N*D", Aim::Budget, &["N", "D"], &bounds);
        solve(&question, &ROUNDED, 6e23)
    };
    let ([n, d, ..], status) = at([[None, Some(8e9)], [None, None]]);
    assert!(status == Status::FirstMax && n == 8e9 && close(d, 1e23 / 8e9, 1e-12));
    let ([n, ..], status) = at([[Some(1e11), None], [None, None]]);
    assert!(status == Status::FirstMin && close(n, 1e11, 1e-12));
    let ([_, d, ..], status) = at([[None, None], [None, Some(1e12)]]);
    assert!(status == Status::SecondMax && close(d, 1e12, 1e-10));
    let ([_, d, ..], status) = at([[None, None], [Some(1e13), None]]);
    assert!(status == Status::SecondMin && d == 1e13);
    assert_eq!(
        at([[Some(1e9), Some(1e12)], [Some(1e9), None]]).1,
        Status::Interior
    );
    // A model of at most 1B parameters on at most 1B tokens cannot spend the budget.
    let (values, status) = at([[None, Some(1e9)], [None, Some(1e9)]]);
    assert!(status == Status::Infeasible && values.iter().all(|v| v.is_nan()));
}

#[test]
fn a_law_that_keeps_falling_has_no_finite_optimum() {
    let question = ask("E + A/N**alpha", "6*N*D", Aim::Budget, &["N", "D"], &OPEN);
    assert_eq!(solve(&question, &ROUNDED, 1e21).1, Status::NoFiniteOptimum);
}

#[test]
fn a_loss_below_the_irreducible_one_is_infeasible() {
    let question = ask(ADDITIVE, "6*N*D", Aim::Loss, &["N", "D"], &OPEN);
    assert_eq!(solve(&question, &ROUNDED, 1.68).1, Status::Infeasible);
    let best = ask(ADDITIVE, "6*N*D", Aim::Budget, &["N", "D"], &OPEN);
    let ([n, d, _, l], _) = solve(&best, &ROUNDED, 1e22);
    let ([n_back, d_back, c_back, _], status) = solve(&question, &ROUNDED, l);
    assert_eq!(status, Status::Interior);
    assert!(close(n_back, n, 1e-9) && close(d_back, d, 1e-9) && close(c_back, 1e22, 1e-9));
}

#[test]
fn a_kink_is_a_minimum_too() {
    // Beyond 20 tokens a parameter the data gives nothing more, short of it the size gives nothing.
    let law = "max(A/N**alpha, A*20**alpha/D**alpha)";
    let question = ask(law, "6*N*D", Aim::Budget, &["N", "D"], &OPEN);
    let ([n, d, ..], status) = solve(&question, &ROUNDED, 1e22);
    assert!(
        status == Status::Interior && close(d / n, 20.0, 1e-9),
        "{}",
        d / n
    );
}

#[test]
fn the_lower_of_two_valleys_is_found() {
    let law = "2 + (log(N) - 18)**2*(log(N) - 26)**2/100 + s*log(N)/10 + 0*D";
    let question = ask(law, "6*N*D", Aim::Budget, &["N", "D"], &OPEN);
    for (s, valley) in [(1.0, 18.0), (-1.0, 26.0)] {
        let ([n, ..], _) = solve(&question, &[("s", s)], 1e22);
        assert!((n.ln() - valley).abs() < 0.1, "{}", n.ln());
    }
}

#[test]
fn draws_in_lanes_give_what_single_draws_give() {
    let question = ask(ADDITIVE, "6*N*D + 2*N*T", Aim::Budget, &["N", "D"], &OPEN);
    let count = BLOCK + 3;
    let alpha: Vec<f64> = (0..count).map(|i| 0.2 + 1e-3 * i as f64).collect();
    let at = |name: &str| match name {
        "T" => 1e12,
        _ => ROUNDED.iter().find(|(n, _)| *n == name).unwrap().1,
    };
    let names = question.parameters();
    let draws: Vec<Values<'_>> = names
        .iter()
        .map(|name| match name.as_str() {
            "alpha" => Values::Column(&alpha),
            _ => Values::Number(at(name)),
        })
        .collect();
    let compiled = Compiled::new(&question, &draws, None).unwrap();
    let mut scratch = compiled.scratch();
    compiled.set_cell(&mut scratch, &Cells::of(&[1e23]), 0);
    let lanes = Span {
        start: 0,
        len: count,
    };
    let together = Solver::new(&compiled)
        .solve(&mut scratch, lanes, &Control::new())
        .unwrap();
    for i in [0, 1, BLOCK - 1, BLOCK, count - 1] {
        let values: Vec<Values<'_>> = names
            .iter()
            .map(|name| Values::Number(if name == "alpha" { alpha[i] } else { at(name) }))
            .collect();
        let alone = answer(&question, &values, &[1e23]).unwrap();
        for k in 0..4 {
            assert!(close(together.columns[k][i], alone.columns[k][0], 1e-12));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn agrees_with_the_closed_form(
        e in 0.0..3.0f64, a in 1.0..9.0f64, b in 1.0..9.0f64,
        alpha in 0.1..0.9f64, beta in 0.1..0.9f64, power in 0.3..1.5f64, budget in 17.0..27.0f64,
    ) {
        let law = "E + (A/N**alpha + B/D**beta)**q";
        let known = [
            ("E", e), ("A", a.exp()), ("B", b.exp()), ("alpha", alpha), ("beta", beta), ("q", power),
        ];
        let form = ClosedForm::detect(
            &System::formula(law).unwrap(), "L", &System::formula("6*N*D").unwrap(), ("N", "D"),
        ).unwrap();
        let values: Vec<f64> = form.parameters().iter()
            .map(|name| known.iter().find(|(n, _)| n == name).unwrap().1).collect();
        let budget = 10f64.powf(budget);
        let exact = form.allocate(&values, budget).unwrap();
        let question = ask(law, "6*N*D", Aim::Budget, &["N", "D"], &OPEN);
        let ([n, d, _, l], status) = solve(&question, &known, budget);
        prop_assert_eq!(status, Status::Interior);
        prop_assert!(close(n, exact.first, 1e-9), "N {} {}", n, exact.first);
        prop_assert!(close(d, exact.second, 1e-9), "D {} {}", d, exact.second);
        prop_assert!(close(l, exact.loss, 1e-12), "L {} {}", l, exact.loss);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Costs with one formula for D, and without.
    #[test]
    fn no_dense_grid_beats_it(
        e in 0.0..3.0f64, a in 3.0..8.0f64, b in 3.0..8.0f64, alpha in 0.2..0.6f64, beta in 0.2..0.6f64,
        served in 9.0..12.5f64, budget in 20.0..25.0f64, which in 0usize..4,
    ) {
        let cost = [
            "6*N*D + 2*N*T", "6*N*D + 3e8*D**1.1", "6*N*D*(1 + (D/1e12)**0.5)", "9.59*N*D + 2.3e8*D",
        ][which];
        let known = [
            ("E", e), ("A", a.exp()), ("B", b.exp()), ("alpha", alpha), ("beta", beta),
            ("T", 10f64.powf(served)),
        ];
        let budget = 10f64.powf(budget);
        let question = ask(ADDITIVE, cost, Aim::Budget, &["N", "D"], &OPEN);
        let ([n, _, c, l], status) = solve(&question, &known, budget);
        prop_assert_eq!(status, Status::Interior);
        prop_assert!(close(c, budget, 1e-9));
        let grid = dense_grid(ADDITIVE, cost, &known, budget, [1e-2 * n, 1e2 * n]);
        prop_assert!(l <= grid * (1.0 + 1e-12), "{} {}", l, grid);
        prop_assert!(close(l, grid, 1e-3), "{} {}", l, grid);
    }
}
