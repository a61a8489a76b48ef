//! The plan of all products of a family, made before any is written down.
//!
//! Stage: between normal forms and emission. In: forms and which of them are needed; out: for each varying product the
//! atoms that are multiplied for each row and what they are divided by. Decided here: which reciprocals and
//! exponentials are worth having for all products together.

use std::collections::{HashMap, HashSet};

use super::forms::{Form, Forms};
use super::id::FormId;
use super::product::{Power, Product};
use super::share::{Atom, Sharing, share};
use super::values::Stage;
use crate::op::Op;

/// The factors of one varying product that are computed for each row.
struct Rows {
    atoms: Vec<Atom>,
    /// What it is divided by, if no other product is.
    divisors: Vec<(FormId, i32)>,
}

/// What is decided over all products before any is written down.
pub(super) struct Plan {
    pub(super) sharing: Sharing,
    /// The position of each varying product in `sharing`, and its divisors.
    pub(super) products: HashMap<FormId, (usize, Vec<(FormId, i32)>)>,
    /// Forms whose logarithm is needed anyway.
    pub(super) logarithms: HashSet<FormId>,
}

impl Plan {
    pub(super) fn new(forms: &Forms, needed: &[bool]) -> Plan {
        let varying: Vec<(FormId, &Product)> = forms
            .all()
            .filter(|id| needed[id.index()] && forms.stage(*id) == Stage::Varying)
            .filter_map(|id| match forms.form(id) {
                Form::Product(product) => Some((id, product)),
                _ => None,
            })
            .collect();
        let logarithms: HashSet<FormId> = forms
            .all()
            .filter(|&id| {
                let log = forms.find(Op::Log, id);
                forms.stage(id) == Stage::Varying && log.is_some_and(|log| needed[log.index()])
            })
            .collect();
        let mut divisions: HashMap<FormId, usize> = HashMap::new();
        let mut signatures: HashSet<&[Power]> = HashSet::new();
        for (_, product) in &varying {
            for &(factor, count) in &product.factors {
                if count < 0 {
                    *divisions.entry(factor).or_default() += if count < -1 { 2 } else { 1 };
                }
            }
            signatures.insert(&product.powers);
        }
        let invert = |id: FormId| {
            divisions[&id] > 1 || logarithms.contains(&id) || forms.stage(id) == Stage::Prepared
        };
        let mut lists = Vec::new();
        let mut products = HashMap::new();
        for (id, product) in varying {
            let rows = rows(forms, product, &signatures, &invert);
            products.insert(id, (lists.len(), rows.divisors));
            lists.push(rows.atoms);
        }
        Plan {
            sharing: share(lists),
            products,
            logarithms,
        }
    }
}

/// Takes a product apart into what is computed for each row; uniform factors are left out.
fn rows(
    forms: &Forms,
    product: &Product,
    signatures: &HashSet<&[Power]>,
    invert: &impl Fn(FormId) -> bool,
) -> Rows {
    let mut rows = Rows {
        atoms: Vec::new(),
        divisors: Vec::new(),
    };
    for &(factor, count) in &product.factors {
        if is_uniform(forms.stage(factor)) {
            continue;
        }
        if count > 0 {
            rows.atoms.extend((0..count).map(|_| Atom::Form(factor)));
        } else if invert(factor) {
            let atom = Atom::Reciprocal(factor);
            rows.atoms.extend((count..0).map(|_| atom.clone()));
        } else {
            rows.divisors.push((factor, -count));
        }
    }
    // One exponential for all powers, unless other products need those of the single powers anyway.
    let single = |power: &Power| signatures.contains(std::slice::from_ref(power));
    if product.powers.len() > 1 && product.powers.iter().all(single) {
        let atoms = product
            .powers
            .iter()
            .map(|power| Atom::Powers(vec![*power]));
        rows.atoms.extend(atoms);
    } else if let [power] = product.powers[..] {
        // The square of an exponential that exists is one multiplication.
        let unit = Power {
            multiple: power.multiple.signum(),
            ..power
        };
        let times = power.multiple.unsigned_abs();
        if (2..=4).contains(&times) && single(&unit) {
            rows.atoms
                .extend((0..times).map(|_| Atom::Powers(vec![unit])));
        } else {
            rows.atoms.push(Atom::Powers(vec![power]));
        }
    } else if !product.powers.is_empty() {
        rows.atoms.push(Atom::Powers(product.powers.clone()));
    }
    rows
}

pub(super) fn is_uniform(stage: Stage) -> bool {
    matches!(stage, Stage::Constant | Stage::Uniform)
}
