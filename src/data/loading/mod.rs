//! From a source to a data set in memory, on several threads.

#[cfg(test)]
mod tests;

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::dataset::elements;
use super::source::{Element, Source};
use super::streamed::{Seen, Streamed};
use super::{DataError, Dataset, Samples, Target, Targets};
use crate::random::{Philox, Seed, permute};

/// How a [`Source`] is read into memory.
///
/// Workers decode straight into the data set's memory, so beside it there is no more than one
/// sample in work a worker. The result is the same whatever their number.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Loading {
    workers: Option<usize>,
    skip: bool,
    order: Order,
}

#[derive(Clone, Debug, Default)]
enum Order {
    #[default]
    AsIs,
    Shuffled(Seed),
    Chosen(Vec<usize>),
}

/// What [`Loading::load`] brought.
#[derive(Debug)]
pub struct Loaded {
    /// The samples that could be read.
    pub data: Dataset,
    /// Index and error of each sample that was left out, in the order of loading; empty unless
    /// [`Loading::skip_unreadable`] was asked for.
    pub skipped: Vec<(usize, DataError)>,
}

impl Loading {
    /// All samples in the source's order, on as many threads as the machine has cores; the first
    /// error ends it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of threads, at least one.
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = Some(count);
        self
    }

    /// Leaves samples out that cannot be read, in place of ending with an error.
    pub fn skip_unreadable(mut self, skip: bool) -> Self {
        self.skip = skip;
        self
    }

    /// Puts the samples in an order that follows from the seed.
    pub fn shuffled(mut self, seed: impl Into<Seed>) -> Self {
        self.order = Order::Shuffled(seed.into());
        self
    }

    /// Reads these samples only, in this order: a part of a source that is too large for memory.
    pub fn indices(mut self, indices: impl Into<Vec<usize>>) -> Self {
        self.order = Order::Chosen(indices.into());
        self
    }

    /// Reads the samples.
    ///
    /// # Errors
    ///
    /// The error of the first sample in order that cannot be read (also where all are skipped);
    /// [`DataError::NoSuchSample`] for an index out of range, [`DataError::MixedTargets`] if some
    /// sample's target is of another kind, [`DataError::TooLarge`] where memory does not suffice,
    /// and the errors of making a [`Dataset`].
    pub fn load<S: Source>(&self, source: &S) -> Result<Loaded, DataError> {
        let order = self.order(source.len())?;
        let shape = source.shape();
        let len = elements(&shape);
        if order.is_empty() || len == 0 {
            let samples = order.len();
            return Err(DataError::Empty { samples, shape });
        }
        let mut values: Vec<S::Element> = zeros(order.len(), len)?;
        let places = values.chunks_mut(len);
        let read = |index, place: &mut _| source.read(index, place);
        let results = in_parallel(self.workers, self.skip, &order, places, read);

        let (read, skipped) = self.sort(&order, results)?;
        let (mut targets, kept) = (Vec::new(), read.len());
        for (place, (position, index, target)) in read.into_iter().enumerate() {
            values.copy_within(position * len..(position + 1) * len, place * len);
            targets.push((index, target));
        }
        values.truncate(kept * len);
        let samples = S::Element::into_samples(values);
        let data = Dataset::checked(shape, samples, collect(source, targets)?)?;
        Ok(Loaded { data, skipped })
    }

    /// Reads every sample once, and keeps none: the data set reads them anew whenever they are used,
    /// so that it may be larger than memory. [`Trainer::fit`](crate::train::Trainer::fit) decodes
    /// the next samples on these threads while the device computes, in the order that the seed fixes
    /// whatever their number; what it and evaluations hold at a time is bounded.
    ///
    /// The data set equals that of [`Loading::load`] in targets, classes, mean and deviation, and
    /// trains to the same bits. The first reading finds what cannot be read before a training begins.
    /// A sample that later cannot be read, or has other elements, is an error of the training.
    ///
    /// ```no_run
    /// # #[cfg(feature = "images")] {
    /// # use wgrad::data::{ImageFolder, Loading};
    /// let photos = ImageFolder::open("photos", [3, 224, 224])?;
    /// let data = Loading::new().skip_unreadable(true).stream(photos)?.data.normalised();
    /// # }
    /// # Ok::<(), wgrad::data::DataError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Loading::load`].
    pub fn stream<S: Source + Send + 'static>(&self, source: S) -> Result<Loaded, DataError> {
        let order = self.order(source.len())?;
        let shape = source.shape();
        if order.is_empty() || elements(&shape) == 0 {
            let samples = order.len();
            return Err(DataError::Empty { samples, shape });
        }
        let places = order.iter().map(|_| ());
        let read = |index, ()| Seen::read(&source, index, &shape);
        let results = in_parallel(self.workers, self.skip, &order, places, read);
        let (read, skipped) = self.sort(&order, results)?;
        let (mut seen, mut targets) = (Vec::new(), Vec::new());
        for (_, index, (sample, target)) in read {
            seen.push(sample);
            targets.push((index, target));
        }
        let targets = collect(&source, targets)?;
        let samples = Samples::Streamed(Streamed::new(source, seen, self.workers));
        let data = Dataset::checked(shape, samples, targets)?;
        Ok(Loaded { data, skipped })
    }

    /// Takes apart what was read, each with its position and index, and what is left out.
    #[expect(clippy::type_complexity, reason = "two lists")]
    fn sort<R>(
        &self,
        order: &[usize],
        results: Vec<Option<Result<R, DataError>>>,
    ) -> Result<(Vec<(usize, usize, R)>, Vec<(usize, DataError)>), DataError> {
        let (mut read, mut skipped) = (Vec::new(), Vec::new());
        for (position, (index, result)) in order.iter().zip(results).enumerate() {
            match result {
                Some(Ok(result)) => read.push((position, *index, result)),
                Some(Err(error)) if self.skip => skipped.push((*index, error)),
                Some(Err(error)) => return Err(error),
                // Behind an error, which comes first.
                None => {}
            }
        }
        if read.is_empty() && !skipped.is_empty() {
            return Err(skipped.swap_remove(0).1);
        }
        Ok((read, skipped))
    }

    fn order(&self, len: usize) -> Result<Vec<usize>, DataError> {
        match &self.order {
            Order::AsIs => Ok((0..len).collect()),
            Order::Shuffled(seed) => {
                let mut order: Vec<usize> = (0..len).collect();
                permute(&mut order, &mut Philox::new(*seed, "wgrad.loading"));
                Ok(order)
            }
            Order::Chosen(indices) => match indices.iter().find(|index| **index >= len) {
                Some(&index) => Err(DataError::NoSuchSample { index, len }),
                None => Ok(indices.clone()),
            },
        }
    }
}

/// What came of each sample, whose places come in the same order; none for samples that nobody
/// began because one had failed, unless all are to be tried.
pub(super) fn in_parallel<P: Send, R: Send>(
    workers: Option<usize>,
    all: bool,
    order: &[usize],
    places: impl Iterator<Item = P> + Send,
    read: impl Fn(usize, P) -> Result<R, DataError> + Sync,
) -> Vec<Option<Result<R, DataError>>> {
    let mut results: Vec<_> = order.iter().map(|_| None).collect();
    let jobs = Mutex::new(order.iter().zip(places).zip(&mut results));
    let failed = AtomicBool::new(false);
    // Samples are handed out in order, so when one fails, those before it are all in work or
    // done: which error comes first does not depend on the threads' luck.
    let work = || {
        while all || !failed.load(Ordering::Relaxed) {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(((index, place), result)) = job else {
                return;
            };
            let outcome = read(*index, place);
            if outcome.is_err() {
                failed.store(true, Ordering::Relaxed);
            }
            *result = Some(outcome);
        }
    };
    let available = thread::available_parallelism().map_or(1, NonZero::get);
    let workers = workers.unwrap_or(available).min(order.len());
    thread::scope(|scope| {
        for _ in 1..workers {
            // Where no thread can be had, this one does the work.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    results
}

/// Room for `count` samples of `len` elements.
fn zeros<T: Element>(count: usize, len: usize) -> Result<Vec<T>, DataError> {
    let mut values = Vec::new();
    let total = count.checked_mul(len);
    match total.map(|total| values.try_reserve_exact(total)) {
        Some(Ok(())) => {
            values.resize(count * len, T::default());
            Ok(values)
        }
        _ => Err(DataError::TooLarge {
            samples: count,
            elements: len,
        }),
    }
}

/// The targets of all samples, which must be of one kind.
fn collect<S: Source>(source: &S, targets: Vec<(usize, Target)>) -> Result<Targets, DataError> {
    let classes = source.classes();
    let expected = match (&classes, targets.first()) {
        (None, Some((_, Target::Values(values)))) => Some(values.len()),
        _ => None,
    };
    let (mut labels, mut all) = (Vec::new(), Vec::new());
    for (index, target) in targets {
        match (target, &classes) {
            (Target::Label(label), Some(_)) => labels.push(label),
            (Target::Values(values), None) if Some(values.len()) == expected => all.extend(values),
            (target, _) => {
                return Err(DataError::MixedTargets {
                    index,
                    found: words(&target),
                    expected: expected.map_or_else(
                        || "a label".to_owned(),
                        |count| format!("{count} target values"),
                    ),
                });
            }
        }
    }
    Ok(match classes {
        Some(classes) => Targets::Labels { labels, classes },
        None => Targets::Values {
            shape: vec![expected.unwrap_or(0)],
            values: all,
        },
    })
}

fn words(target: &Target) -> String {
    match target {
        Target::Label(label) => format!("the label {label}"),
        Target::Values(values) => format!("{} target values", values.len()),
    }
}
