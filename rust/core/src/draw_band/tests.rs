//! The band against the law written out under every draw.

use super::*;
use crate::predict::{Values, evaluate};
use crate::resample::spread;
use crate::rng::{Random, Stream};

const FORM: &str = "E + A/N**alpha + B/D**beta";
const NAMES: [&str; 5] = ["E", "A", "alpha", "B", "beta"];

fn normals(series: u32, count: usize, centre: f64, width: f64) -> Vec<f64> {
    let random = Random::new(8, Stream::Noise);
    (0..count as u64)
        .map(|i| centre + width * random.normal(series, i))
        .collect()
}

fn draws(count: usize, first: u32) -> Vec<Vec<f64>> {
    [
        (1.7, 0.05),
        (400.0, 40.0),
        (0.34, 0.02),
        (410.0, 40.0),
        (0.28, 0.02),
    ]
    .iter()
    .zip(first..)
    .map(|(&(centre, width), series)| normals(series, count, centre, width))
    .collect()
}

fn table(columns: &[Vec<f64>]) -> Vec<(&str, &[f64])> {
    NAMES
        .into_iter()
        .zip(columns.iter().map(Vec::as_slice))
        .collect()
}

fn design(rows: usize) -> (Vec<f64>, Vec<f64>) {
    let n = normals(20, rows, 9.0, 1.0)
        .iter()
        .map(|x| 10f64.powf(*x))
        .collect();
    (
        n,
        normals(21, rows, 11.0, 1.0)
            .iter()
            .map(|x| 10f64.powf(*x))
            .collect(),
    )
}

/// Point by point over whole columns, as the definition says.
#[test]
fn the_ends_are_those_of_the_values_under_every_draw() {
    let system = System::formula(FORM).unwrap();
    let (held, held_out) = (draws(3 * BLOCK + 11, 0), draws(40, 10));
    let (table_of_draws, table_left_out) = (table(&held), table(&held_out));
    let (mut n, d) = design(900);
    n[3] = f64::NAN;
    n[4] = 0.0;
    for kind in ["percentile", "basic", "normal", "bca"] {
        let kind = IntervalKind::named(kind).unwrap();
        let band = DrawBand {
            system: &system,
            output: "L",
            draws: &table_of_draws,
            left_out: Some(&table_left_out),
            kind,
            level: 0.9,
            scale: 1.5,
        };
        let centre: Vec<f64> = (0..900)
            .map(|i| if i == 5 { f64::NAN } else { 2.2 })
            .collect();
        let points = [("N", &n[..]), ("D", &d[..])];
        let (lower, upper) = band
            .ends(&points, &centre, Some(1), &Control::new())
            .unwrap();
        let threaded = band
            .ends(&points, &centre, Some(3), &Control::new())
            .unwrap();
        let bits = |ends: &[f64]| ends.iter().map(|x| x.to_bits()).collect::<Vec<u64>>();
        assert_eq!(
            (bits(&lower), bits(&upper)),
            (bits(&threaded.0), bits(&threaded.1))
        );
        for row in (0..900).step_by(if kind == IntervalKind::Percentile {
            1
        } else {
            37
        }) {
            let at = |columns: &[Vec<f64>]| {
                let count = columns[0].len();
                let (n, d) = (vec![n[row]; count], vec![d[row]; count]);
                let positive = n[0] > 0.0;
                let mut inputs = vec![
                    (
                        "N",
                        if positive {
                            Values::PositiveColumn(&n)
                        } else {
                            Values::Column(&n)
                        },
                    ),
                    ("D", Values::PositiveColumn(&d)),
                ];
                inputs.extend(
                    table(columns)
                        .into_iter()
                        .map(|(k, c)| (k, Values::PositiveColumn(c))),
                );
                let mut out = vec![0.0; count];
                evaluate(
                    &system,
                    &["L"],
                    &inputs,
                    &mut [&mut out],
                    None,
                    &Control::new(),
                )
                .unwrap();
                out
            };
            let wanted = spread(kind, 0.9, centre[row], &at(&held), &at(&held_out), 1.5);
            assert_eq!(
                lower[row].to_bits(),
                wanted.lower.to_bits(),
                "{kind:?} {row}"
            );
            assert_eq!(
                upper[row].to_bits(),
                wanted.upper.to_bits(),
                "{kind:?} {row}"
            );
        }
    }
}

#[test]
fn misuse_has_a_code_and_interruption_ends_it() {
    let system = System::formula(FORM).unwrap();
    let held = draws(10, 0);
    let table_of_draws = table(&held);
    let band = DrawBand {
        system: &system,
        output: "L",
        draws: &table_of_draws,
        left_out: None,
        kind: IntervalKind::Percentile,
        level: 0.9,
        scale: 1.0,
    };
    let code = |band: &DrawBand<'_>, points: &Table<'_>, control: &Control| {
        band.ends(points, &[2.0], None, control).unwrap_err().code
    };
    let (n, d) = (("N", &[1e9][..]), ("D", &[1e11][..]));
    let fine = Control::new();
    assert_eq!(code(&band, &[n], &fine), "unbound-symbol");
    assert_eq!(
        code(&band, &[n, ("D", &[1.0, 2.0])], &fine),
        "column-length"
    );
    assert_eq!(
        code(
            &DrawBand {
                output: "M",
                ..band
            },
            &[n, d],
            &fine
        ),
        "unknown-output"
    );
    let ragged = [("E", &[1.0][..]), ("A", &[1.0, 2.0])];
    assert_eq!(
        code(
            &DrawBand {
                draws: &ragged,
                ..band
            },
            &[n, d],
            &fine
        ),
        "column-length"
    );
    let stopped = Control::new();
    stopped.cancel();
    assert_eq!(code(&band, &[n, d], &stopped), "interrupted");
    // One draw is too few to say anything.
    let one = draws(1, 0);
    let table_of_one = table(&one);
    let (lower, _) = DrawBand {
        draws: &table_of_one,
        ..band
    }
    .ends(&[n, d], &[2.0], None, &fine)
    .unwrap();
    assert!(lower[0].is_nan());
}
