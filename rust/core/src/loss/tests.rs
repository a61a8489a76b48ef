use super::*;
use proptest::prelude::*;

const LOSSES: [Loss; 8] = [
    Loss::Squared,
    Loss::Huber { delta: 1.5 },
    Loss::Huber { delta: 1e-3 },
    Loss::SoftL1 { delta: 0.7 },
    Loss::Cauchy { delta: 2.0 },
    Loss::Asymmetric { weight: 3.0 },
    Loss::Pinball {
        quantile: 0.9,
        width: 0.5,
    },
    Loss::Pinball {
        quantile: 0.2,
        width: 0.01,
    },
];

#[test]
fn values_as_the_formulas_say() {
    let huber = Loss::Huber { delta: 2.0 };
    assert_eq!((huber.rho(2.0), huber.rho(-3.0)), (2.0, 4.0));
    assert_eq!(
        (huber.psi(-3.0), huber.psi_prime(2.0), huber.psi_prime(2.1)),
        (-2.0, 1.0, 0.0)
    );
    let soft = Loss::SoftL1 { delta: 3.0 };
    assert!((soft.rho(4.0) - 9.0 * (5.0 / 3.0 - 1.0)).abs() < 1e-14);
    let cauchy = Loss::Cauchy { delta: 2.0 };
    assert!((cauchy.rho(2.0) - 2.0 * std::f64::consts::LN_2).abs() < 1e-15);
    let asymmetric = Loss::Asymmetric { weight: 4.0 };
    assert_eq!((asymmetric.rho(-1.0), asymmetric.rho(1.0)), (2.0, 0.5));
    let pinball = Loss::Pinball {
        quantile: 0.9,
        width: 0.5,
    };
    assert!((pinball.rho(-2.0) - 1.8).abs() < 1e-15 && (pinball.rho(2.0) - 0.2).abs() < 1e-15);
}

#[test]
fn huge_and_invalid_residuals_stay_ordered() {
    for loss in LOSSES {
        assert!(loss.rho(f64::NAN).is_nan(), "{loss:?}");
        assert!(loss.rho(1e150) > loss.rho(1e140), "{loss:?}");
        assert!(loss.rho(-1e150) > loss.rho(-1e140), "{loss:?}");
    }
    assert!((Loss::SoftL1 { delta: 1e-3 }.rho(1e200) / 1e197 - 1.0).abs() < 1e-15);
}

#[test]
fn validation_names_the_field() {
    assert_eq!(
        Loss::Huber { delta: 0.0 }.validate().unwrap_err().code,
        "loss-threshold"
    );
    assert_eq!(
        Loss::Cauchy { delta: f64::NAN }
            .validate()
            .unwrap_err()
            .code,
        "loss-threshold"
    );
    assert_eq!(
        Loss::Asymmetric { weight: -1.0 }
            .validate()
            .unwrap_err()
            .value,
        Some(-1.0)
    );
    assert_eq!(
        Loss::Pinball {
            quantile: 1.0,
            width: 1.0
        }
        .validate()
        .unwrap_err()
        .code,
        "loss-quantile"
    );
    assert!(LOSSES.iter().all(|loss| loss.validate().is_ok()));
}

#[test]
fn a_threshold_can_be_replaced() {
    for loss in LOSSES {
        assert_eq!(
            loss.with_threshold(0.25).threshold(),
            loss.threshold().map(|_| 0.25)
        );
    }
}

proptest! {
    #[test]
    fn derivatives_agree_with_differences(which in 0..LOSSES.len(), r in -5.0f64..5.0) {
        let loss = LOSSES[which];
        let h = 1e-6;
        let kink = loss.threshold().unwrap_or(0.0);
        prop_assume!((r.abs() - kink).abs() > 2.0 * h);
        let slope = (loss.rho(r + h) - loss.rho(r - h)) / (2.0 * h);
        let curvature = (loss.psi(r + h) - loss.psi(r - h)) / (2.0 * h);
        prop_assert!((slope - loss.psi(r)).abs() < 1e-8 * (1.0 + loss.psi(r).abs()));
        prop_assert!((curvature - loss.psi_prime(r)).abs() < 1e-7 * (1.0 + loss.psi_prime(r).abs()));
    }

    #[test]
    fn blocks_have_the_bits_of_single_values(
        which in 0..LOSSES.len(),
        rows in prop::collection::vec((-4.0f64..4.0, 0.0f64..3.0), 0..40),
    ) {
        let loss = LOSSES[which];
        let (r, w): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
        for kernel in Kernel::available() {
            for weights in [None, Some(w.as_slice())] {
                let mut out = [vec![0.0; r.len()], vec![0.0; r.len()], vec![0.0; r.len()]];
                let [rho, psi, psi_prime] = &mut out;
                loss.block(kernel, &r, weights, rho, psi, psi_prime);
                for i in 0..r.len() {
                    let weight = weights.map_or(1.0, |w| w[i]);
                    let expected = [loss.rho(r[i]), loss.psi(r[i]), loss.psi_prime(r[i])];
                    for (column, expected) in out.iter().zip(expected) {
                        prop_assert_eq!(column[i].to_bits(), (weight * expected).to_bits());
                    }
                }
            }
        }
    }
}
