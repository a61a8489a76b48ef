//! The compute-optimal split in closed form, for laws of two power terms under a cost of one.
//!
//! In: a law L(N, D), a cost, the two free symbols. Out: N*, D* and L* as formulas of the law's parameters and the
//! budget. The law may be any increasing function of c + A·N^x + B·D^y with x, y < 0 < A, B: the additive law, its
//! power (A/N^α + B/D^β)^γ, a logarithm, an offset, a positive factor. The cost must be k·N^s·D^t with s, t > 0.
//! At the optimum x·A·N^x/s = y·B·D^y/t (Hoffmann et al. 2022, equation 4, for s = t = 1).

use std::collections::HashMap;

use scalefast_expr::{Graph, Node, NodeId, Op, System};

use super::monomial::{Layer, Reader, Term};
use crate::error::CoreError;

/// The reserved symbols of the budget and of the inner sum; no formula can spell them.
pub(super) const BUDGET: &str = "$budget";
const INNER: &str = "$inner";
const FIRST: &str = "$first";

/// The solution of the first-order condition: `P·N^x = D^y` with `P = w·A/B`, on the curve `N^s·D^t = X`.
const DEFINITIONS: [(&str, &str); 5] = [
    ("w", "x*t/(s*y)"),
    ("q", "x + s*y/t"),
    ("X", "C/k"),
    ("scale", "(w*A/B)**(-1/q)"),
    ("growth", "y/(t*q)"),
];

/// The optimum in those terms. The second power term of the law is `w` times the first there.
const SOLUTION: [(&str, &str); 3] = [
    ("N", "scale*X**growth"),
    ("inner", "c + A*(1 + w)*scale**x*X**(growth*x)"),
    ("D", "(X/first**s)**(1/t)"),
];

/// The optimum as formulas.
#[derive(Clone, Debug)]
pub struct ClosedForm {
    pub(super) graph: Graph,
    /// N*, D*, L*.
    pub(super) optimum: [NodeId; 3],
    /// Nodes that must be above zero for the formulas to be a minimum.
    pub(super) conditions: Vec<NodeId>,
    /// Symbols of the cost's coefficient and exponents.
    pub(super) cost_symbols: Vec<String>,
    /// D as a formula of N and the budget.
    second_of_first: NodeId,
    parameters: Vec<String>,
}

/// One optimal split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allocation {
    /// The first free variable (N).
    pub first: f64,
    /// The second free variable (D).
    pub second: f64,
    /// The law's value there.
    pub loss: f64,
}

impl ClosedForm {
    /// Finds the closed form of `output` of `system` under the first output of `cost`, in the `free` variables.
    ///
    /// # Errors
    /// Kind `Law`: `unknown-output`; `no-closed-form` where the law or the cost has another shape.
    ///
    /// ```
    /// use scalefast_core::allocate::ClosedForm;
    /// use scalefast_expr::System;
    /// let law = System::formula("E + A/N**alpha + B/D**beta")?;
    /// let form = ClosedForm::detect(&law, "L", &System::formula("6*N*D")?, ("N", "D")).unwrap();
    /// assert_eq!(form.parameters(), ["alpha", "beta", "A", "B", "E"]);
    /// let best = form.allocate(&[0.3478, 0.3658, 482.0, 2085.0, 1.817], 1e24).unwrap();
    /// assert!((6.0 * best.first * best.second / 1e24 - 1.0).abs() < 1e-14);
    /// # Ok::<(), scalefast_expr::FormulaError>(())
    /// ```
    pub fn detect(
        system: &System,
        output: &str,
        cost: &System,
        free: (&str, &str),
    ) -> Result<Self, CoreError> {
        let root = system.output(output).ok_or_else(|| {
            CoreError::law(
                "unknown-output",
                format!("the law has no output `{output}`"),
            )
        })?;
        let Some(&(_, cost_root)) = cost.outputs().first() else {
            return Err(CoreError::law("unknown-output", "the cost has no formula"));
        };
        let mut graph = system.graph.clone();
        let cost_root = import(&mut graph, &cost.graph, cost_root, &HashMap::new());
        let free_nodes = [graph.symbol(free.0), graph.symbol(free.1)];
        let symbols = free_nodes.map(|node| match graph.node(node) {
            Node::Symbol(symbol) => symbol,
            _ => u32::MAX,
        });
        let cost_term = Reader::new(&mut graph, symbols, cost_root)
            .term(cost_root)
            .ok_or_else(|| {
                refused(format!(
                    "the cost is not a constant times powers of {} and {}",
                    free.0, free.1
                ))
            })?;
        let split = Split::find(&mut graph, symbols, root).ok_or_else(|| {
            refused(format!(
                "the law is not a monotone function of one power term of {} and one of {}",
                free.0, free.1
            ))
        })?;
        ClosedForm::solve(graph, &split, cost_term)
    }

    fn solve(mut graph: Graph, split: &Split, cost: Term) -> Result<Self, CoreError> {
        let solution = System::parse(&SOLUTION, &DEFINITIONS)?;
        let [left, right] = split.terms;
        let [s, t] = cost.exponents;
        let (a, x, b, y) = (
            left.coefficient,
            left.exponents[0],
            right.coefficient,
            right.exponents[1],
        );
        let (budget, any_first) = (graph.symbol(BUDGET), graph.symbol(FIRST));
        let mut meanings: HashMap<&str, NodeId> = [
            ("A", a),
            ("x", x),
            ("B", b),
            ("y", y),
            ("c", split.constant),
            ("s", s),
            ("t", t),
            ("k", cost.coefficient),
            ("C", budget),
            ("first", any_first),
        ]
        .into();
        let mut solved = |name: &str, meanings: &HashMap<&str, NodeId>| match solution.output(name)
        {
            Some(node) => import(&mut graph, &solution.graph, node, meanings),
            None => budget,
        };
        let first = solved("N", &meanings);
        let inner = solved("inner", &meanings);
        let second_of_first = solved("D", &meanings);
        meanings.insert("first", first);
        let second = solved("D", &meanings);

        let placeholder = graph.symbol(INNER);
        let outer = split.rebuild(&mut graph, placeholder);
        let slope = graph.derivative(outer, INNER);
        let meanings: HashMap<&str, NodeId> = [(INNER, inner)].into();
        let whole = graph.clone();
        let loss = import(&mut graph, &whole, outer, &meanings);
        let slope = import(&mut graph, &whole, slope, &meanings);
        let falling = [x, y].map(|exponent| graph.build_unary(Op::Neg, exponent));
        let conditions = vec![a, b, falling[0], falling[1], s, t, cost.coefficient, slope];
        let optimum = [first, second, loss];

        let cost_symbols = names_of(&graph, &[cost.coefficient, s, t]);
        let parameters = names_of(&graph, &[&optimum[..], &conditions].concat());
        Ok(ClosedForm {
            graph,
            optimum,
            conditions,
            cost_symbols,
            second_of_first,
            parameters,
        })
    }

    /// The symbols whose values an allocation needs: parameters of the law and of the cost, and variables that are
    /// held fixed.
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// The optimal split for `values` of the parameters (in their order) and a budget in the unit of the cost.
    /// `None` where the formulas are no interior minimum, such as for a term that grows.
    pub fn allocate(&self, values: &[f64], budget: f64) -> Option<Allocation> {
        let by_symbol = self.by_symbol(values, budget);
        let value = |node: NodeId| self.graph.evaluate(node, &by_symbol);
        if !self.conditions.iter().all(|&node| value(node) > 0.0) {
            return None;
        }
        let [first, second, loss] = self.optimum.map(value);
        (first.is_finite() && second.is_finite() && loss.is_finite()).then_some(Allocation {
            first,
            second,
            loss,
        })
    }

    /// The second free variable at a given first one, on the curve of this cost.
    pub(super) fn second_at(&self, values: &[f64], budget: f64, first: f64) -> f64 {
        let mut by_symbol = self.by_symbol(values, budget);
        if let Some(symbol) = self.graph.symbol_id(FIRST) {
            by_symbol[symbol as usize] = first;
        }
        self.graph.evaluate(self.second_of_first, &by_symbol)
    }

    fn by_symbol(&self, values: &[f64], budget: f64) -> Vec<f64> {
        let value = |name: &String| match self.parameters.iter().position(|p| p == name) {
            Some(k) => values.get(k).copied().unwrap_or(f64::NAN),
            None if name == BUDGET => budget,
            None => f64::NAN,
        };
        self.graph.symbols().iter().map(value).collect()
    }

    /// N*, D* and L* as text, with `$budget` for the budget.
    pub fn formulas(&self) -> [String; 3] {
        self.optimum.map(|node| self.graph.print(node))
    }
}

/// A law taken apart: monotone layers around `constant + terms[0] + terms[1]`.
struct Split {
    layers: Vec<Layer>,
    constant: NodeId,
    /// The term of the first free symbol, then that of the second.
    terms: [Term; 2],
}

impl Split {
    fn find(graph: &mut Graph, symbols: [u32; 2], root: NodeId) -> Option<Split> {
        let reader = Reader::new(graph, symbols, root);
        let mut layers = Vec::new();
        let mut at = root;
        let (constant, terms) = loop {
            if let Some(sum) = reader.sum(at) {
                let pure = |own: usize, other: usize| {
                    sum.terms.iter().find(|term| {
                        reader.is_zero(term.exponents[other])
                            && !reader.is_zero(term.exponents[own])
                    })
                };
                match (sum.terms.len(), pure(0, 1), pure(1, 0)) {
                    (2, Some(left), Some(right)) => break (sum.constant, [*left, *right]),
                    _ => return None,
                }
            }
            let (layer, inside) = reader.layer(at)?;
            layers.push(layer);
            at = inside;
        };
        Some(Split {
            layers,
            constant,
            terms,
        })
    }

    /// The law with `inner` in place of the sum.
    fn rebuild(&self, graph: &mut Graph, inner: NodeId) -> NodeId {
        self.layers
            .iter()
            .rev()
            .fold(inner, |inside, layer| match *layer {
                Layer::Unary(op) => graph.build_unary(op, inside),
                Layer::Left(op, other) => graph.build_binary(op, inside, other),
                Layer::Right(op, other) => graph.build_binary(op, other, inside),
            })
    }
}

/// The symbols below some nodes, without the reserved ones.
fn names_of(graph: &Graph, nodes: &[NodeId]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for symbol in nodes.iter().flat_map(|&node| graph.symbols_of(node)) {
        let name = graph.symbol_name(symbol);
        if !name.starts_with('$') && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn refused(message: String) -> CoreError {
    CoreError::law("no-closed-form", format!("no closed form: {message}"))
}

/// Copies an expression of another graph, with `meanings` in place of the symbols that it names.
fn import(
    graph: &mut Graph,
    other: &Graph,
    root: NodeId,
    meanings: &HashMap<&str, NodeId>,
) -> NodeId {
    let mut copies: HashMap<NodeId, NodeId> = HashMap::new();
    let mut last = root;
    for id in other.topological(root) {
        let copy = match other.node(id) {
            Node::Constant(bits) => graph.constant(f64::from_bits(bits)),
            Node::Symbol(symbol) => {
                let name = other.symbol_name(symbol);
                match meanings.get(name) {
                    Some(&node) => node,
                    None => graph.symbol(name),
                }
            }
            Node::Unary(op, a) => graph.build_unary(op, copies[&a]),
            Node::Binary(op, a, b) => graph.build_binary(op, copies[&a], copies[&b]),
        };
        copies.insert(id, copy);
        last = copy;
    }
    last
}

#[cfg(test)]
mod tests {
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
}
