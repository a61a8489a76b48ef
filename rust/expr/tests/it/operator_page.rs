//! The operators' table in the documentation is the operators' table of the code.
//!
//! With `SCALEFAST_WRITE_DOCS` set the page is written instead of compared (`make docs`).

use scalefast_expr::op::{Domain, Op, OpInfo};
use scalefast_expr::{Graph, Node, NodeId};

const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/formula-language.md"
);
const BEGIN: &str = "<!-- operators: begin -->\n";
const END: &str = "<!-- operators: end -->";

/// The operator applied to plain symbols, in a graph of its own.
fn example(row: &OpInfo) -> (Graph, NodeId) {
    let mut graph = Graph::new();
    let x = graph.symbol("x");
    let root = if row.arity == 1 {
        graph.unary(row.op, x)
    } else {
        let y = graph.symbol("y");
        graph.binary(row.op, x, y)
    };
    (graph, root)
}

fn line(row: &OpInfo) -> String {
    let (mut graph, root) = example(row);
    let mut written = format!("`{}`", graph.print(root));
    if row.variadic {
        written.push_str(", or more arguments");
    }
    for alias in row.aliases {
        written.push_str(&format!(", also `{alias}`"));
    }
    let domain = match row.domain {
        _ if row.op == Op::Div => "y ≠ 0",
        _ if row.op == Op::Pow => "x > 0, or y an integer",
        Domain::All => "all numbers",
        Domain::Positive => "x > 0",
        Domain::NonNegative => "x ≥ 0",
        Domain::AboveMinusOne => "x > −1",
    };
    let derivative = graph.derivative(root, "x");
    let uses = |op: Op| {
        let nodes = graph.topological(derivative);
        nodes
            .into_iter()
            .any(|node| operator(&graph, node) == Some(op))
    };
    // These two cannot be typed, so that printing them would mislead.
    let derivative = if uses(Op::Sign) {
        "the sign of x".to_owned()
    } else if uses(Op::LessEqual) {
        "1 or 0 by case".to_owned()
    } else {
        format!("`{}`", graph.print(derivative))
    };
    format!("| {} | {written} | {domain} | {derivative} |\n", row.name)
}

fn operator(graph: &Graph, node: NodeId) -> Option<Op> {
    match graph.node(node) {
        Node::Unary(op, _) | Node::Binary(op, _, _) => Some(op),
        _ => None,
    }
}

fn table() -> String {
    let mut text = "| name | written | defined for | derivative |\n|---|---|---|---|\n".to_owned();
    for row in Op::ALL
        .iter()
        .map(|op| op.info())
        .filter(|row| !row.internal)
    {
        text.push_str(&line(row));
    }
    text
}

#[test]
fn the_page_of_the_formula_language_holds_the_operator_table() -> std::io::Result<()> {
    let page = std::fs::read_to_string(PAGE)?;
    let (before, rest) = page
        .split_once(BEGIN)
        .ok_or(std::io::ErrorKind::InvalidData)?;
    let (stated, after) = rest
        .split_once(END)
        .ok_or(std::io::ErrorKind::InvalidData)?;
    if std::env::var_os("SCALEFAST_WRITE_DOCS").is_some() {
        return std::fs::write(PAGE, format!("{before}{BEGIN}{}{END}{after}", table()));
    }
    assert_eq!(stated, table(), "`make docs` writes the page");
    Ok(())
}

#[test]
fn every_operator_that_can_be_typed_is_named_once() {
    let table = table();
    for row in Op::ALL.iter().map(|op| op.info()).filter(|r| !r.internal) {
        assert_eq!(
            table.matches(&format!("\n| {} |", row.name)).count(),
            1,
            "{}",
            row.name
        );
    }
}
