//! The place of a normal form among all.

/// The place of a form in [`Forms`](super::forms::Forms).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct FormId(pub(super) u32);

impl FormId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}
