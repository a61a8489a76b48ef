//! Properties of allocations over random laws, costs, bounds and budgets: the numeric optimiser against the closed form,
//! against a dense grid, and against what bounds must do to a law of one valley.

use std::collections::HashMap;

use proptest::prelude::*;
use scalefast_expr::System;

use super::*;
use crate::allocate::{Aim, Allocation, Asked, Cells, ClosedForm, Wanted, spread, sweep};

const OPEN: [[Option<f64>; 2]; 2] = [[None, None]; 2];
/// Laws of one optimum: the additive one, its monotone transforms, and derived variables put in their place.
const LAWS: [&str; 8] = [
    "E + A/N**alpha + B/D**beta",
    "E + (A/N**alpha + B/D**beta)**q",
    "log(E + A/N**alpha + B/D**beta)",
    "exp(A/N**alpha + B/D**beta) - E",
    "q*log(A/N**alpha + B/D**beta) + E",
    "E + A/(8*N)**alpha + B/(D/1000)**beta",
    "E + exp(log(A) - alpha*log(N)) + exp(log(B) - beta*log(D))",
    "E - 1/(1 + A/N**alpha + B/D**beta)",
];
/// Costs of one power term.
const COSTS: [&str; 4] = ["6*N*D", "k*N*D", "6*N**s*D**t", "6*(8*N)*D/4e17"];

type Known = Vec<(&'static str, f64)>;

fn known() -> impl Strategy<Value = Known> {
    let law = (
        0.1..3.0f64,
        1.0..8.0f64,
        1.0..8.0f64,
        0.1..0.9f64,
        0.1..0.9f64,
        0.3..1.5f64,
    );
    let cost = (0.5..20.0f64, 0.6..1.6f64, 0.6..1.6f64);
    (law, cost).prop_map(|((e, a, b, alpha, beta, q), (k, s, t))| {
        vec![
            ("E", e),
            ("A", a.exp()),
            ("B", b.exp()),
            ("alpha", alpha),
            ("beta", beta),
            ("q", q),
            ("k", k),
            ("s", s),
            ("t", t),
        ]
    })
}

fn ask(law: &str, cost: &str, bounds: &[[Option<f64>; 2]]) -> Question {
    let spending = System::parse(&[("C", cost), ("N", "N"), ("D", "D")], &[]).unwrap();
    let law = System::formula(law).unwrap();
    Question::new(&law, "L", &spending, Aim::Budget, &["N", "D"], bounds).unwrap()
}

fn values(names: &[String], known: &Known) -> Vec<f64> {
    let values: HashMap<&str, f64> = known.iter().copied().collect();
    names.iter().map(|name| values[name.as_str()]).collect()
}

fn numeric(question: &Question, known: &Known, budget: f64) -> ([f64; 4], Status) {
    let numbers = values(question.parameters(), known).into_iter();
    let numbers: Vec<Values<'_>> = numbers.map(Values::Number).collect();
    let found = answer(question, &numbers, &[budget]).unwrap();
    ([0, 1, 2, 3].map(|k| found.columns[k][0]), found.status[0])
}

fn closed(law: &str, cost: &str, known: &Known, budget: f64) -> Option<Allocation> {
    let (law, cost) = (
        System::formula(law).unwrap(),
        System::formula(cost).unwrap(),
    );
    let form = ClosedForm::detect(&law, "L", &cost, ("N", "D")).unwrap();
    form.allocate(&values(form.parameters(), known), budget)
}

/// A formula at a point, walked node by node.
fn at(formula: &System, known: &Known, n: f64, d: f64) -> f64 {
    let value = |name: &String| match name.as_str() {
        "N" => n,
        "D" => d,
        _ => known
            .iter()
            .find(|(k, _)| k == name)
            .map_or(f64::NAN, |k| k.1),
    };
    let symbols: Vec<f64> = formula.graph.symbols().iter().map(value).collect();
    formula.graph.evaluate(formula.outputs()[0].1, &symbols)
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * b.abs()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Wherever both exist: N and D to 1e-9, L to 1e-12, of what the loss is made of.
    #[test]
    fn the_optimiser_agrees_with_the_closed_form(
        known in known(), which in (0usize..LAWS.len(), 0usize..COSTS.len()), size in 12.0..26.0f64,
    ) {
        let (law, cost) = (LAWS[which.0], COSTS[which.1]);
        // A budget that buys a model of this size in parameters times tokens.
        let budget = at(&System::formula(cost).unwrap(), &known, 10f64.powf(size / 2.0), 10f64.powf(size / 2.0));
        let Some(exact) = closed(law, cost, &known, budget) else {
            return Err(TestCaseError::fail("the closed form has an optimum for these"));
        };
        // Beyond these the user's natural range is left, and a numeric optimum is none.
        prop_assume!((1e0..1e50).contains(&exact.first) && (1e0..1e50).contains(&exact.second));
        let question = ask(law, cost, &OPEN);
        let ([n, d, c, l], status) = numeric(&question, &known, budget);
        prop_assert_eq!(status, Status::Interior);
        // The loss is known to rounding, and where it is flat that is all there is to know the split by.
        let scale = exact.loss.abs().max(known[0].1).max(1.0);
        prop_assert!((l - exact.loss).abs() <= 1e-12 * scale, "L {} {}", l, exact.loss);
        prop_assert!(close(c, budget, 1e-9), "C {} {}", c, budget);
        let flat = at(&System::formula(law).unwrap(), &known, 2.0 * exact.first, exact.second / 2.0) - exact.loss;
        if flat.abs() > 1e-4 * scale {
            prop_assert!(close(n, exact.first, 1e-9), "N {} {}", n, exact.first);
            prop_assert!(close(d, exact.second, 1e-9), "D {} {}", d, exact.second);
        }
    }

    /// A bound that leaves out the optimum of a law of one valley binds, and one that does not changes nothing.
    #[test]
    fn bounds_bind_where_they_leave_out_the_optimum(
        known in known(), size in 14.0..26.0f64, shift in prop_oneof![-6.0..-0.01f64, 0.01..6.0f64], which in 0usize..4,
    ) {
        let (law, budget) = (LAWS[0], 6.0 * 10f64.powf(size));
        let best = closed(law, "6*N*D", &known, budget).unwrap();
        prop_assume!((1e3..1e40).contains(&best.first) && (1e3..1e40).contains(&best.second));
        let (variable, end) = (which / 2, which % 2);
        let own = if variable == 0 { best.first } else { best.second };
        let limit = own * shift.exp();
        let mut bounds = OPEN;
        bounds[variable][end] = Some(limit);
        let ([n, d, ..], status) = numeric(&ask(law, "6*N*D", &bounds), &known, budget);
        let binds = (end == 0) == (shift > 0.0);
        let expected = [Status::FirstMin, Status::FirstMax, Status::SecondMin, Status::SecondMax];
        if binds {
            prop_assert_eq!(status, expected[which]);
            prop_assert_eq!(if variable == 0 { n } else { d }, limit);
            prop_assert!(close(6.0 * n * d, budget, 1e-9));
        } else {
            prop_assert_eq!(status, Status::Interior);
            prop_assert!(close(n, best.first, 1e-8));
        }
        // Nothing within these bounds costs the budget.
        let tight = [[None, Some(0.5 * limit.sqrt())], [None, Some(budget / 6.0 / limit.sqrt())]];
        let (found, status) = numeric(&ask(law, "6*N*D", &tight), &known, budget);
        prop_assert_eq!(status, Status::Infeasible);
        prop_assert!(found.iter().all(|value| value.is_nan()));
    }

    /// A term that grows with its variable leaves no optimum between the ends.
    #[test]
    fn a_law_that_keeps_falling_has_no_finite_optimum(known in known(), size in 14.0..26.0f64) {
        let law = "E + A/N**alpha + B*D**(beta/10)";
        let (_, status) = numeric(&ask(law, "6*N*D", &OPEN), &known, 6.0 * 10f64.powf(size));
        prop_assert_eq!(status, Status::NoFiniteOptimum);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Within bounds and without, whatever the cost: no point of a dense grid is better by more than 1e-12.
    #[test]
    fn no_dense_grid_beats_the_optimiser(
        known in known(), which in (0usize..LAWS.len(), 0usize..3), size in 18.0..24.0f64,
        low in prop::option::of(5.0..9.0f64), high in prop::option::of(9.0..13.0f64),
    ) {
        let law = LAWS[which.0];
        let cost = ["6*N*D + 2e12*N", "6*N*D*(1 + (D/1e12)**0.5)", "9.59*N*D + 2.3e8*D"][which.1];
        let (law_system, cost_system) = (System::formula(law).unwrap(), System::formula(cost).unwrap());
        let budget = 10f64.powf(size);
        let limits = [low, high].map(|end| end.map(|end| 10f64.powf(end)));
        let ([n, d, c, l], status) = numeric(&ask(law, cost, &[limits, [None, None]]), &known, budget);
        prop_assume!(status.is_solved());
        prop_assert!(close(c, budget, 1e-9));
        prop_assert!(close(at(&law_system, &known, n, d), l, 1e-13));
        let ends = [limits[0].unwrap_or(n / 1e3).max(n / 1e3), limits[1].unwrap_or(n * 1e3).min(n * 1e3)];
        for step in 0..2000 {
            let n = ends[0] * (ends[1] / ends[0]).powf(f64::from(step) / 1999.0);
            let (mut below, mut above) = (1e-3f64.ln(), 1e40f64.ln());
            for _ in 0..70 {
                let middle = 0.5 * (below + above);
                if at(&cost_system, &known, n, middle.exp()) < budget {
                    below = middle;
                } else {
                    above = middle;
                }
            }
            let d = below.exp();
            if d > 2e-3 && at(&cost_system, &known, n, d) <= budget {
                let other = at(&law_system, &known, n, d);
                prop_assert!(l <= other + 1e-12 * other.abs().max(known[0].1), "{} {} at {}", l, other, n);
            }
        }
    }

    /// Draws in lanes, by the numeric optimiser and by the closed form, with their losses at the plan.
    #[test]
    fn sweeps_of_draws_agree_too(
        known in known(), size in 16.0..24.0f64, spread_of in 0.001..0.3f64, count in 2usize..600,
    ) {
        let (law, cost) = (LAWS[1], "6*N*D");
        let budget = 6.0 * 10f64.powf(size);
        let random = crate::rng::Random::new(7, crate::rng::Stream::Draws);
        let columns: HashMap<&str, Vec<f64>> = known.iter().enumerate().map(|(k, (name, value))| {
            let draw = |i| value * (spread_of * (random.uniform(k as u32, i) - 0.5)).exp();
            (*name, (0..count as u64).map(draw).collect())
        }).collect();
        let drawn = |names: &[String]| -> Vec<Values<'_>> {
            names.iter().map(|name| Values::Column(&columns[name.as_str()])).collect()
        };
        let form = ClosedForm::detect(
            &System::formula(law).unwrap(), "L", &System::formula(cost).unwrap(), ("N", "D"),
        ).unwrap();
        let question = ask(law, cost, &OPEN);
        let (targets, control) = ([budget, 10.0 * budget], Control::new());
        let cells = Cells::of(&targets);
        let wanted = Wanted { probabilities: &[0.05, 0.5, 0.95], plan_loss: true, keep: true };
        let names = form.parameters();
        let one = sweep(&form, &Asked { estimate: &values(names, &known), draws: &drawn(names), cells: &cells, wanted, threads: Some(1) }, &control).unwrap();
        let names = question.parameters();
        let two = spread(&question, &Asked { estimate: &values(names, &known), draws: &drawn(names), cells: &cells, wanted, threads: Some(3) }, &control).unwrap();
        prop_assert_eq!(&one.solved_draws, &two.solved_draws);
        for (k, (one, two)) in one.quantities.iter().zip(&two.quantities).enumerate() {
            for (one, two) in one.quantiles.iter().flatten().zip(two.quantiles.iter().flatten()) {
                prop_assert!(close(*one, *two, 2e-9), "{} {} {}", k, one, two);
            }
        }
        let (one, two) = (one.kept.unwrap(), two.kept.unwrap());
        for (one, two) in one.columns.iter().flatten().zip(two.columns.iter().flatten()) {
            prop_assert!(close(*one, *two, 2e-9), "{} {}", one, two);
        }
    }
}
