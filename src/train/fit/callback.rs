//! What takes part in a training without being part of it.

use super::FitState;
use crate::error::Result;

/// Is told how a training goes, looks at it, and may end it: a log of one's own, a picture after
/// every epoch, a limit that is nobody else's. [`Trainer::fit_with`] takes one; a tuple, a slice or
/// a `Vec` of callbacks is one too, in which each is told in turn. [`on_epoch_end`] and
/// [`every_steps`] make one of a closure.
///
/// Every method does nothing unless written. A callback sees the training and cannot change it: with
/// and without callbacks it is the same in every bit, up to where [`FitState::stop`] ends it. An
/// error ends it too, and is what `fit` returns; [`Error::Callback`] holds any.
///
/// ```
/// use wgrad::Result;
/// use wgrad::train::{Callback, FitState};
///
/// /// Ends a training that shows nothing after an epoch.
/// struct Hopeless;
///
/// impl Callback for Hopeless {
///     fn on_epoch_end(&mut self, fit: &mut FitState<'_>) -> Result<()> {
///         let last = fit.history().last().and_then(|epoch| epoch.test_accuracy);
///         if last < Some(0.2) {
///             fit.stop();
///         }
///         Ok(())
///     }
/// }
/// ```
///
/// [`Trainer::fit_with`]: crate::train::Trainer::fit_with
/// [`Error::Callback`]: crate::Error::Callback
pub trait Callback {
    /// Before the first step, and after a checkpoint to go on with was read.
    ///
    /// # Errors
    /// Whatever is to end the training.
    fn on_start(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        let _ = fit;
        Ok(())
    }

    /// After every step has been handed to the device, which may not have computed it yet: what
    /// reads from the device here waits for it.
    ///
    /// # Errors
    /// Whatever is to end the training.
    fn on_step(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        let _ = fit;
        Ok(())
    }

    /// After every validation; [`FitState::evaluation`] has its outcome.
    ///
    /// # Errors
    /// Whatever is to end the training.
    fn on_validation(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        let _ = fit;
        Ok(())
    }

    /// At the end of every epoch, after its validation if there is one; [`FitState::history`] ends
    /// with its record.
    ///
    /// # Errors
    /// Whatever is to end the training.
    fn on_epoch_end(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        let _ = fit;
        Ok(())
    }

    /// At the end, unless an error was it. The model then holds what `fit` leaves in it.
    ///
    /// # Errors
    /// Whatever `fit` is to return.
    fn on_end(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        let _ = fit;
        Ok(())
    }
}

/// Calls a closure at the end of every epoch.
///
/// ```no_run
/// use wgrad::train::on_epoch_end;
/// # use wgrad::{data::Dataset, train::{Model, Sgd, Trainer}};
/// # fn f(model: &mut Model, train: &Dataset, test: &Dataset) -> wgrad::Result<()> {
/// let trainer = Trainer::new(Sgd::new(0.1));
/// let mut slopes = Vec::new();
/// let run = trainer.fit_with(model, train, test, on_epoch_end(|fit| {
///     slopes.push(fit.model().parameter("prelu1.weight")?);
///     Ok(())
/// }))?;
/// # Ok(()) }
/// ```
pub fn on_epoch_end(call: impl FnMut(&mut FitState<'_>) -> Result<()>) -> impl Callback {
    EpochEnd(call)
}

/// Calls a closure after every so many steps, counted from the start of the training; 0 counts
/// as 1.
///
/// ```no_run
/// use wgrad::train::every_steps;
/// # use wgrad::{data::Dataset, train::{Model, Sgd, Trainer}};
/// # fn f(model: &mut Model, train: &Dataset, test: &Dataset) -> wgrad::Result<()> {
/// let trainer = Trainer::new(Sgd::new(0.1));
/// let print = every_steps(100, |fit| {
///     println!("step {}: loss {:?}", fit.steps(), fit.losses()?.last());
///     Ok(())
/// });
/// let run = trainer.fit_with(model, train, test, print)?;
/// # Ok(()) }
/// ```
pub fn every_steps(steps: u64, call: impl FnMut(&mut FitState<'_>) -> Result<()>) -> impl Callback {
    EverySteps(steps.max(1), call)
}

struct EpochEnd<F>(F);

impl<F: FnMut(&mut FitState<'_>) -> Result<()>> Callback for EpochEnd<F> {
    fn on_epoch_end(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        (self.0)(fit)
    }
}

struct EverySteps<F>(u64, F);

impl<F: FnMut(&mut FitState<'_>) -> Result<()>> Callback for EverySteps<F> {
    fn on_step(&mut self, fit: &mut FitState<'_>) -> Result<()> {
        match fit.steps().is_multiple_of(self.0) {
            true => (self.1)(fit),
            false => Ok(()),
        }
    }
}

/// What holds callbacks, to be called in turn.
trait Several {
    fn each(&mut self, call: &mut dyn FnMut(&mut dyn Callback) -> Result<()>) -> Result<()>;
}

macro_rules! callback_of_several {
    ($([$($generics:tt)*] $holder:ty, $held:ident => $callbacks:expr;)*) => {$(
        impl<$($generics)*> Several for $holder {
            fn each(
                &mut self,
                call: &mut dyn FnMut(&mut dyn Callback) -> Result<()>,
            ) -> Result<()> {
                let $held = self;
                $callbacks.into_iter().try_for_each(|callback| call(callback))
            }
        }

        impl<$($generics)*> Callback for $holder {
            fn on_start(&mut self, fit: &mut FitState<'_>) -> Result<()> {
                self.each(&mut |callback| callback.on_start(fit))
            }

            fn on_step(&mut self, fit: &mut FitState<'_>) -> Result<()> {
                self.each(&mut |callback| callback.on_step(fit))
            }

            fn on_validation(&mut self, fit: &mut FitState<'_>) -> Result<()> {
                self.each(&mut |callback| callback.on_validation(fit))
            }

            fn on_epoch_end(&mut self, fit: &mut FitState<'_>) -> Result<()> {
                self.each(&mut |callback| callback.on_epoch_end(fit))
            }

            fn on_end(&mut self, fit: &mut FitState<'_>) -> Result<()> {
                self.each(&mut |callback| callback.on_end(fit))
            }
        }
    )*};
}

fn held<C: Callback>(callback: &mut C) -> &mut dyn Callback {
    callback
}

callback_of_several! {
    [] (), _none => [] as [&mut dyn Callback; 0];
    [C: Callback] &mut C, one => [held(&mut **one)];
    ['c] Box<dyn Callback + 'c>, one => [&mut **one];
    [C: Callback] Option<C>, one => one.as_mut().map(held);
    [C: Callback] [C], all => all.iter_mut().map(held);
    [C: Callback] Vec<C>, all => all.iter_mut().map(held);
    [A: Callback, B: Callback] (A, B), all => [held(&mut all.0), held(&mut all.1)];
    [A: Callback, B: Callback, C: Callback] (A, B, C), all =>
        [held(&mut all.0), held(&mut all.1), held(&mut all.2)];
    [A: Callback, B: Callback, C: Callback, D: Callback] (A, B, C, D), all =>
        [held(&mut all.0), held(&mut all.1), held(&mut all.2), held(&mut all.3)];
}
