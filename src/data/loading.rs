//! From a source to a data set in memory, on several threads.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::dataset::elements;
use super::source::{Element, Source};
use super::{DataError, Dataset, Target, Targets};
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
        let results = self.read(source, &order, values.chunks_mut(len));

        let (mut targets, mut skipped, mut kept) = (Vec::new(), Vec::new(), 0);
        for (position, (index, result)) in order.iter().zip(results).enumerate() {
            match result {
                Some(Ok(target)) => {
                    values.copy_within(position * len..(position + 1) * len, kept * len);
                    targets.push((*index, target));
                    kept += 1;
                }
                Some(Err(error)) if self.skip => skipped.push((*index, error)),
                Some(Err(error)) => return Err(error),
                // Behind an error, which comes first.
                None => {}
            }
        }
        if kept == 0 && !skipped.is_empty() {
            return Err(skipped.swap_remove(0).1);
        }
        values.truncate(kept * len);
        let samples = S::Element::into_samples(values);
        let data = Dataset::checked(shape, samples, collect(source, targets)?)?;
        Ok(Loaded { data, skipped })
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

    /// What came of each sample; none for samples that nobody began because one had failed.
    fn read<'a, S: Source>(
        &self,
        source: &S,
        order: &[usize],
        places: impl Iterator<Item = &'a mut [S::Element]> + Send,
    ) -> Vec<Option<Result<Target, DataError>>>
    where
        S::Element: 'a,
    {
        let mut results: Vec<_> = order.iter().map(|_| None).collect();
        let jobs = Mutex::new(order.iter().zip(places).zip(&mut results));
        let failed = AtomicBool::new(false);
        // Samples are handed out in order, so when one fails, those before it are all in work or
        // done: which error comes first does not depend on the threads' luck.
        let work = || {
            while self.skip || !failed.load(Ordering::Relaxed) {
                let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(((index, place), result)) = job else {
                    return;
                };
                let target = source.read(*index, place);
                if target.is_err() {
                    failed.store(true, Ordering::Relaxed);
                }
                *result = Some(target);
            }
        };
        let available = thread::available_parallelism().map_or(1, NonZero::get);
        let workers = self.workers.unwrap_or(available).min(order.len());
        thread::scope(|scope| {
            for _ in 1..workers {
                // Where no thread can be had, this one does the work.
                let _ = thread::Builder::new().spawn_scoped(scope, work);
            }
            work();
        });
        results
    }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use super::*;
    use crate::data::Classes;
    use crate::data::testing::text;

    /// Sample i is [i, 2·i] with label i mod 3; those in `broken` cannot be read.
    #[derive(Default)]
    struct Numbers {
        broken: Vec<usize>,
        begun: AtomicUsize,
        slow: bool,
    }

    impl Source for Numbers {
        type Element = f32;
        fn len(&self) -> usize {
            40
        }
        fn shape(&self) -> Vec<usize> {
            vec![2]
        }
        fn classes(&self) -> Option<Classes> {
            Some(Classes::from(3))
        }
        fn read(&self, index: usize, out: &mut [f32]) -> Result<Target, DataError> {
            self.begun.fetch_add(1, Ordering::Relaxed);
            if self.slow {
                // Early samples take longest: finished order is not the order of the samples.
                thread::sleep(Duration::from_millis(40 - index as u64));
            }
            if self.broken.contains(&index) {
                return Err(DataError::in_sample(index, "scratched"));
            }
            out.copy_from_slice(&[index as f32, 2.0 * index as f32]);
            Ok(Target::Label(index as u32 % 3))
        }
    }

    fn broken(indices: &[usize]) -> Numbers {
        Numbers {
            broken: indices.to_vec(),
            ..Numbers::default()
        }
    }

    fn numbers(data: &Dataset) -> Vec<usize> {
        data.iter().map(|s| s.values()[0] as usize).collect()
    }

    #[test]
    fn the_result_does_not_depend_on_the_workers() {
        let slow = Numbers {
            slow: true,
            ..Numbers::default()
        };
        let one = Loading::new().workers(1).load(&Numbers::default()).unwrap();
        assert_eq!(numbers(&one.data), (0..40).collect::<Vec<_>>());
        let shuffled = Loading::new().workers(0).shuffled(7);
        let shuffled_one = shuffled.load(&Numbers::default()).unwrap();
        for workers in [2, 7, 100] {
            let many = Loading::new().workers(workers).load(&slow).unwrap();
            assert_eq!(many.data, one.data, "{workers}");
            let many = shuffled.clone().workers(workers).load(&slow).unwrap();
            assert_eq!(many.data, shuffled_one.data, "{workers}");
        }
        let other = Loading::new().shuffled(8).load(&slow).unwrap();
        assert_ne!(other.data, shuffled_one.data);
        for data in [other.data, shuffled_one.data] {
            let mut sorted = numbers(&data);
            assert_ne!(sorted, numbers(&one.data));
            sorted.sort_unstable();
            assert_eq!(sorted, numbers(&one.data));
            assert!(
                data.iter()
                    .all(|s| s.label() == Some(s.values()[1] as u32 / 2 % 3))
            );
        }
    }

    #[test]
    fn the_first_error_in_order_ends_it() {
        for workers in [1, 2, 5] {
            let source = Numbers {
                slow: true,
                ..broken(&[4, 3, 8])
            };
            let found = text(Loading::new().workers(workers).load(&source));
            assert_eq!(found, "sample 3: scratched", "{workers}");
            let begun = source.begun.into_inner();
            assert!(begun <= 4 + workers, "{begun} samples were begun");
        }
    }

    #[test]
    fn unreadable_samples_are_left_out_on_request() {
        let loading = Loading::new().workers(3).skip_unreadable(true);
        let loaded = loading.load(&broken(&[0, 7, 39])).unwrap();
        let expected: Vec<usize> = (1..39).filter(|i| *i != 7).collect();
        assert_eq!(numbers(&loaded.data), expected);
        let labels: Vec<u32> = expected.iter().map(|i| *i as u32 % 3).collect();
        assert_eq!(loaded.data.labels(), Some(&labels[..]));
        let skipped: Vec<usize> = loaded.skipped.iter().map(|(index, _)| *index).collect();
        assert_eq!(skipped, [0, 7, 39]);
        assert_eq!(loaded.skipped[1].1.to_string(), "sample 7: scratched");

        let all: Vec<usize> = (0..40).collect();
        assert_eq!(text(loading.load(&broken(&all))), "sample 0: scratched");
    }

    #[test]
    fn a_part_is_read_by_its_indices() {
        let source = Numbers::default();
        let part = Loading::new().indices([5, 2, 5]).load(&source).unwrap();
        assert_eq!(numbers(&part.data), [5, 2, 5]);
        assert_eq!(source.begun.into_inner(), 3);
        let source = Numbers::default();
        let found = text(Loading::new().indices([40]).load(&source));
        assert_eq!(found, "there is no sample 40 among 40");
        let found = text(Loading::new().indices([]).load(&source));
        assert_eq!(found, "a data set needs samples: found 0 of shape [2]");
    }

    /// As many values as the index says, but for the first two.
    struct Ragged(Option<Classes>);

    impl Source for Ragged {
        type Element = u8;
        fn len(&self) -> usize {
            3
        }
        fn shape(&self) -> Vec<usize> {
            vec![1]
        }
        fn classes(&self) -> Option<Classes> {
            self.0.clone()
        }
        fn read(&self, index: usize, _: &mut [u8]) -> Result<Target, DataError> {
            Ok(Target::Values(vec![0.5; index.max(1)]))
        }
    }

    #[test]
    fn targets_are_of_one_kind() {
        let regression = Loading::new().indices([0, 1]).load(&Ragged(None)).unwrap();
        assert_eq!(
            *regression.data.targets(),
            Targets::Values {
                shape: vec![1],
                values: vec![0.5; 2]
            }
        );
        assert_eq!(
            text(Loading::new().load(&Ragged(None))),
            "sample 2 has 2 target values, others have 1 target values"
        );
        assert_eq!(
            text(Loading::new().load(&Ragged(Some(Classes::from(2))))),
            "sample 0 has 1 target values, others have a label"
        );
    }

    /// Announces more than any machine holds.
    struct Huge;

    impl Source for Huge {
        type Element = u8;
        fn len(&self) -> usize {
            2
        }
        fn shape(&self) -> Vec<usize> {
            vec![usize::MAX / 2]
        }
        fn classes(&self) -> Option<Classes> {
            None
        }
        fn read(&self, _: usize, _: &mut [u8]) -> Result<Target, DataError> {
            unreachable!("nothing is read")
        }
    }

    #[test]
    fn what_does_not_fit_into_memory_is_refused() {
        let found = text(Loading::new().load(&Huge));
        assert!(
            found.starts_with("2 samples of 9223372036854775807 elements"),
            "{found}"
        );
    }
}
