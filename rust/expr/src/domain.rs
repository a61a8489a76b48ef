//! Where a formula is defined: the rows of data on which it has no value, whatever its parameters are.
//!
//! Stage: before a fit and before a prediction. In: a system, columns (`m` rows), and bounds of parameters. Out: for each
//! row the first part that is undefined there. Parts of data alone are evaluated; of parts with parameters the possible
//! signs are followed (P. and R. Cousot, Abstract interpretation, 1977), so that a row is refused only where no parameters
//! help. A power of zero is where signs do not decide: `x**c` may be meant at `x = 0` and `x**(-c)` may not, so a parameter
//! in an exponent counts as positive there, unless its bounds say otherwise.

use std::collections::HashMap;

use crate::formula::System;
use crate::graph::{Graph, Node, NodeId, apply_binary, apply_unary};
use crate::op::{Domain, Op};

mod fault;
mod signs;

pub use fault::Fault;
use signs::Signs;

/// The rows on which a formula is undefined.
#[derive(Clone, Debug, Default)]
pub struct Undefined {
    /// What is wrong, each kind once.
    pub faults: Vec<Fault>,
    /// For each row the position among the faults, or nothing; empty where no row is at fault.
    pub rows: Vec<Option<u32>>,
}

/// What is known of a part on some rows.
#[derive(Clone, Copy, Debug)]
struct Part {
    signs: Signs,
    /// The signs where parameters without bounds are positive.
    usual: Signs,
    /// The number, for a part of data alone.
    value: Option<f64>,
    /// Whether the part is defined for every combination of the signs of its arguments.
    sure: bool,
}

impl Part {
    fn number(value: f64) -> Part {
        let signs = Signs::of(value);
        Part {
            signs,
            usual: signs,
            value: (!value.is_nan()).then_some(value),
            sure: true,
        }
    }

    fn unknown(signs: Signs, usual: Signs) -> Part {
        Part {
            signs,
            usual,
            value: None,
            sure: true,
        }
    }
}

/// The parts of a system in order, with what symbols are.
struct Analysis<'a> {
    graph: &'a Graph,
    order: Vec<NodeId>,
    /// By symbol.
    columns: Vec<Option<&'a [f64]>>,
    /// By symbol, of parameters.
    parameters: Vec<Part>,
}

impl System {
    /// The rows of `columns` (equal lengths) on which the outputs have no value for any parameters within `bounds`
    /// (name, lower, upper). Symbols that are no columns are parameters; rows that hold NaN or infinity are left out.
    ///
    /// ```
    /// use scalefast_expr::System;
    /// let system = System::formula("a + b*log(x) + c*y**d")?;
    /// let found = system.undefined(&["L"], &[("x", &[1.0, 0.0]), ("y", &[0.0, 1.0])], &[]);
    /// assert_eq!(found.rows, [None, Some(0)]);
    /// assert_eq!(found.faults[0].to_string(), "x must be positive because the law takes log(x)");
    /// # Ok::<(), scalefast_expr::FormulaError>(())
    /// ```
    pub fn undefined(
        &self,
        outputs: &[&str],
        columns: &[(&str, &[f64])],
        bounds: &[(&str, f64, f64)],
    ) -> Undefined {
        let roots: Vec<NodeId> = outputs
            .iter()
            .filter_map(|name| self.output(name))
            .collect();
        let analysis = Analysis::new(&self.graph, &roots, columns, bounds);
        let rows = columns.first().map_or(0, |(_, column)| column.len());
        if rows == 0 || analysis.clear(columns) {
            return Undefined::default();
        }
        let mut parts = analysis.blank();
        let mut kinds: HashMap<Fault, u32> = HashMap::new();
        let mut found = Undefined::default();
        found.rows = (0..rows)
            .map(|row| {
                let id = analysis.follow(&mut parts, |column| column[row])?;
                let fault = analysis.fault(&parts, id);
                let next = kinds.len() as u32;
                Some(*kinds.entry(fault.clone()).or_insert_with(|| {
                    found.faults.push(fault);
                    next
                }))
            })
            .collect();
        if found.faults.is_empty() {
            return Undefined::default();
        }
        found
    }
}

impl<'a> Analysis<'a> {
    fn new(
        graph: &'a Graph,
        roots: &[NodeId],
        columns: &[(&str, &'a [f64])],
        bounds: &[(&str, f64, f64)],
    ) -> Analysis<'a> {
        let reached = graph.reachable(roots);
        let order = (0..reached.len())
            .filter(|&i| reached[i])
            .map(NodeId::from_index);
        let parameter = |name: &String| {
            let given = bounds.iter().find(|(bounded, ..)| bounded == name);
            let signs = given.map_or(Signs::ANY, |&(_, low, high)| Signs::between(low, high));
            let usual = match given {
                Some(_) if !signs.contains(Signs::POSITIVE) => signs,
                _ => Signs::POSITIVE,
            };
            match given {
                Some(&(_, low, high)) if low == high => Part::number(low),
                _ => Part::unknown(signs, usual),
            }
        };
        Analysis {
            graph,
            order: order.collect(),
            columns: graph
                .symbols()
                .iter()
                .map(|name| columns.iter().find(|c| c.0 == name).map(|c| c.1))
                .collect(),
            parameters: graph.symbols().iter().map(parameter).collect(),
        }
    }

    fn blank(&self) -> Vec<Part> {
        let length = self.order.last().map_or(0, |id| id.index() + 1);
        vec![Part::number(f64::NAN); length]
    }

    /// Whether the signs of whole columns show that no row is at fault, which is so of nearly all laws and data.
    fn clear(&self, columns: &[(&str, &[f64])]) -> bool {
        let ranges: HashMap<*const f64, Signs> = columns
            .iter()
            .map(|(_, column)| (column.as_ptr(), Signs::of_all(column)))
            .collect();
        let mut parts = self.blank();
        let mut doubtful = Vec::new();
        for &id in &self.order {
            let symbol = match self.graph.node(id) {
                Node::Symbol(symbol) => self.columns[symbol as usize],
                _ => None,
            };
            let part = match symbol {
                Some(column) => {
                    let signs = ranges[&column.as_ptr()];
                    Part::unknown(signs, signs)
                }
                None => match self.part(&parts, id) {
                    Some(part) => part,
                    None => return false,
                },
            };
            if !part.sure {
                doubtful.push(id);
            }
            parts[id.index()] = part;
        }
        if doubtful.is_empty() {
            return true;
        }
        // Where no part of data alone can change its sign from row to row, one row stands for all.
        let below = self.graph.reachable(&doubtful);
        let alike = self.order.iter().all(|&id| {
            below.get(id.index()) != Some(&true)
                || !self.is_data(id)
                || (parts[id.index()].signs.is_single() && !self.turns_on_value(id))
        });
        alike && self.follow(&mut parts, |column| column[0]).is_none()
    }

    /// Follows all parts on one row; the first that is undefined. Nothing on rows of values that are not finite.
    fn follow(&self, parts: &mut [Part], at: impl Fn(&[f64]) -> f64) -> Option<NodeId> {
        let mut first = None;
        for &id in &self.order {
            let column = match self.graph.node(id) {
                Node::Symbol(symbol) => self.columns[symbol as usize],
                _ => None,
            };
            let part = match column {
                Some(column) => {
                    let value = at(column);
                    if !value.is_finite() {
                        return None;
                    }
                    Some(Part::number(value))
                }
                // Behind the first fault only the values of columns are looked at.
                None if first.is_some() => continue,
                None => self.part(parts, id),
            };
            match part {
                Some(part) => parts[id.index()] = part,
                None => first = first.or(Some(id)),
            }
        }
        first
    }

    /// What is known of a part from its arguments; nothing where it is undefined for all of their signs.
    fn part(&self, parts: &[Part], id: NodeId) -> Option<Part> {
        match self.graph.node(id) {
            Node::Constant(bits) => Some(Part::number(f64::from_bits(bits))),
            Node::Symbol(symbol) => Some(self.parameters[symbol as usize]),
            Node::Unary(op, a) => unary(op, parts[a.index()]),
            Node::Binary(op, a, b) => binary(op, parts[a.index()], parts[b.index()]),
        }
    }

    /// Whether a part is made of columns and numbers alone, and of a column.
    fn is_data(&self, id: NodeId) -> bool {
        let symbols = self.graph.symbols_of(id);
        let column = |symbol: &u32| self.columns[*symbol as usize].is_some();
        !symbols.is_empty() && symbols.iter().all(column)
    }

    /// Whether the value of data, not its sign alone, decides if the part is defined.
    fn turns_on_value(&self, id: NodeId) -> bool {
        match self.graph.node(id) {
            Node::Unary(op, _) => op.info().domain == Domain::AboveMinusOne,
            Node::Binary(Op::Pow, _, exponent) => self.is_data(exponent),
            _ => false,
        }
    }
}

fn unary(op: Op, a: Part) -> Option<Part> {
    if let Some(value) = a.value {
        let inside = match op.info().domain {
            Domain::All => true,
            Domain::Positive => value > 0.0,
            Domain::NonNegative => value >= 0.0,
            Domain::AboveMinusOne => value > -1.0,
        };
        return inside.then(|| Part::number(apply_unary(op, value)));
    }
    let (signs, sure) = a.signs.map(|sign| signs::unary(op, sign));
    let (usual, _) = a.usual.map(|sign| signs::unary(op, sign));
    let sure =
        sure && (op.info().domain != Domain::AboveMinusOne || !a.signs.contains(Signs::NEGATIVE));
    joined(signs, usual, sure)
}

fn binary(op: Op, a: Part, b: Part) -> Option<Part> {
    let rule = |x: Signs, y: Signs| match (op, b.value) {
        (Op::Pow, Some(exponent)) => signs::power(x, exponent),
        (Op::Pow, None) => signs::open_power(x, b.usual),
        _ => signs::binary(op, x, y),
    };
    let (signs, sure) = a.signs.pairs(b.signs, rule);
    if let (Some(x), Some(y)) = (a.value, b.value) {
        return sure.then(|| Part::number(apply_binary(op, x, y)));
    }
    let (usual, _) = a.usual.pairs(b.usual, rule);
    joined(signs, usual, sure)
}

fn joined(signs: Signs, usual: Signs, sure: bool) -> Option<Part> {
    let usual = if usual.is_empty() { signs } else { usual };
    let part = Part {
        sure,
        ..Part::unknown(signs, usual)
    };
    (!signs.is_empty()).then_some(part)
}
