//! What matching names with patterns may cost: patterns times names is chosen by whoever wrote the checkout.

use std::cell::Cell;

use crate::cancel::Cancel;

/// Steps between two looks at the limit and at the user's wish to stop; less than a millisecond of work.
const STEPS_BETWEEN_LOOKS: u64 = 1 << 13;

/// Counts the steps of one context's matching: one for each pattern tried, more for a long look.
pub struct Effort<'a> {
    spent: Cell<u64>,
    next_look: Cell<u64>,
    limit: u64,
    cancel: &'a Cancel,
}

/// Matching was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It has cost more steps than this.
    Limit(u64),
    /// The user doesn't want it any more.
    Cancelled,
}

impl<'a> Effort<'a> {
    /// At most `limit` steps.
    pub fn new(limit: u64, cancel: &'a Cancel) -> Self {
        Self { spent: Cell::new(0), next_look: Cell::new(0), limit, cancel }
    }

    /// Counts steps, and looks now and then whether to stop.
    pub fn spend(&self, steps: u64) -> Result<(), Stopped> {
        let spent = self.spent.get().saturating_add(steps);
        self.spent.set(spent);
        if spent < self.next_look.get() { Ok(()) } else { self.look(spent) }
    }

    #[cold]
    fn look(&self, spent: u64) -> Result<(), Stopped> {
        self.next_look.set(spent.saturating_add(STEPS_BETWEEN_LOOKS));
        if self.cancel.is_cancelled() {
            return Err(Stopped::Cancelled);
        }
        if spent > self.limit { Err(Stopped::Limit(self.limit)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_bounded_and_a_wish_to_stop_is_heard() {
        let cancel = Cancel::default();
        let effort = Effort::new(3 * STEPS_BETWEEN_LOOKS, &cancel);
        assert_eq!(effort.spend(1), Ok(()));
        let far = (0..10 * STEPS_BETWEEN_LOOKS).find_map(|_| effort.spend(1).err());
        assert_eq!(far, Some(Stopped::Limit(3 * STEPS_BETWEEN_LOOKS)));
        let effort = Effort::new(u64::MAX, &cancel);
        cancel.cancel();
        assert_eq!((0..=STEPS_BETWEEN_LOOKS).find_map(|_| effort.spend(1).err()), Some(Stopped::Cancelled));
    }
}
