//! The nearest of some names to a misspelt one, for hints.

/// The candidate that differs least from `name`, if one is near enough to be meant.
///
/// Case does not count. Near enough is one edit for every three characters, and at least one.
///
/// ```
/// use scalefast_expr::spelling::nearest;
/// assert_eq!(nearest("sqr", ["exp", "sqrt"]), Some("sqrt"));
/// assert_eq!(nearest("foo", ["exp", "sqrt"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64;
    let length = name.chars().count();
    if length > LONGEST {
        return None;
    }
    let wanted = name.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= 4 * LONGEST)
        .map(|candidate| (distance(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, _)| distance <= (length / 3).max(1) && distance < length)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`
/// (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let mut cost = (last[j] + usize::from(a[i] != b[j]))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                cost = cost.min(before_last[j - 1] + 1);
            }
            row.push(cost);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_edits_of_both_directions() {
        assert_eq!(distance("log", "log"), 0);
        assert_eq!(distance("lgo", "log"), 1);
        assert_eq!(distance("", "log"), 3);
        assert_eq!(distance("kitten", "sitting"), distance("sitting", "kitten"));
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn a_short_name_is_not_replaced_wholly() {
        assert_eq!(nearest("N", ["D"]), None);
        assert_eq!(nearest("SIGMOD", ["sigmoid"]), Some("sigmoid"));
    }
}
