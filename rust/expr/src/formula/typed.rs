//! A typed formula: definitions, then the law, in one text.
//!
//! In: `r = D/U; E + A*r**a + B*r**b`. Out: the definitions and the law as texts, and the system of both. Parts are
//! separated by semicolons or, where there are definitions, by the ends of lines; the law comes last and may take several
//! lines. Errors point into the text as it was typed.

use std::collections::HashMap;

use super::{LOSS, System, problem_of_name};
use crate::error::FormulaError;
use crate::graph::Graph;
use crate::lexer::{Token, tokens};
use crate::parser::{Meaning, parse};

/// A typed formula, taken apart.
#[derive(Clone, Debug)]
pub struct Typed {
    /// (name, text) in the order typed.
    pub definitions: Vec<(String, String)>,
    /// The text of the law.
    pub law: String,
    /// The definitions put into the law, whose output is named [`LOSS`].
    pub system: System,
}

/// A stretch of the text: its bytes, and for a definition where the `=` stands.
#[derive(Clone, Copy)]
struct Stretch {
    start: usize,
    end: usize,
    equals: Option<usize>,
    /// Whether a semicolon ends it.
    closed: bool,
}

impl System {
    /// Reads a law with definitions before it.
    ///
    /// # Errors
    /// Text that is no formula; a definition whose name cannot be one, is defined twice, or is used before its turn; a
    /// definition that nothing uses; a part before the last one that has no name.
    ///
    /// ```
    /// use scalefast_expr::System;
    /// let typed = System::typed("r = D/U; E + A*r**a")?;
    /// assert_eq!(typed.definitions, [("r".to_owned(), "D/U".to_owned())]);
    /// assert_eq!(typed.system.symbols(), ["E", "A", "D", "U", "a"]);
    /// let error = System::typed("r = D/U; E + A*s**a").unwrap_err();
    /// assert_eq!(error.code, "unused-definition");
    /// # Ok::<(), scalefast_expr::FormulaError>(())
    /// ```
    pub fn typed(text: &str) -> Result<Typed, FormulaError> {
        let (definitions, law) = split(text)?;
        let mut graph = Graph::new();
        let mut names: HashMap<&str, Meaning> = HashMap::new();
        let mut places = Vec::with_capacity(definitions.len());
        for stretch in &definitions {
            let (name, body) = halves(text, stretch)?;
            if names.insert(name, Meaning::Later).is_some() {
                let message = format!("`{name}` is defined twice");
                return Err(at_name(
                    text,
                    stretch,
                    FormulaError::new("duplicate-definition", message),
                )
                .hint("give one of them another name"));
            }
            places.push((name, body, stretch));
        }
        let within = |start: usize, error: FormulaError| match error.span {
            Some((from, to)) => FormulaError {
                text: Some(text.to_owned()),
                span: Some((start + from, start + to)),
                ..error
            },
            None => error,
        };
        for &(name, (start, end), _) in &places {
            names.insert(name, Meaning::Itself);
            let id = parse(&mut graph, &text[start..end], &names).map_err(|e| within(start, e))?;
            names.insert(name, Meaning::Defined(id));
        }
        let root = parse(&mut graph, &text[law.start..law.end], &names)
            .map_err(|error| within(law.start, error))?;
        for (position, &(name, _, stretch)) in places.iter().enumerate() {
            let later = places[position + 1..].iter().map(|place| place.1);
            let mut later = later.chain([(law.start, law.end)]);
            if !later.any(|(start, end)| names_it(&text[start..end], name)) {
                let message = format!("the definition `{name}` is not used");
                return Err(at_name(
                    text,
                    stretch,
                    FormulaError::new("unused-definition", message),
                )
                .hint(format!("use `{name}` after it, or remove the definition")));
            }
        }
        let owned = |from: usize, to: usize| text[from..to].trim().to_owned();
        Ok(Typed {
            definitions: places
                .iter()
                .map(|&(name, (start, end), _)| (name.to_owned(), owned(start, end)))
                .collect(),
            law: owned(law.start, law.end),
            system: System {
                graph,
                outputs: vec![(LOSS.to_owned(), root)],
            },
        })
    }
}

/// The definitions and the law.
fn split(text: &str) -> Result<(Vec<Stretch>, Stretch), FormulaError> {
    let whole = Stretch {
        start: 0,
        end: text.len(),
        equals: None,
        closed: false,
    };
    let parts = stretches(text);
    let Some(last) = parts.iter().rposition(|part| part.equals.is_some()) else {
        // Without definitions there is nothing to separate, and a stray semicolon is reported as such.
        return Ok((Vec::new(), whole));
    };
    let unnamed = |part: &Stretch| {
        FormulaError::new("unnamed-part", "this part has no name and is not the last")
            .at(text, part.start, part.end)
            .hint("write `name = expression` before the law, and the law last")
    };
    if let Some(part) = parts[..last].iter().find(|part| part.equals.is_none()) {
        return Err(unnamed(part));
    }
    let rest = &parts[last + 1..];
    let (Some(first), Some(end)) = (rest.first(), rest.last()) else {
        if last == 0 {
            // `L = E + A/N` alone is a law with its name in front, which the lexer explains.
            return Ok((Vec::new(), whole));
        }
        let place = parts[last].equals.unwrap_or_default();
        let error = FormulaError::new("missing-law", "there is no law after this definition");
        return Err(error
            .at(text, place, place + 1)
            .hint("the law comes after the definitions and has no name"));
    };
    if let Some(part) = rest[..rest.len() - 1].iter().find(|part| part.closed) {
        return Err(unnamed(part));
    }
    let law = Stretch {
        start: first.start,
        end: end.end,
        ..whole
    };
    Ok((parts[..=last].to_vec(), law))
}

/// The parts between semicolons and ends of lines, without empty ones; a line break between brackets separates nothing.
fn stretches(text: &str) -> Vec<Stretch> {
    let (mut parts, mut start, mut equals) = (Vec::new(), 0, None);
    let (mut depth, mut quoted) = (0usize, false);
    for (place, character) in text.char_indices().chain([(text.len(), '\n')]) {
        let ends = place == text.len()
            || (!quoted && (character == ';' || (character == '\n' && depth == 0)));
        match character {
            '`' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            '=' if !quoted && equals.is_none() => equals = Some(place),
            _ => {}
        }
        if !ends {
            continue;
        }
        let part = &text[start..place];
        if !part.trim().is_empty() {
            parts.push(Stretch {
                start: start + (part.len() - part.trim_start().len()),
                end: start + part.trim_end().len(),
                equals,
                closed: character == ';',
            });
        }
        (start, equals, depth) = (place + character.len_utf8(), None, 0);
    }
    parts
}

/// The name of a definition, and where its expression stands.
fn halves<'t>(text: &'t str, part: &Stretch) -> Result<(&'t str, (usize, usize)), FormulaError> {
    let equals = part.equals.unwrap_or(part.end);
    let name = text[part.start..equals].trim();
    if let Some(problem) = problem_of_name(name) {
        let message = format!("the definition `{name}` {problem}");
        return Err(at_name(
            text,
            part,
            FormulaError::new("bad-definition-name", message),
        ));
    }
    Ok((name, (equals + 1, part.end)))
}

/// The error at the name of a definition.
fn at_name(text: &str, part: &Stretch, error: FormulaError) -> FormulaError {
    let name = text[part.start..part.equals.unwrap_or(part.end)].trim_end();
    error.at(text, part.start, part.start + name.len().max(1))
}

/// Whether a text names a symbol.
fn names_it(text: &str, name: &str) -> bool {
    let is_name =
        |token: &Token| matches!(token, Token::Name(other) | Token::Quoted(other) if other == name);
    tokens(text).is_ok_and(|found| found.iter().any(|lexeme| is_name(&lexeme.token)))
}
