//! What an update rule is.

use std::fmt::Debug;

use crate::graph::Role;
use crate::shader::Shader;

/// A rule that moves parameters along their gradients, as one kernel over all parameters.
///
/// The kernel binds `parameters`, `gradients`, `factors` (learning rate and decay, per block of
/// 64 parameters), `schedule` (a ring of `RING` vectors `[learning rate, coefficients]`, by step),
/// `status` (`[not finite, step]`), and `moment0`, `moment1`, ... It learns `LENGTH` (in `vec4`)
/// and `RING`. It must change nothing if `status[0]` is not 0; `shaders/sgd.wgsl` is a model.
/// Where [`UpdateRule::norms`] asks for them it binds `norms` too, `[‖w‖, ‖g‖]` per block.
pub trait UpdateRule: Debug + Send + Sync + 'static {
    /// The rule's name: `sgd`.
    fn name(&self) -> &'static str;

    /// The kernel, which is given `LENGTH` vectors of parameters and what belongs to them: all, or
    /// those of a range, if the device cannot bind all at once.
    fn shader(&self) -> Shader;

    /// How many numbers the rule keeps per parameter, at most three; they start from 0.
    fn moments(&self) -> usize;

    /// Names that the kernel's `#ifdef` finds defined.
    fn flags(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Whose norms the kernel reads.
    fn norms(&self) -> Norms {
        Norms::None
    }

    /// Values of the kernel's `override` constants, all of them finite in single precision. One
    /// that is called `epsilon` must be positive there: it stands below a fraction that is 0/0
    /// without it, in the padding if nowhere else.
    fn constants(&self) -> Vec<(&'static str, f64)>;

    /// The learning rate before any schedule.
    fn learning_rate(&self) -> f64;

    /// What the schedule holds behind the learning rate, for a step counted from 0.
    fn coefficients(&self, step: u64) -> [f64; 3] {
        let _ = step;
        [0.0; 3]
    }
}

/// Whose norms an update rule reads, each over a whole parameter and over its gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Norms {
    /// No parameter's.
    #[default]
    None,
    /// Those of filters and linear weights; the blocks of other parameters hold zeros.
    Weights,
    /// Every parameter's.
    All,
}

impl Norms {
    /// Whether a parameter's norms are wanted.
    pub(crate) fn include(self, role: Role) -> bool {
        match self {
            Self::None => false,
            Self::Weights => role == Role::Weight,
            Self::All => role != Role::Statistic,
        }
    }
}
