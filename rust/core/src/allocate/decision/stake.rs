//! A stake: one law and cost, and the worlds that are possible under them, one a lane.

use std::sync::OnceLock;

use scalefast_expr::System;

use super::lanes::{Lanes, Outcome};
use super::worth::{self, STEPS, Steps};
use crate::allocate::numeric::Answers;
use crate::allocate::question::{Aim, Question};
use crate::error::CoreError;
use crate::executor::{Control, with_pool};
use crate::predict::Values;

/// The values of one symbol.
#[derive(Clone, Debug)]
pub enum Column {
    /// The same in every lane.
    Number(f64),
    /// One value a lane.
    Lanes(Vec<f64>),
}

/// A law, a cost, and the worlds that are possible under them.
#[derive(Debug)]
pub struct Stake {
    /// The least loss at a cost.
    spend: Question,
    /// The least cost of a loss.
    reach: Question,
    /// Values of the parameters of each question, in their order.
    spend_values: Vec<Column>,
    reach_values: Vec<Column>,
    pub(super) targets: Vec<f64>,
    best: OnceLock<Answers>,
    steps: OnceLock<Vec<Steps>>,
}

impl Stake {
    /// A stake of one lane a target. `spending`, `free` and `bounds` are those of [`Question::new`], two variables being
    /// free; `values` gives the values of a symbol.
    ///
    /// # Errors
    /// Those of `Question::new`; `unbound-symbol`; `column-length`; `bad-target`.
    pub fn new(
        law: &System,
        output: &str,
        spending: &System,
        free: [&str; 2],
        bounds: [[Option<f64>; 2]; 2],
        values: impl Fn(&str) -> Option<Column>,
        targets: Vec<f64>,
    ) -> Result<Self, CoreError> {
        if let Some(&target) = targets.iter().find(|t| !(**t > 0.0 && t.is_finite())) {
            let message = format!("a target must be positive and finite, not {target}");
            return Err(CoreError::settings("bad-target", message).with_value(target));
        }
        let ask = |aim| Question::new(law, output, spending, aim, &free, &bounds);
        let (spend, reach) = (ask(Aim::Budget)?, ask(Aim::Loss)?);
        let chosen = |question: &Question| -> Result<Vec<Column>, CoreError> {
            let mut found = Vec::new();
            for name in question.parameters() {
                let column = values(name).ok_or_else(|| {
                    let message = format!("no value for `{name}` of the law or its cost");
                    CoreError::law("unbound-symbol", message).with_column(name.as_str())
                })?;
                match &column {
                    Column::Lanes(lanes) if lanes.len() != targets.len() => {
                        let message = format!(
                            "`{name}` has {} lanes, there are {}",
                            lanes.len(),
                            targets.len()
                        );
                        return Err(CoreError::data("column-length", message));
                    }
                    _ => found.push(column),
                }
            }
            Ok(found)
        };
        let (spend_values, reach_values) = (chosen(&spend)?, chosen(&reach)?);
        Ok(Stake {
            spend,
            reach,
            spend_values,
            reach_values,
            targets,
            best: OnceLock::new(),
            steps: OnceLock::new(),
        })
    }

    /// The number of lanes.
    pub fn count(&self) -> usize {
        self.targets.len()
    }

    /// The best split of each lane's compute: first variable, second, cost, loss. Where the bounds leave compute over,
    /// their upper corner.
    ///
    /// # Errors
    /// `interrupted` and `timeout`; errors of compilation.
    pub fn best(&self, threads: Option<usize>, control: &Control) -> Result<&Answers, CoreError> {
        if let Some(known) = self.best.get() {
            return Ok(known);
        }
        let found = with_pool(threads, || self.spending(&self.targets)?.solve(control))?;
        Ok(self.best.get_or_init(|| found))
    }

    /// What the size `first` gives in each lane.
    ///
    /// # Errors
    /// As `best`.
    pub fn at(
        &self,
        first: f64,
        threads: Option<usize>,
        control: &Control,
    ) -> Result<Outcome, CoreError> {
        with_pool(threads, || {
            self.spending(&self.targets)?.outcome(first, control)
        })
    }

    /// The cheapest way to each lane's loss: first variable, second, cost, loss.
    ///
    /// # Errors
    /// As `best`; `column-length`.
    pub fn cheapest(
        &self,
        losses: &[f64],
        threads: Option<usize>,
        control: &Control,
    ) -> Result<Answers, CoreError> {
        if losses.len() != self.targets.len() {
            return Err(CoreError::data(
                "column-length",
                "one loss a lane is needed",
            ));
        }
        with_pool(threads, || {
            Lanes::new(&self.reach, &borrowed(&self.reach_values), losses)?.solve(control)
        })
    }

    /// The best loss of each lane at every step of its compute.
    pub(super) fn steps(&self, control: &Control) -> Result<&[Steps], CoreError> {
        if let Some(known) = self.steps.get() {
            return Ok(known);
        }
        let mut steps = vec![[f64::NAN; STEPS]; self.count()];
        for j in 0..STEPS {
            let factor = worth::factor(j);
            let targets: Vec<f64> = self.targets.iter().map(|target| target * factor).collect();
            let found = self.spending(&targets)?.solve(control)?;
            for (steps, loss) in steps.iter_mut().zip(&found.columns[3]) {
                steps[j] = *loss;
            }
        }
        Ok(self.steps.get_or_init(|| steps))
    }

    pub(super) fn spending<'a>(&'a self, targets: &'a [f64]) -> Result<Lanes<'a>, CoreError> {
        Lanes::new(&self.spend, &borrowed(&self.spend_values), targets)
    }
}

fn borrowed(columns: &[Column]) -> Vec<Values<'_>> {
    columns
        .iter()
        .map(|column| match column {
            Column::Number(number) => Values::Number(*number),
            Column::Lanes(lanes) => Values::Column(lanes),
        })
        .collect()
}
