use super::*;
use proptest::prelude::*;

fn data(n: &[f64], y: &[f64], weights: Option<&[f64]>) -> Result<Dataset<'static>, CoreError> {
    let owned = |v: &[f64]| Cow::Owned(v.to_vec());
    Dataset::new(
        vec!["N".into()],
        vec![owned(n)],
        owned(y),
        weights.map(owned),
        &[true],
        true,
    )
}

#[test]
fn counts_bad_rows_of_every_column_and_names_the_first() {
    let error = data(
        &[1.0, f64::NAN, -2.0, 0.0],
        &[1.0, 2.0, f64::INFINITY, 4.0],
        None,
    )
    .unwrap_err();
    assert_eq!((error.code, error.row), ("invalid-values", Some(1)));
    assert_eq!(error.column.as_deref(), Some("N"));
    assert!(
        error
            .message
            .contains("N: 3 of 4 rows cannot be used (1 NaN, 1 zero, 1 negative)"),
        "{error}"
    );
    assert!(
        error
            .message
            .contains("the response: 1 of 4 rows cannot be used (1 infinite)"),
        "{error}"
    );
}

#[test]
fn columns_that_may_be_negative_are_taken() {
    let columns = vec![Cow::Borrowed(&[-1.0, 0.0][..])];
    let set = Dataset::new(
        vec!["x".into()],
        columns,
        Cow::Borrowed(&[-3.0, 0.0]),
        None,
        &[false],
        false,
    );
    assert_eq!(set.unwrap().len(), 2);
}

#[test]
fn lengths_weights_and_emptiness_are_checked() {
    assert_eq!(data(&[], &[], None).unwrap_err().code, "empty-data");
    assert_eq!(
        data(&[1.0], &[1.0, 2.0], None).unwrap_err().code,
        "column-length"
    );
    let code = |w: &[f64]| data(&[1.0, 2.0], &[1.0, 2.0], Some(w)).unwrap_err().code;
    assert_eq!(code(&[1.0]), "column-length");
    assert_eq!(code(&[1.0, -1.0]), "invalid-weights");
    assert_eq!(code(&[1.0, f64::NAN]), "invalid-weights");
    assert_eq!(code(&[0.0, 0.0]), "invalid-weights");
}

#[test]
fn rows_without_weight_do_not_count() {
    let set = data(&[1.0, 2.0, 3.0], &[1.0; 3], Some(&[1.0, 0.0, 2.0])).unwrap();
    assert_eq!(
        (
            set.rows_in_use(),
            set.distinct_points(100),
            set.distinct_values(0, 100)
        ),
        (2, 2, 2)
    );
}

proptest! {
    #[test]
    fn distinct_counts_are_exact_up_to_the_cap(values in prop::collection::vec(1u8..20, 1..60), cap in 1usize..30) {
        let n: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
        let set = data(&n, &vec![1.0; n.len()], None).unwrap();
        let exact = values.iter().collect::<HashSet<_>>().len();
        prop_assert_eq!(set.distinct_values(0, cap), exact.min(cap));
        prop_assert_eq!(set.distinct_points(cap), exact.min(cap));
    }
}
