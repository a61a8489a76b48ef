//! Weights, signs and index sets of single replicates.

use super::*;

fn scheme(kind: Kind<'_>) -> Scheme<'_> {
    Scheme {
        kind,
        units: None,
        strata: None,
        seed: 3,
        global: true,
    }
}

fn weights(plan: &Plan<'_>, replicate: u32) -> Vec<f64> {
    match plan.change(replicate, &[]) {
        Change::Weights(weights) => weights,
        Change::Residuals(_) => panic!("weights expected"),
    }
}

#[test]
fn pairs_draw_as_many_rows_as_there_are_in_each_stratum() {
    let strata = [0, 0, 0, 1, 1, 1, 1];
    let plan = Plan::new(
        &Scheme {
            strata: Some(&strata),
            ..scheme(Kind::Pairs)
        },
        7,
    )
    .unwrap();
    for k in 0..50 {
        let w = weights(&plan, k);
        assert_eq!(w[..3].iter().sum::<f64>(), 3.0);
        assert_eq!(w[3..].iter().sum::<f64>(), 4.0);
    }
    assert_ne!(weights(&plan, 0), weights(&plan, 1));
}

#[test]
fn clusters_are_drawn_whole() {
    let units = [0, 0, 1, 1, 1, 2];
    for kind in [
        Kind::Pairs,
        Kind::Bayesian,
        Kind::Fraction(0.5),
        Kind::Jackknife,
    ] {
        let plan = Plan::new(
            &Scheme {
                units: Some(&units),
                ..scheme(kind)
            },
            6,
        )
        .unwrap();
        for k in 0..3 {
            let w = weights(&plan, k);
            assert!(w[0] == w[1] && w[2] == w[3] && w[3] == w[4]);
        }
    }
}

#[test]
fn a_fraction_is_drawn_without_replacement() {
    let plan = Plan::new(&scheme(Kind::Fraction(0.8)), 10).unwrap();
    for k in 0..50 {
        let w = weights(&plan, k);
        assert!(w.iter().all(|&x| x == 0.0 || x == 1.0));
        assert_eq!(w.iter().sum::<f64>(), 8.0);
    }
}

#[test]
fn bayesian_weights_have_the_moments_of_the_dirichlet_law() {
    let n = 20;
    let plan = Plan::new(&scheme(Kind::Bayesian), n).unwrap();
    let mut squares = 0.0;
    for k in 0..2000 {
        let w = weights(&plan, k);
        assert!((w.iter().sum::<f64>() - n as f64).abs() < 1e-9);
        squares += w.iter().map(|x| (x - 1.0) * (x - 1.0)).sum::<f64>() / n as f64;
    }
    // Variance of n times a coordinate of the flat Dirichlet law: (n - 1)/(n + 1).
    let expected = (n as f64 - 1.0) / (n as f64 + 1.0);
    assert!((squares / 2000.0 / expected - 1.0).abs() < 0.05);
}

#[test]
fn wild_factors_have_mean_zero_and_variance_one() {
    for kind in [Kind::Wild, Kind::WildWebb] {
        let plan = Plan::new(&scheme(kind), 50).unwrap();
        let (mut sum, mut squares, n) = (0.0, 0.0, 50.0 * 400.0);
        for k in 0..400 {
            let Change::Residuals(r) = plan.change(k, &[1.0; 50]) else {
                panic!("residuals expected")
            };
            sum += r.iter().sum::<f64>();
            squares += r.iter().map(|x| x * x).sum::<f64>();
        }
        assert!((sum / n).abs() < 5.0 / f64::sqrt(n));
        assert!((squares / n - 1.0).abs() < 0.05);
    }
}

#[test]
fn given_index_sets_are_counted() {
    let sets = [0, 0, 2, 1, 1, 1];
    let plan = Plan::new(&scheme(Kind::Indices(&sets, 3)), 3).unwrap();
    assert_eq!(plan.replicates(), Some(2));
    assert_eq!(weights(&plan, 0), [2.0, 0.0, 1.0]);
    assert_eq!(weights(&plan, 1), [0.0, 3.0, 0.0]);
}

#[test]
fn misuse_has_a_code() {
    let code = |s: &Scheme<'_>| Plan::new(s, 3).err().map(|e| e.code);
    assert_eq!(code(&scheme(Kind::Fraction(1.0))), Some("bad-fraction"));
    assert_eq!(
        code(&scheme(Kind::Indices(&[0, 3], 2))),
        Some("index-out-of-range")
    );
    assert_eq!(
        code(&scheme(Kind::Weights(&[1.0, 2.0]))),
        Some("weights-shape")
    );
    assert_eq!(
        code(&scheme(Kind::Weights(&[1.0, -2.0, 1.0]))),
        Some("bad-weights")
    );
    let split = Scheme {
        units: Some(&[0, 0, 1]),
        strata: Some(&[0, 1, 1]),
        ..scheme(Kind::Pairs)
    };
    assert_eq!(code(&split), Some("cluster-spans-strata"));
    let clustered = Scheme {
        units: Some(&[0, 0, 1]),
        ..scheme(Kind::Residual)
    };
    assert_eq!(code(&clustered), Some("residual-cluster"));
    let lone = Scheme {
        units: Some(&[0, 0, 0]),
        ..scheme(Kind::Pairs)
    };
    assert_eq!(code(&lone), Some("too-few-units"));
}
