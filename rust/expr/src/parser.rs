//! Tokens to graph: the second stage.
//!
//! In: the text of a formula and the meaning of the names defined before it. Out: the node of the
//! formula, built exactly as written, or an error with a caret. Operator precedence is handled by
//! two explicit stacks (Dijkstra's shunting yard), so no text can exhaust the call stack.

use std::collections::HashMap;

use crate::error::FormulaError;
use crate::graph::{Graph, NodeId};
use crate::lexer::{Lexeme, Token, tokens};
use crate::op::{Notation, Op};

mod faults;

/// Deepest nesting of parentheses that is read.
pub const MAX_DEPTH: usize = 200;

/// What a name stands for besides being a symbol.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Meaning {
    /// A definition that was read already.
    Defined(NodeId),
    /// The definition that is being read.
    Itself,
    /// A definition that comes later.
    Later,
}

/// The node of the formula `text`, added to `graph`.
pub(crate) fn parse(
    graph: &mut Graph,
    text: &str,
    names: &HashMap<&str, Meaning>,
) -> Result<NodeId, FormulaError> {
    let lexemes = tokens(text)?;
    if lexemes.is_empty() {
        return Err(FormulaError::new("empty-formula", "the formula is empty")
            .hint("write something like E + A/N**alpha"));
    }
    let mut parser = Parser {
        graph,
        text,
        lexemes: &lexemes,
        names,
        operands: Vec::new(),
        pending: Vec::new(),
        depth: 0,
    };
    let mut wants_operand = true;
    for position in 0..lexemes.len() {
        wants_operand = if wants_operand {
            parser.operand(position)?
        } else {
            parser.operator(position)?
        };
    }
    parser.finish(wants_operand)
}

/// A finished subexpression.
#[derive(Clone, Copy)]
struct Operand {
    id: NodeId,
    /// A number as typed, which a minus directly before it makes a negative constant.
    literal: bool,
}

/// Something that waits for what comes after it.
#[derive(Clone, Copy)]
enum Pending {
    Prefix(Op, u8),
    Infix(Op, u8),
    /// An opening parenthesis, by its position among the tokens.
    Group(usize),
    /// The opening parenthesis of a call, and the number of arguments so far.
    Call(Op, usize, usize),
}

struct Parser<'a> {
    graph: &'a mut Graph,
    text: &'a str,
    lexemes: &'a [Lexeme],
    names: &'a HashMap<&'a str, Meaning>,
    operands: Vec<Operand>,
    pending: Vec<Pending>,
    depth: usize,
}

impl Parser<'_> {
    /// Reads a token where an operand may begin; returns whether one is still wanted.
    fn operand(&mut self, position: usize) -> Result<bool, FormulaError> {
        match &self.lexemes[position].token {
            Token::Number(value) => {
                let id = self.graph.constant(*value);
                self.operands.push(Operand { id, literal: true });
                Ok(false)
            }
            Token::Quoted(name) => {
                self.symbol(name, position)?;
                Ok(false)
            }
            Token::Name(name) => self.name(name, position),
            Token::Operator(op) => self.prefix(*op, position),
            Token::Open => {
                let preceded = position
                    .checked_sub(1)
                    .map(|before| &self.lexemes[before].token);
                if !matches!(preceded, Some(Token::Name(_))) {
                    self.open(Pending::Group(position), position)?;
                }
                Ok(true)
            }
            Token::Close | Token::Comma => Err(self.nothing_before(position)),
        }
    }

    /// Reads a token behind an operand; returns whether an operand is wanted next.
    fn operator(&mut self, position: usize) -> Result<bool, FormulaError> {
        match &self.lexemes[position].token {
            Token::Operator(op) => {
                if let Notation::Infix {
                    precedence,
                    right_associative,
                    ..
                } = op.info().notation
                {
                    self.reduce(precedence + u8::from(right_associative));
                    self.pending.push(Pending::Infix(*op, precedence));
                }
                Ok(true)
            }
            Token::Close => {
                self.close(position)?;
                Ok(false)
            }
            Token::Comma => {
                self.reduce(0);
                match self.pending.last_mut() {
                    Some(Pending::Call(_, _, arguments)) => {
                        *arguments += 1;
                        Ok(true)
                    }
                    _ => Err(self.misplaced_comma(position)),
                }
            }
            Token::Number(_) | Token::Name(_) | Token::Quoted(_) | Token::Open => {
                Err(self.missing_operator(position))
            }
        }
    }

    /// A name: a function before a parenthesis, else `pi`, a definition or a symbol.
    fn name(&mut self, name: &str, position: usize) -> Result<bool, FormulaError> {
        let called = self.lexemes.get(position + 1).map(|next| &next.token) == Some(&Token::Open);
        match (Op::function(name), called) {
            (Some(op), true) => {
                self.open(Pending::Call(op, position + 1, 1), position + 1)?;
                Ok(true)
            }
            (Some(op), false) => Err(self
                .error_at(
                    "function-without-arguments",
                    position,
                    format!("`{name}` is a function and needs its arguments"),
                )
                .hint(format!(
                    "write {}; a symbol of that name goes in backquotes",
                    op.info().example()
                ))),
            (None, true) => Err(self.unknown_function(name, position)),
            (None, false) if name == "pi" => {
                let id = self.graph.constant(std::f64::consts::PI);
                self.operands.push(Operand { id, literal: true });
                Ok(false)
            }
            (None, false) => {
                self.symbol(name, position)?;
                Ok(false)
            }
        }
    }

    fn symbol(&mut self, name: &str, position: usize) -> Result<(), FormulaError> {
        let id = match self.names.get(name) {
            None => self.graph.symbol(name),
            Some(Meaning::Defined(id)) => *id,
            Some(Meaning::Itself) => {
                return Err(self
                    .error_at(
                        "circular-definition",
                        position,
                        format!("`{name}` is used in its own definition"),
                    )
                    .hint("give the inner quantity another name"));
            }
            Some(Meaning::Later) => {
                return Err(self
                    .error_at(
                        "definition-order",
                        position,
                        format!("`{name}` is used before it is defined"),
                    )
                    .hint(format!("move the definition of `{name}` up")));
            }
        };
        self.operands.push(Operand { id, literal: false });
        Ok(())
    }

    fn prefix(&mut self, op: Op, position: usize) -> Result<bool, FormulaError> {
        match op {
            Op::Sub => {
                let precedence = crate::op::PREFIX_PRECEDENCE;
                self.pending.push(Pending::Prefix(Op::Neg, precedence));
                Ok(true)
            }
            Op::Add => Ok(true),
            _ => Err(self.nothing_before(position)),
        }
    }

    fn open(&mut self, group: Pending, position: usize) -> Result<(), FormulaError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self
                .error_at(
                    "formula-too-deep",
                    position,
                    format!("parentheses are nested more than {MAX_DEPTH} deep"),
                )
                .hint("give inner parts a name of their own in the definitions"));
        }
        self.pending.push(group);
        Ok(())
    }

    fn close(&mut self, position: usize) -> Result<(), FormulaError> {
        self.reduce(0);
        self.depth = self.depth.saturating_sub(1);
        match self.pending.pop() {
            Some(Pending::Group(_)) => {
                if let Some(operand) = self.operands.last_mut() {
                    operand.literal = false;
                }
                Ok(())
            }
            Some(Pending::Call(op, open, arguments)) => self.call(op, open, arguments, position),
            _ => Err(self
                .error_at(
                    "unbalanced-parenthesis",
                    position,
                    "this `)` closes nothing".to_owned(),
                )
                .hint("remove it, or add the `(` that it belongs to")),
        }
    }

    fn call(
        &mut self,
        op: Op,
        open: usize,
        arguments: usize,
        close: usize,
    ) -> Result<(), FormulaError> {
        let info = op.info();
        let accepted = arguments == info.arity || (info.variadic && arguments > info.arity);
        if !accepted {
            let wanted = match (info.arity, info.variadic) {
                (1, _) => "one argument".to_owned(),
                (arity, true) => format!(
                    "{} arguments or more",
                    if arity == 2 { "two" } else { "some" }
                ),
                (arity, false) => format!("{arity} arguments"),
            };
            let (start, end) = (self.lexemes[open - 1].start, self.lexemes[close].end);
            return Err(FormulaError::new(
                "wrong-argument-count",
                format!("`{}` takes {wanted}, not {arguments}", info.name),
            )
            .at(self.text, start, end)
            .hint(format!("write {}", info.example())));
        }
        let first = self.operands.len() - arguments;
        let operands: Vec<NodeId> = self
            .operands
            .drain(first..)
            .map(|operand| operand.id)
            .collect();
        let id = if info.arity == 1 {
            self.graph.unary(op, operands[0])
        } else {
            operands[1..].iter().fold(operands[0], |left, &right| {
                self.graph.binary(op, left, right)
            })
        };
        self.operands.push(Operand { id, literal: false });
        Ok(())
    }

    /// Applies the pending operators that bind at least as tightly as `precedence`, back to the
    /// nearest open parenthesis.
    fn reduce(&mut self, precedence: u8) {
        while let Some(&pending) = self.pending.last() {
            match pending {
                Pending::Prefix(op, own) if own >= precedence => {
                    if let Some(operand) = self.operands.pop() {
                        let negative = match self.graph.constant_value(operand.id) {
                            Some(value) if operand.literal => self.graph.constant(-value),
                            _ => self.graph.unary(op, operand.id),
                        };
                        self.operands.push(Operand {
                            id: negative,
                            literal: false,
                        });
                    }
                }
                Pending::Infix(op, own) if own >= precedence => {
                    if let (Some(right), Some(left)) = (self.operands.pop(), self.operands.pop()) {
                        let id = self.graph.binary(op, left.id, right.id);
                        self.operands.push(Operand { id, literal: false });
                    }
                }
                _ => return,
            }
            self.pending.pop();
        }
    }

    /// The whole formula, once its tokens are used up.
    fn finish(mut self, wants_operand: bool) -> Result<NodeId, FormulaError> {
        let last = self.lexemes.len() - 1;
        if wants_operand && matches!(self.lexemes[last].token, Token::Operator(_)) {
            return Err(self.dangling(last, "right"));
        }
        self.reduce(0);
        if let Some(Pending::Group(open) | Pending::Call(_, open, _)) = self.pending.last() {
            return Err(self
                .error_at(
                    "unbalanced-parenthesis",
                    *open,
                    "this `(` is never closed".to_owned(),
                )
                .hint("add the `)` that it needs"));
        }
        match self.operands.pop() {
            Some(operand) if self.operands.is_empty() => Ok(operand.id),
            _ => Err(self.error_at(
                "missing-operand",
                last,
                "something is missing here".to_owned(),
            )),
        }
    }
}
