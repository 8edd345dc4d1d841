//! How long a training lasts, and when something is due in it.

/// When something is due during [`Trainer::fit`](crate::train::Trainer::fit). Zero counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// At the end of every so many epochs.
    Epochs(u32),
    /// After every so many steps, counted from the start of the training.
    Steps(u64),
}

impl Every {
    /// Whether it is due after the first `step` steps, of which there is at least one.
    pub(super) fn is_due(self, step: u64, steps_per_epoch: u64) -> bool {
        let period = match self {
            Self::Epochs(epochs) => steps_per_epoch * u64::from(epochs.max(1)),
            Self::Steps(steps) => steps.max(1),
        };
        step.is_multiple_of(period)
    }
}

/// How long a training lasts.
#[derive(Clone, Copy, Debug)]
pub(in crate::train) enum Length {
    Epochs(u32),
    Steps(u64),
}

impl Length {
    pub(super) fn steps(self, steps_per_epoch: u64) -> u64 {
        match self {
            Self::Epochs(epochs) => steps_per_epoch * u64::from(epochs),
            Self::Steps(steps) => steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_when() {
        let due = |every: Every| -> Vec<u64> {
            let steps = 1..=12;
            steps.filter(|step| every.is_due(*step, 4)).collect()
        };
        assert_eq!(due(Every::Epochs(1)), [4, 8, 12]);
        assert_eq!(due(Every::Epochs(2)), [8]);
        assert_eq!(due(Every::Steps(5)), [5, 10]);
        assert_eq!(due(Every::Epochs(0)), due(Every::Epochs(1)));
        assert_eq!(due(Every::Steps(0)).len(), 12);
    }
}
