//! Sharing: which pairs of factors appear in several products.
//!
//! Stage: between normal forms and operations. In: each product as a list of atoms; out: shorter lists, in which a
//! pair of atoms that several products have in common has become an atom of its own. Greedy, the most
//! frequent pair first (Breuer, 1969): the value of a law, its gradient and its Hessian then multiply each common part once.

use std::collections::BTreeMap;

use super::id::FormId;
use super::product::Power;

/// A factor of a product that is computed for each row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Atom {
    /// A form as it is.
    Form(FormId),
    /// One over a form.
    Reciprocal(FormId),
    /// One exponential for a product of powers.
    Powers(Vec<Power>),
    /// Two atoms multiplied, by position in [`Sharing::pairs`].
    Pair(usize),
}

/// The products after sharing.
pub(crate) struct Sharing {
    /// The atoms of each product, in the order of the products.
    pub(crate) products: Vec<Vec<Atom>>,
    /// The two atoms of each shared pair; later pairs may contain earlier ones.
    pub(crate) pairs: Vec<(Atom, Atom)>,
}

/// Looks at this many pairs at most, which bounds the time for formulas of thousands of products.
const PATIENCE: usize = 4_000_000;

/// Finds the pairs that several products share.
pub(crate) fn share(mut products: Vec<Vec<Atom>>) -> Sharing {
    let mut pairs = Vec::new();
    let mut seen = 0;
    while seen < PATIENCE {
        let mut counts: BTreeMap<(&Atom, &Atom), usize> = BTreeMap::new();
        for product in &mut products {
            product.sort();
        }
        for product in &products {
            let mut from = 0;
            // Sorted, so equal atoms stand together: one run of each.
            for run in product.chunk_by(|a, b| a == b) {
                from += run.len();
                if run.len() > 1 {
                    *counts.entry((&run[0], &run[0])).or_default() += run.len() / 2;
                }
                for other in product[from..].chunk_by(|a, b| a == b) {
                    seen += 1;
                    *counts.entry((&run[0], &other[0])).or_default() += 1;
                }
            }
        }
        let best = counts
            .iter()
            .filter(|(_, count)| **count > 1)
            .max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        let Some((&(first, second), _)) = best else {
            break;
        };
        let pair = (first.clone(), second.clone());
        for product in &mut products {
            while let Some((i, j)) = find(product, &pair) {
                product.remove(j);
                product[i] = Atom::Pair(pairs.len());
            }
        }
        pairs.push(pair);
    }
    Sharing { products, pairs }
}

/// Where a product has both atoms of a pair.
fn find(product: &[Atom], pair: &(Atom, Atom)) -> Option<(usize, usize)> {
    let i = product.iter().position(|atom| *atom == pair.0)?;
    let j = product[i + 1..].iter().position(|atom| *atom == pair.1)?;
    Some((i, i + 1 + j))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lower::forms::Forms;

    fn atoms(names: &[f64], forms: &mut Forms) -> Vec<Atom> {
        let atom = |&x: &f64| Atom::Form(forms.constant(x));
        names.iter().map(atom).collect()
    }

    #[test]
    fn common_parts_become_pairs() {
        let mut forms = Forms::default();
        let first = atoms(&[1.0, 2.0, 3.0], &mut forms);
        let second = atoms(&[1.0, 2.0, 4.0], &mut forms);
        let third = atoms(&[1.0, 2.0], &mut forms);
        let sharing = share(vec![first, second, third.clone()]);
        assert_eq!(sharing.pairs, [(third[0].clone(), third[1].clone())]);
        assert_eq!(sharing.products[2], [Atom::Pair(0)]);
        assert_eq!(sharing.products[0].len(), 2);
    }

    #[test]
    fn a_high_power_takes_few_multiplications() {
        let mut forms = Forms::default();
        let sharing = share(vec![
            atoms(&[7.0; 8], &mut forms),
            atoms(&[7.0; 4], &mut forms),
        ]);
        assert_eq!(sharing.pairs.len(), 2, "the square and its square");
        assert_eq!(sharing.products[0].len(), 2);
    }
}
