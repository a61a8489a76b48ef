//! What became of an allocation, and the one spelling of it.

/// What became of one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// A minimum between all bounds; with one free variable, the answer.
    Interior,
    /// The lower bound of the first variable binds.
    FirstMin,
    /// The upper bound of the first variable binds.
    FirstMax,
    /// The lower bound of the second variable binds.
    SecondMin,
    /// The upper bound of the second variable binds.
    SecondMax,
    /// The law keeps falling along the constraint: no minimum at finite size and data.
    NoFiniteOptimum,
    /// Nothing within the bounds meets the constraint.
    Infeasible,
}

impl Status {
    /// Whether the lane has an answer.
    pub fn is_solved(self) -> bool {
        !matches!(self, Status::NoFiniteOptimum | Status::Infeasible)
    }

    /// All of them, by number.
    pub const ALL: [Status; 7] = [
        Status::Interior,
        Status::FirstMin,
        Status::FirstMax,
        Status::SecondMin,
        Status::SecondMax,
        Status::NoFiniteOptimum,
        Status::Infeasible,
    ];

    /// The stable name used in frames.
    pub fn name(self) -> &'static str {
        match self {
            Status::Interior => "interior",
            Status::FirstMin => "first-min",
            Status::FirstMax => "first-max",
            Status::SecondMin => "second-min",
            Status::SecondMax => "second-max",
            Status::NoFiniteOptimum => "no-finite-optimum",
            Status::Infeasible => "infeasible",
        }
    }

    /// That of an allocation in closed form, whose formulas know an interior minimum or none.
    pub(super) fn of_closed_form(first: f64) -> Status {
        if first.is_nan() {
            Status::NoFiniteOptimum
        } else {
            Status::Interior
        }
    }

    /// That of a lane that misses its constraint.
    pub(super) fn without_answer(self) -> Status {
        match self {
            Status::NoFiniteOptimum => self,
            _ => Status::Infeasible,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_places_and_names_differ() {
        for (number, status) in Status::ALL.into_iter().enumerate() {
            assert_eq!(status as usize, number);
            let same = Status::ALL
                .iter()
                .filter(|other| other.name() == status.name());
            assert_eq!(same.count(), 1);
        }
    }
}
