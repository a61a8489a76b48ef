//! Graph to LaTeX, for documents and notebooks.
//!
//! In: a node. Out: LaTeX for math mode. Quotients become fractions, powers superscripts, `N_c` a
//! subscript, and the Greek letters that are spelt out in a formula become letters.
//! Longer than the rule, because `latex_parts` names the form of every operator once.

use crate::graph::{Graph, Node, NodeId};
use crate::lexer::GREEK;
use crate::op::{Notation, Op};

/// Longest LaTeX that is written, in bytes.
const MAX_LENGTH: usize = 1_000_000;

/// Binding strength of products (and of a minus in front, which stands outside them).
const PRODUCT: u8 = 2;

/// Binding strength of a power.
const POWER: u8 = 4;

/// Binding strength of what needs no parentheses anywhere.
const ATOM: u8 = 5;

/// What is still to be written, last first.
enum Piece {
    Text(&'static str),
    Owned(String),
    /// A node, in parentheses if it binds less tightly than this.
    Node(NodeId, u8),
}

impl Graph {
    /// The expression as LaTeX, without the dollar signs; beyond a million bytes it is cut.
    ///
    /// ```
    /// use scalefast_expr::System;
    /// let system = System::formula("E + A/N**alpha")?;
    /// assert_eq!(system.graph.latex(system.outputs()[0].1), r"E + \frac{A}{N^{\alpha}}");
    /// # Ok::<(), scalefast_expr::FormulaError>(())
    /// ```
    pub fn latex(&self, root: NodeId) -> String {
        let mut text = String::new();
        let mut pieces = vec![Piece::Node(root, 0)];
        while let Some(piece) = pieces.pop() {
            if text.len() > MAX_LENGTH {
                text.push_str("\\ldots");
                break;
            }
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Owned(piece) => text.push_str(&piece),
                Piece::Node(id, least) => {
                    let mut parts = self.latex_parts(id);
                    if self.latex_precedence(id) < least {
                        parts.insert(0, Piece::Text("\\left("));
                        parts.push(Piece::Text("\\right)"));
                    }
                    pieces.extend(parts.into_iter().rev());
                }
            }
        }
        text
    }

    /// The pieces of one node, in the order of writing.
    fn latex_parts(&self, id: NodeId) -> Vec<Piece> {
        use Piece::{Node as Child, Owned, Text};
        match self.node(id) {
            Node::Constant(bits) => vec![Owned(number(f64::from_bits(bits)))],
            Node::Symbol(symbol) => vec![Owned(name(self.symbol_name(symbol)))],
            Node::Unary(Op::Neg, a) => {
                let least = if self.begins_with_minus(a) {
                    ATOM
                } else {
                    PRODUCT
                };
                vec![Text("-"), Child(a, least)]
            }
            Node::Unary(Op::Sqrt, a) => vec![Text("\\sqrt{"), Child(a, 0), Text("}")],
            Node::Unary(Op::Abs, a) => {
                vec![Text("\\left|"), Child(a, 0), Text("\\right|")]
            }
            Node::Unary(op, a) => vec![
                Text(op.info().latex),
                Text("\\left("),
                Child(a, 0),
                Text("\\right)"),
            ],
            Node::Binary(Op::Div, a, b) => vec![
                Text("\\frac{"),
                Child(a, 0),
                Text("}{"),
                Child(b, 0),
                Text("}"),
            ],
            Node::Binary(Op::Pow, a, b) => {
                vec![Child(a, ATOM), Text("^{"), Child(b, 0), Text("}")]
            }
            Node::Binary(Op::Mul, a, b) => {
                let sign = if self.begins_with_digit(b) {
                    " \\cdot "
                } else {
                    op_latex(Op::Mul)
                };
                let right = if self.begins_with_minus(b) {
                    ATOM
                } else {
                    PRODUCT
                };
                vec![Child(a, PRODUCT), Text(sign), Child(b, right)]
            }
            Node::Binary(op @ (Op::Add | Op::Sub), a, b) => {
                let apart = op == Op::Sub || self.begins_with_minus(b);
                let right = if apart { PRODUCT } else { 1 };
                let right = if self.begins_with_minus(b) {
                    ATOM
                } else {
                    right
                };
                vec![
                    Child(a, 1),
                    Text(" "),
                    Text(op_latex(op)),
                    Text(" "),
                    Child(b, right),
                ]
            }
            Node::Binary(op, a, b) => vec![
                Text(op_latex(op)),
                Text("\\left("),
                Child(a, 0),
                Text(", "),
                Child(b, 0),
                Text("\\right)"),
            ],
        }
    }

    fn latex_precedence(&self, id: NodeId) -> u8 {
        match self.node(id) {
            Node::Constant(bits) => {
                let value = f64::from_bits(bits);
                let plain = value.is_sign_positive() && is_short(value);
                if plain { ATOM } else { PRODUCT }
            }
            Node::Unary(Op::Neg, _) => PRODUCT,
            // A fraction stands for itself in a product, but not under an exponent.
            Node::Binary(Op::Div, ..) => POWER,
            Node::Unary(op, _) | Node::Binary(op, ..) => match op.info().notation {
                Notation::Infix { precedence, .. } => precedence,
                _ => ATOM,
            },
            Node::Symbol(_) => ATOM,
        }
    }

    fn begins_with_minus(&self, mut id: NodeId) -> bool {
        loop {
            match self.node(id) {
                Node::Constant(bits) => return f64::from_bits(bits).is_sign_negative(),
                Node::Unary(Op::Neg, _) => return true,
                Node::Binary(Op::Add | Op::Sub | Op::Mul, a, _) => id = a,
                _ => return false,
            }
        }
    }

    fn begins_with_digit(&self, mut id: NodeId) -> bool {
        loop {
            match self.node(id) {
                Node::Constant(_) => return true,
                Node::Binary(Op::Mul | Op::Pow, a, _) => id = a,
                _ => return false,
            }
        }
    }
}

fn op_latex(op: Op) -> &'static str {
    op.info().latex
}

/// Whether a number is written without a power of ten.
fn is_short(value: f64) -> bool {
    value == 0.0 || (1e-4..1e7).contains(&value.abs())
}

fn number(value: f64) -> String {
    if value.abs().to_bits() == std::f64::consts::PI.to_bits() {
        return if value < 0.0 { "-\\pi" } else { "\\pi" }.to_owned();
    }
    if value.is_nan() {
        return "\\mathrm{NaN}".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-\\infty" } else { "\\infty" }.to_owned();
    }
    if is_short(value) {
        return format!("{value}");
    }
    let scientific = format!("{value:e}");
    match scientific.split_once('e') {
        Some(("1", exponent)) => format!("10^{{{exponent}}}"),
        Some((mantissa, exponent)) => format!("{mantissa} \\cdot 10^{{{exponent}}}"),
        None => scientific,
    }
}

/// A name, with what follows its first underscore as a subscript.
fn name(name: &str) -> String {
    match name.split_once('_') {
        Some((base, subscript)) if !base.is_empty() && !subscript.is_empty() => {
            format!("{}_{{{}}}", word(base), word(subscript))
        }
        _ => word(name),
    }
}

/// One letter as it is, a Greek letter by its command, anything longer upright.
fn word(text: &str) -> String {
    let mut characters = text.chars();
    let (first, rest) = (characters.next(), characters.as_str());
    if let Some(letter) = first
        && rest.is_empty()
        && letter.is_ascii_alphanumeric()
    {
        return text.to_owned();
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.to_owned();
    }
    let lower = text.to_lowercase();
    if let Some((greek, _)) = GREEK.iter().find(|(greek, _)| *greek == lower) {
        // Capitals that look like Latin ones have no command of their own.
        let capital = matches!(
            *greek,
            "gamma"
                | "delta"
                | "theta"
                | "lambda"
                | "xi"
                | "pi"
                | "sigma"
                | "upsilon"
                | "phi"
                | "psi"
                | "omega"
        );
        if text == *greek && *greek != "omicron" {
            return format!("\\{text}");
        }
        if capital && text == capitalised(greek) {
            return format!("\\{text}");
        }
    }
    format!("\\mathrm{{{}}}", escaped(text))
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

/// The text with the characters that LaTeX would interpret made plain.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars() {
        match character {
            '\\' => safe.push_str("\\backslash "),
            '^' => safe.push_str("\\wedge "),
            '~' => safe.push_str("\\sim "),
            '_' | '{' | '}' | '$' | '&' | '#' | '%' => {
                safe.push('\\');
                safe.push(character);
            }
            ' ' => safe.push_str("\\ "),
            other if other.is_control() => safe.push_str("\\ "),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use crate::System;

    #[track_caller]
    fn assert_latex(text: &str, expected: &str) {
        let system = System::formula(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(system.graph.latex(system.outputs()[0].1), expected);
    }

    #[test]
    fn laws_look_as_in_the_papers() {
        assert_latex(
            "E + A/N**alpha + B/D**beta",
            r"E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}",
        );
        assert_latex(
            "((N_c/N)**(alpha_N/alpha_D) + D_c/D)**alpha_D",
            r"\left(\left(\frac{N_{c}}{N}\right)^{\frac{\alpha_{N}}{\alpha_{D}}} + \frac{D_{c}}{D}\right)^{\alpha_{D}}",
        );
        assert_latex("6*N*D", r"6\,N\,D");
        assert_latex(
            "R_Dstar*(1 - exp(-R_D/R_Dstar))",
            r"R_{\mathrm{Dstar}}\,\left(1 - \exp\left(\frac{-R_{D}}{R_{\mathrm{Dstar}}}\right)\right)",
        );
    }

    #[test]
    fn minus_signs_and_numbers_do_not_run_together() {
        assert_latex("a - (b - c)", r"a - \left(b - c\right)");
        assert_latex("a - -b", r"a - \left(-b\right)");
        assert_latex("a*2", r"a \cdot 2");
        assert_latex("(-a)**2", r"\left(-a\right)^{2}");
        assert_latex("-(a + b)", r"-\left(a + b\right)");
        assert_latex("8.8e13*x", r"8.8 \cdot 10^{13}\,x");
        assert_latex("1e30**x", r"\left(10^{30}\right)^{x}");
        assert_latex("(a**b)**c", r"\left(a^{b}\right)^{c}");
    }

    #[test]
    fn names_cannot_break_the_markup() {
        assert_latex("`50% {x}`", r"\mathrm{50\%\ \{x\}}");
        assert_latex("Gamma*Alpha", r"\Gamma\,\mathrm{Alpha}");
        assert_latex("pi*x_1", r"\pi\,x_{1}");
    }
}
