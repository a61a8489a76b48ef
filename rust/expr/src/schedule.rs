//! Scheduling: from values to the instructions of one program.
//!
//! Stage: after lowering. In: the values that a program must give; out: the uniform steps, the block instructions and
//! the place of each output. Registers are reused as soon as their value is no longer needed, so that a block stays in
//! first-level cache.
//! Longer than the rule, because `schedule` gives out registers in one pass over the steps.

mod join;

use std::collections::HashMap;

use crate::eval::block::{Action, Instruction, OPERANDS, Place};
use crate::eval::code::Code;
use crate::lower::values::{Stage, Term, Value, Values};
use join::{Step, join};

/// A step of the uniform stage: an operation on numbers, into a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UniformStep {
    pub(crate) code: Code,
    pub(crate) arguments: [u32; 3],
    pub(crate) target: u32,
}

/// A program's instructions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    /// Numbers of the uniform stage at the start: constants in place, the rest to be filled.
    pub(crate) numbers: Vec<f64>,
    /// Which uniform symbol goes to which number.
    pub(crate) symbols: Vec<(u32, u32)>,
    pub(crate) steps: Vec<UniformStep>,
    pub(crate) instructions: Vec<Instruction>,
    pub(crate) registers: usize,
    /// Where each output is: a register or a uniform number.
    pub(crate) outputs: Vec<Place>,
    /// The columns that the instructions read.
    pub(crate) inputs: Vec<u32>,
    pub(crate) cached: Vec<u32>,
}

/// The columns that are computed once a data set, in the order of their numbering.
///
/// A prepared value is kept if it is expensive, or a tree of more than two cheap operations; what is cheaper
/// than that costs less to compute again than to read from memory.
pub(crate) fn cached_values(values: &Values, outputs: &[Vec<Value>]) -> Vec<Value> {
    const WORTH_KEEPING: usize = 2;
    let mut price = vec![0; values.len()];
    let mut keep = vec![false; values.len()];
    for value in values.all() {
        let Term::Apply(code, _) = values.term(value) else {
            continue;
        };
        if values.stage(value) != Stage::Prepared {
            continue;
        }
        let total = 1 + values
            .arguments(value)
            .map(|a| price[a.index()])
            .sum::<usize>();
        if !code.is_cheap() || total > WORTH_KEEPING {
            keep[value.index()] = true;
        } else {
            price[value.index()] = total;
        }
    }
    // Only what some program reads, without looking behind a kept value.
    let mut needed = vec![false; values.len()];
    for output in outputs.iter().flatten() {
        needed[output.index()] = true;
    }
    let mut cached = Vec::new();
    for value in values.all().rev() {
        if !needed[value.index()] {
            continue;
        }
        if keep[value.index()] {
            cached.push(value);
            continue;
        }
        for argument in values.arguments(value) {
            needed[argument.index()] = true;
        }
    }
    cached.reverse();
    cached
}

/// Builds the schedule of one program; `cached` are the values that are read from columns.
pub(crate) fn schedule(values: &Values, outputs: &[Value], cached: &[Value]) -> Schedule {
    let columns: HashMap<Value, u32> = (0u32..).zip(cached).map(|(i, &v)| (v, i)).collect();
    let computed = |value: Value| {
        matches!(values.stage(value), Stage::Prepared | Stage::Varying)
            && matches!(values.term(value), Term::Apply(..))
            && !columns.contains_key(&value)
    };
    let order = order(values, outputs, &computed);
    let mut steps = join(values, &order, outputs);
    let mut schedule = Schedule::default();
    // An output that is a column is copied, so that all outputs can be read from the workspace.
    let mut copies: HashMap<Value, usize> = HashMap::new();
    for &output in outputs {
        let block = matches!(values.stage(output), Stage::Prepared | Stage::Varying);
        if block && !computed(output) && !copies.contains_key(&output) {
            copies.insert(output, steps.len());
            steps.push(Step {
                action: Action::Plain(Code::Copy),
                arguments: vec![output],
                target: None,
                second: None,
            });
        }
    }
    let uniforms = uniform_stage(values, &steps, outputs, &mut schedule);

    // Registers, freed after the last instruction that reads them; outputs are never freed.
    let mut last_use: HashMap<Value, usize> = HashMap::new();
    for (index, step) in steps.iter().enumerate() {
        for &argument in &step.arguments {
            last_use.insert(argument, index);
        }
    }
    for &output in outputs {
        last_use.insert(output, usize::MAX);
    }
    let mut free: Vec<u32> = Vec::new();
    let mut place: HashMap<Value, u32> = HashMap::new();
    let mut count: u32 = 0;
    let mut copied: HashMap<usize, u32> = HashMap::new();
    for (index, step) in steps.iter().enumerate() {
        let mut arguments = [Place::Uniform(0); OPERANDS];
        for (slot, argument) in arguments.iter_mut().zip(&step.arguments) {
            *slot = match (
                uniforms.get(argument),
                columns.get(argument),
                values.term(*argument),
            ) {
                (Some(&number), _, _) => Place::Uniform(number),
                (_, Some(&column), _) => Place::Cached(column),
                (_, _, Term::Input(input)) => Place::Input(input),
                _ => Place::Register(place[argument]),
            };
            match *slot {
                Place::Input(i) if !schedule.inputs.contains(&i) => schedule.inputs.push(i),
                Place::Cached(i) if !schedule.cached.contains(&i) => schedule.cached.push(i),
                _ => {}
            }
        }
        for argument in &step.arguments {
            if last_use.get(argument) == Some(&index) {
                free.extend(place.remove(argument));
            }
        }
        let mut take = || {
            free.pop().unwrap_or_else(|| {
                count += 1;
                count - 1
            })
        };
        let target = take();
        let second = match step.second {
            Some(_) => take(),
            None => target,
        };
        match step.target {
            Some(value) => drop(place.insert(value, target)),
            None => drop(copied.insert(index, target)),
        }
        if let Some(value) = step.second {
            place.insert(value, second);
        }
        // A result that nothing reads, such as the logarithm beside a wanted reciprocal.
        for value in [step.target, step.second].into_iter().flatten() {
            if !last_use.contains_key(&value) {
                free.extend(place.remove(&value));
            }
        }
        schedule.instructions.push(Instruction {
            action: step.action,
            arguments,
            target,
            second,
        });
    }
    schedule.registers = count as usize;
    schedule.outputs = outputs
        .iter()
        .map(|output| match (uniforms.get(output), copies.get(output)) {
            (Some(&number), _) => Place::Uniform(number),
            (_, Some(index)) => Place::Register(copied[index]),
            _ => Place::Register(place[output]),
        })
        .collect();
    schedule
}

/// The values to compute for each block, arguments first, each output's part together.
fn order(values: &Values, outputs: &[Value], computed: &impl Fn(Value) -> bool) -> Vec<Value> {
    let mut done = vec![false; values.len()];
    let mut order = Vec::new();
    for &output in outputs {
        let mut stack = vec![(output, false)];
        while let Some((value, ready)) = stack.pop() {
            if ready {
                order.push(value);
                continue;
            }
            if !computed(value) || std::mem::replace(&mut done[value.index()], true) {
                continue;
            }
            stack.push((value, true));
            let mut arguments: Vec<Value> = values.arguments(value).collect();
            arguments.reverse();
            stack.extend(arguments.into_iter().map(|a| (a, false)));
        }
    }
    order
}

/// Gives every uniform value that is needed a number, and the steps that compute them.
fn uniform_stage(
    values: &Values,
    steps: &[Step],
    outputs: &[Value],
    schedule: &mut Schedule,
) -> HashMap<Value, u32> {
    let uniform = |v: Value| matches!(values.stage(v), Stage::Constant | Stage::Uniform);
    let mut needed = vec![false; values.len()];
    for &value in steps.iter().flat_map(|step| &step.arguments).chain(outputs) {
        needed[value.index()] |= uniform(value);
    }
    for value in values.all().rev() {
        if needed[value.index()] {
            for argument in values.arguments(value) {
                needed[argument.index()] = true;
            }
        }
    }
    let mut places: HashMap<Value, u32> = HashMap::new();
    for value in values.all().filter(|v| needed[v.index()]) {
        let place = schedule.numbers.len() as u32;
        let mut number = f64::NAN;
        match values.term(value) {
            Term::Constant(bits) => number = f64::from_bits(bits),
            Term::Uniform(symbol) => schedule.symbols.push((symbol, place)),
            Term::Input(_) => {}
            Term::Apply(code, arguments) => schedule.steps.push(UniformStep {
                code,
                arguments: arguments.map(|a| places.get(&a).copied().unwrap_or(place)),
                target: place,
            }),
        }
        schedule.numbers.push(number);
        places.insert(value, place);
    }
    places
}
