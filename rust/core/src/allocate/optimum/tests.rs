//! Published optima, and what a sweep must agree with.
//!
//! Longer than the rule, because the reference optima are a table.

use super::*;
use proptest::prelude::*;

fn form(law: &str, cost: &str) -> Result<ClosedForm, CoreError> {
    ClosedForm::detect(
        &System::formula(law).unwrap(),
        "L",
        &System::formula(cost).unwrap(),
        ("N", "D"),
    )
}

fn allocate(form: &ClosedForm, values: &[(&str, f64)], budget: f64) -> Option<Allocation> {
    let value = |name: &String| values.iter().find(|(n, _)| n == name).unwrap().1;
    form.allocate(
        &form.parameters().iter().map(value).collect::<Vec<f64>>(),
        budget,
    )
}

/// Whether a number printed with `digits` significant digits could be `value`.
fn prints_as(value: f64, printed: f64, digits: i32) -> bool {
    let unit = 10f64.powi(printed.abs().log10().floor() as i32 + 1 - digits);
    (value - printed).abs() <= 0.5 * unit * (1.0 + 1e-9)
}

const ADDITIVE: &str = "E + A/N**alpha + B/D**beta";

#[test]
fn reference_optima_of_published_laws() {
    // Exact constants of Hoffmann et al. 2022 (TeX source), their rounded ones, Besiroglu et al. 2024.
    let hoffmann = [
        ("A", 6.0073404f64.exp()),
        ("B", 6.0179186f64.exp()),
        ("E", 0.5267228f64.exp()),
        ("alpha", 0.33917084),
        ("beta", 0.2849083),
    ];
    let rounded = [
        ("A", 406.4),
        ("B", 410.7),
        ("E", 1.69),
        ("alpha", 0.34),
        ("beta", 0.28),
    ];
    let epoch = [
        ("A", 482.01),
        ("B", 2085.43),
        ("E", 1.8172),
        ("alpha", 0.3478),
        ("beta", 0.3658),
    ];
    let table = [
        (
            1e19,
            [
                [270.8e6, 6.154e9, 2.92184],
                [228.0e6, 7.311e9, 2.98574],
                [262.2e6, 6.357e9, 2.92710],
            ],
        ),
        (
            1e20,
            [
                [774.9e6, 21.51e9, 2.55342],
                [644.9e6, 25.85e9, 2.59985],
                [853.5e6, 19.53e9, 2.55340],
            ],
        ),
        (
            1e21,
            [
                [2.217e9, 75.18e9, 2.29549],
                [1.824e9, 91.36e9, 2.32888],
                [2.778e9, 59.99e9, 2.30553],
            ],
        ),
        (
            1e22,
            [
                [6.343e9, 262.8e9, 2.11492],
                [5.160e9, 323.0e9, 2.13861],
                [9.045e9, 184.3e9, 2.14111],
            ],
        ),
        (
            1e23,
            [
                [18.15e9, 918.4e9, 1.98850],
                [14.60e9, 1.142e12, 2.00501],
                [29.45e9, 566.0e9, 2.03205],
            ],
        ),
        (
            5.76e23,
            [
                [40.36e9, 2.379e12, 1.91841],
                [32.19e9, 2.982e12, 1.93075],
                [72.25e9, 1.329e12, 1.97444],
            ],
        ),
        (
            1e24,
            [
                [51.92e9, 3.210e12, 1.89999],
                [41.30e9, 4.036e12, 1.91120],
                [95.86e9, 1.739e12, 1.95971],
            ],
        ),
        (
            1e25,
            [
                [148.5e9, 11.22e12, 1.83802],
                [116.8e9, 14.27e12, 1.84532],
                [312.1e9, 5.341e12, 1.91173],
            ],
        ),
        (
            3.8e25,
            [
                [273.2e9, 23.18e12, 1.81101],
                [213.5e9, 29.67e12, 1.81653],
                [618.7e9, 10.24e12, 1.89171],
            ],
        ),
        (
            1e26,
            [
                [425.0e9, 39.22e12, 1.79464],
                [330.5e9, 50.43e12, 1.79906],
                [1.016e12, 16.41e12, 1.87990],
            ],
        ),
    ];
    let form = form(ADDITIVE, "6*N*D").unwrap();
    for (budget, rows) in table {
        for (law, [n, d, loss]) in [hoffmann, rounded, epoch].iter().zip(rows) {
            let found = allocate(&form, law, budget).unwrap();
            assert!(prints_as(found.first, n, 4), "{budget:e}: {found:?} {n}");
            assert!(prints_as(found.second, d, 4), "{budget:e}: {found:?} {d}");
            assert!(
                prints_as(found.loss, loss, 6),
                "{budget:e}: {found:?} {loss}"
            );
        }
    }
}

#[test]
fn monotone_shells_do_not_move_the_optimum() {
    let values = [
        ("A", 482.0),
        ("B", 2085.0),
        ("E", 1.8),
        ("alpha", 0.35),
        ("beta", 0.37),
        ("g", 0.4),
        ("U", 3.0),
    ];
    let plain = allocate(&form(ADDITIVE, "6*N*D").unwrap(), &values, 1e22).unwrap();
    for law in [
        "E + (A/N**alpha + B/D**beta)**g",
        "log(E + A/N**alpha + B/D**beta)",
        "U*sqrt(A*N**(-alpha) + B/D**beta) - E",
        "exp(log(E + exp(log(A) - alpha*log(N)) + exp(log(B) - beta*log(D))))",
        "1 - 1/(1 + E + A/N**alpha + B/D**beta)",
    ] {
        let form = form(law, "6*N*D").unwrap();
        let found = allocate(&form, &values, 1e22).unwrap();
        assert!((found.first / plain.first - 1.0).abs() < 1e-13, "{law}");
        assert!((found.second / plain.second - 1.0).abs() < 1e-13, "{law}");
    }
}

#[test]
fn kaplans_joint_law_has_a_closed_form() {
    let form = form("((N_c/N)**(aN/aD) + D_c/D)**aD", "6*N*D").unwrap();
    let values = [
        ("N_c", 6.4e13),
        ("aN", 0.076),
        ("aD", 0.103),
        ("D_c", 1.8e13),
    ];
    let found = allocate(&form, &values, 1e23).unwrap();
    // First-order condition: (aN/aD)(N_c/N)^(aN/aD) = D_c/D.
    let left = 0.076 / 0.103 * (6.4e13 / found.first).powf(0.076 / 0.103);
    assert!((left / (1.8e13 / found.second) - 1.0).abs() < 1e-12);
    let law = ((6.4e13 / found.first).powf(0.076 / 0.103) + 1.8e13 / found.second).powf(0.103);
    assert!((found.loss / law - 1.0).abs() < 1e-13);
}

#[test]
fn what_is_no_interior_minimum_is_none() {
    let form = form(ADDITIVE, "6*N*D").unwrap();
    let with = |name: &str, value: f64| {
        let mut values = [
            ("A", 400.0),
            ("B", 400.0),
            ("E", 1.7),
            ("alpha", 0.3),
            ("beta", 0.3),
        ];
        values
            .iter_mut()
            .filter(|(n, _)| *n == name)
            .for_each(|pair| pair.1 = value);
        allocate(&form, &values, 1e21)
    };
    assert!(with("E", 1.7).is_some());
    for (name, value) in [
        ("A", -1.0),
        ("B", 0.0),
        ("alpha", -0.3),
        ("beta", 0.0),
        ("E", f64::NAN),
    ] {
        assert_eq!(with(name, value), None, "{name}");
    }
}

#[test]
fn other_shapes_are_refused_with_a_code() {
    for law in [
        "E + A/N**alpha",
        "E + A/N**a + B/D**b + F/(N**c*D**d)",
        "E + A/N**a + F/(N**c*D**d)",
        "E + A/(1 + N)**a + B/D**b",
        "min(A/N, B/D)",
        "abs(A/N + B/D)",
    ] {
        assert_eq!(
            form(law, "6*N*D").unwrap_err().code,
            "no-closed-form",
            "{law}"
        );
    }
    for cost in ["6*N*D + 2*N*1e12", "6*N*D*log(N)", "6"] {
        let result = form(ADDITIVE, cost);
        let refused = result.is_err_and(|error| error.code == "no-closed-form");
        assert!(refused || cost == "6", "{cost}");
    }
    let law = System::formula(ADDITIVE).unwrap();
    assert_eq!(
        ClosedForm::detect(&law, "M", &law, ("N", "D"))
            .unwrap_err()
            .code,
        "unknown-output"
    );
}

proptest! {
    #[test]
    fn no_split_of_the_same_cost_is_better(
        (a, b, e) in (1.0f64..1e4, 1.0f64..1e5, 0.1f64..3.0),
        (alpha, beta) in (0.05f64..1.0, 0.05f64..1.0),
        (k, s, t) in (0.1f64..20.0, 0.5f64..2.0, 0.5f64..2.0),
        budget in 20.0f64..60.0,
    ) {
        let budget = budget.exp();
        let form = form(ADDITIVE, "k*N**s*D**t").unwrap();
        let values = [
            ("A", a), ("B", b), ("E", e), ("alpha", alpha), ("beta", beta), ("k", k), ("s", s), ("t", t),
        ];
        let best = allocate(&form, &values, budget).unwrap();
        let law = |n: f64, d: f64| e + a / n.powf(alpha) + b / d.powf(beta);
        prop_assert!((k * best.first.powf(s) * best.second.powf(t) / budget - 1.0).abs() < 1e-10);
        prop_assert!((law(best.first, best.second) / best.loss - 1.0).abs() < 1e-11);
        for factor in [0.5f64, 0.9, 0.99, 1.01, 1.1, 2.0] {
            let d = best.second / factor.powf(s / t);
            prop_assert!(law(best.first * factor, d) >= best.loss * (1.0 - 1e-12));
        }
    }
}
