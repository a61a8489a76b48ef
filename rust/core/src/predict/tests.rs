use super::*;
use proptest::prelude::*;

const LAW: &str = "E + A/N**alpha + B/D**beta";
const PARAMETERS: [(&str, Values<'static>); 5] = [
    ("A", Values::Number(482.0)),
    ("B", Values::Number(2085.0)),
    ("E", Values::Number(1.8)),
    ("alpha", Values::Number(0.35)),
    ("beta", Values::Number(0.37)),
];

fn design(rows: usize) -> (Vec<f64>, Vec<f64>) {
    (0..rows)
        .map(|i| (1e7 * (1.0 + i as f64), 1e12 / (1.0 + (i % 97) as f64)))
        .unzip()
}

fn predict(n: &[f64], d: &[f64], threads: Option<usize>) -> Result<Vec<f64>, CoreError> {
    let system = System::formula(LAW).unwrap();
    let mut inputs = PARAMETERS.to_vec();
    inputs.push(("N", Values::PositiveColumn(n)));
    inputs.push(("D", Values::PositiveColumn(d)));
    let mut out = vec![0.0; n.len()];
    evaluate(
        &system,
        &["L"],
        &inputs,
        &mut [&mut out],
        threads,
        &Control::new(),
    )?;
    Ok(out)
}

#[test]
fn every_row_is_the_formula_whatever_its_place_and_the_threads() {
    let (n, d) = design(2 * CHUNK + 77);
    let whole = predict(&n, &d, Some(2)).unwrap();
    assert_eq!(whole, predict(&n, &d, Some(1)).unwrap());
    for i in (0..n.len()).step_by(1009) {
        assert_eq!(
            whole[i].to_bits(),
            predict(&n[i..=i], &d[i..=i], None).unwrap()[0].to_bits()
        );
        let expected = 1.8 + 482.0 / n[i].powf(0.35) + 2085.0 / d[i].powf(0.37);
        assert!((whole[i] / expected - 1.0).abs() < 1e-14);
    }
    assert!(predict(&[], &[], None).unwrap().is_empty());
}

#[test]
fn numbers_alone_and_parameter_columns_work() {
    let system = System::formula("a*x**2").unwrap();
    let (a, x) = ([1.0, 2.0, 3.0], [-2.0, 3.0, 0.5]);
    let mut out = [0.0; 3];
    let columns = [("a", Values::Column(&a)), ("x", Values::Column(&x))];
    evaluate(
        &system,
        &["L"],
        &columns,
        &mut [&mut out],
        None,
        &Control::new(),
    )
    .unwrap();
    assert_eq!(out, [4.0, 18.0, 0.75]);
    let numbers = [("a", Values::Number(2.0)), ("x", Values::Number(-3.0))];
    evaluate(
        &system,
        &["L"],
        &numbers,
        &mut [&mut out],
        None,
        &Control::new(),
    )
    .unwrap();
    assert_eq!(out, [18.0; 3]);
}

#[test]
fn bad_rows_lengths_and_names_are_errors() {
    let (mut n, d) = design(3 * CHUNK);
    assert_eq!(
        predict(&n[1..], &d, None).unwrap_err().code,
        "column-length"
    );
    n[2 * CHUNK + 5] = 0.0;
    n[CHUNK + 9] = f64::NAN;
    let error = predict(&n, &d, Some(2)).unwrap_err();
    assert_eq!((error.code, error.row), ("invalid-values", Some(CHUNK + 9)));
    assert!(error.message.contains("2 of"), "{error}");
    let system = System::formula("a*b").unwrap();
    let mut out = [0.0];
    let one = [("a", Values::Number(1.0))];
    let code = |error: Result<(), CoreError>| error.unwrap_err().code;
    assert_eq!(
        code(evaluate(
            &system,
            &["L"],
            &one,
            &mut [&mut out],
            None,
            &Control::new()
        )),
        "unbound-symbol"
    );
    assert_eq!(
        code(evaluate(
            &system,
            &["M"],
            &one,
            &mut [&mut out],
            None,
            &Control::new()
        )),
        "unknown-output"
    );
    let control = Control::new();
    control.cancel();
    assert_eq!(
        code(evaluate(
            &system,
            &["L"],
            &[("a", Values::Number(1.0)), ("b", Values::Number(1.0))],
            &mut [&mut out],
            None,
            &control
        )),
        "interrupted"
    );
}

proptest! {
    #[test]
    fn standard_errors_follow_the_delta_method(
        x in 0.1f64..10.0, a in -3.0f64..3.0, b in 0.1f64..3.0,
        (va, vb, r) in (0.01f64..1.0, 0.01f64..1.0, -0.99f64..0.99),
    ) {
        let system = System::formula("a*x**b").unwrap();
        let cross = r * (va * vb).sqrt();
        let (mut value, mut error) = ([0.0], [0.0]);
        let column = [x];
        let inputs = [("x", Values::PositiveColumn(&column)), ("a", Values::Number(a)), ("b", Values::Number(b))];
        evaluate_with_error(
            &system, "L", &inputs, &["a", "b"], &[va, cross, cross, vb], (&mut value, &mut error), None, &Control::new(),
        ).unwrap();
        let (ga, gb) = (x.powf(b), a * x.powf(b) * x.ln());
        let expected = (ga * ga * va + 2.0 * ga * gb * cross + gb * gb * vb).sqrt();
        prop_assert!((value[0] - a * x.powf(b)).abs() < 1e-12 * value[0].abs().max(1.0));
        prop_assert!((error[0] - expected).abs() < 1e-9 * expected.max(1e-3));
    }
}
