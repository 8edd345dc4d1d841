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
    data.iter()
        .map(|s| s.unwrap().values()[0] as usize)
        .collect()
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
                .map(Result::unwrap)
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
