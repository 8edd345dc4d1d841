use super::*;
use crate::random::Seed;

/// `n` samples of shape [2, 1, 2] whose first value is the sample's number.
fn numbered(n: usize, classes: usize) -> Dataset {
    let values = (0..n).flat_map(|i| [i as f32, 1.0, -2.0, 0.5]).collect();
    let labels = (0..n).map(|i| (i % classes) as u32).collect();
    Dataset::from_f32([2, 1, 2], values, labels, classes)
        .unwrap_or_else(|error| unreachable!("{error}"))
}

fn numbers(data: &Dataset) -> Vec<usize> {
    data.iter()
        .map(|sample| sample.unwrap().values()[0] as usize)
        .collect()
}

fn refusal<T>(result: Result<T, DataError>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
}

#[test]
fn bad_data_is_refused_with_its_place() {
    let classified = |values: &[f32], labels: &[u32], classes: usize| {
        refusal(Dataset::from_f32(
            [2],
            values.to_vec(),
            labels.to_vec(),
            classes,
        ))
    };
    let regression = |shape: [usize; 2], values: &[f32], targets: &[f32]| {
        refusal(Dataset::regression(
            [2],
            values.to_vec(),
            shape,
            targets.to_vec(),
        ))
    };
    let nan = f32::NAN;
    let cases = [
        (
            classified(&[], &[], 3),
            "a data set needs samples: found 0 of shape [2]",
        ),
        (
            classified(&[0.0; 3], &[0, 1], 3),
            "2 samples of shape [2] take 4 elements, found 3",
        ),
        (
            classified(&[0.0; 4], &[0, 3], 3),
            "sample 1 has label 3, but there are 3 classes, 0 to 2",
        ),
        (
            classified(&[0.0; 4], &[0, 0], 0),
            "sample 0 has label 0, but there are 0 classes, 0 to 0",
        ),
        (
            classified(&[0.0, 0.0, 0.0, nan], &[0, 1], 3),
            "sample 1 has the value NaN at element 1",
        ),
        (
            regression([1, 2], &[0.0; 4], &[0.0; 3]),
            "1 samples of shape [2] take 2 elements, found 4",
        ),
        (
            regression([1, 2], &[0.0; 2], &[0.0; 3]),
            "1 samples of target shape [1, 2] take 2 elements, found 3",
        ),
        (
            regression([1, 2], &[0.0; 4], &[0.0, 1.0, f32::INFINITY, 0.0]),
            "sample 1 has the target inf at element 0",
        ),
        (
            regression([usize::MAX, 2], &[], &[0.0]),
            "a data set needs samples: found 0 of shape [2]",
        ),
        (
            refusal(Dataset::images_u8([0, 4], vec![], vec![1], 2)),
            "a data set needs samples: found 1 of shape [0, 4]",
        ),
        (
            refusal(Dataset::images_u8([usize::MAX, 2], vec![0], vec![1], 2)),
            "1 samples of shape [18446744073709551615, 2] take too many elements, found 1",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn bytes_are_scaled_and_white_is_one() {
    let images = Dataset::images_u8([1, 16, 16], (0..=255).collect(), vec![0], 1);
    let Ok(images) = images else {
        unreachable!("valid images")
    };
    let image = images.image(0).unwrap();
    assert_eq!((image.values()[0], image.values()[255]), (0.0, 1.0));
    for (byte, value) in image.values().iter().enumerate() {
        assert!(
            (value - byte as f32 / 255.0).abs() <= f32::EPSILON / 2.0,
            "{byte}"
        );
    }
    let doubled = images
        .clone()
        .with_scale(2.0)
        .map(|data| data.image(0).unwrap().values()[3]);
    assert!(matches!(doubled, Ok(6.0)));
    assert_eq!(
        refusal(images.with_scale(f32::NAN)),
        "NaN cannot scale bytes"
    );
    assert_eq!(
        refusal(numbered(1, 1).with_scale(0.5)),
        "0.5 cannot scale samples that are not bytes"
    );
}

#[test]
fn samples_and_batches_agree() {
    let data = numbered(5, 3);
    assert!(data.image(5).is_err());
    let Ok(last) = data.image(4) else {
        unreachable!("five samples")
    };
    assert_eq!((last.shape(), last.label()), (&[2, 1, 2][..], Some(1)));
    let batch = data.batch(&[4, 0, 4]);
    let expected = [
        last.values(),
        data.image(0).unwrap().values(),
        last.values(),
    ]
    .concat();
    assert!(batch.is_ok_and(|batch| batch == expected));
    assert_eq!(refusal(data.batch(&[0, 5])), "there is no sample 5 among 5");
}

#[test]
fn a_regression_keeps_its_targets_beside_its_samples() {
    let data = Dataset::regression(
        [1],
        vec![1.0, 2.0, 3.0],
        [2],
        vec![1.0, -1.0, 2.0, -2.0, 3.0, -3.0],
    );
    let Ok(data) = data else {
        unreachable!("valid data")
    };
    let (first, second) = data.stratified_split(0.67, Seed(3));
    assert_eq!((first.len(), second.len()), (2, 1));
    for sample in first.iter().chain(second.iter()) {
        let sample = sample.unwrap();
        let x = sample.values()[0];
        assert_eq!(*sample.target(), Target::Values(vec![x, -x]));
        assert_eq!(sample.label(), None);
    }
    assert_eq!((data.labels(), data.classes()), (None, None));
    assert_eq!((data.class_counts(), data.class_weights()), (None, None));
}

#[test]
fn a_split_is_a_partition_fixed_by_its_seed() {
    let data = numbered(101, 4);
    let (first, second) = data.split(0.8, Seed(7));
    assert_eq!((first.len(), second.len()), (81, 20));
    let mut all = [numbers(&first), numbers(&second)].concat();
    assert_ne!(all, (0..101).collect::<Vec<_>>(), "not shuffled");
    all.sort_unstable();
    assert_eq!(all, (0..101).collect::<Vec<_>>());

    assert_eq!(data.split(0.8, Seed(7)), (first.clone(), second.clone()));
    assert_ne!(data.split(0.8, Seed(8)).0, first);
    for part in [first, second] {
        assert!(
            part.iter()
                .map(Result::unwrap)
                .all(|sample| sample.label() == Some(sample.values()[0] as u32 % 4))
        );
    }
}

#[test]
fn no_part_of_a_split_is_empty() {
    for (fraction, expected) in [
        (0.0, 1),
        (1.0, 2),
        (80.0, 2),
        (-1.0, 1),
        (f64::NAN, 1),
        (f64::INFINITY, 2),
        (0.5, 2),
    ] {
        assert_eq!(
            numbered(3, 1).split(fraction, Seed(1)).0.len(),
            expected,
            "{fraction}"
        );
    }
    let (one, none) = numbered(1, 1).split(0.0, Seed(1));
    assert!(!one.is_empty() && none.is_empty());
}

#[test]
fn a_stratified_split_takes_the_same_part_of_every_class() {
    let count = |data: &Dataset, class| {
        data.labels()
            .into_iter()
            .flatten()
            .filter(|label| **label == class)
            .count()
    };
    let (train, test) = digits().stratified_split(0.75, Seed(2));
    assert_eq!(train.len() + test.len(), 1797);
    for class in 0..10 {
        let total = count(&digits(), class);
        assert_eq!(count(&train, class), (total as f64 * 0.75).round() as usize);
        assert_eq!(count(&train, class) + count(&test, class), total);
    }
    // Not sorted by class.
    assert!(
        train
            .labels()
            .is_some_and(|labels| labels[..20].windows(2).any(|w| w[0] > w[1]))
    );
}

#[test]
fn a_subset_follows_its_indices() {
    let data = numbered(6, 2).normalised();
    let found = data.subset(&[5, 0, 5]);
    assert!(found.is_ok_and(|part| {
        part.image(0).unwrap() == data.image(5).unwrap()
            && part.image(1).unwrap() == data.image(0).unwrap()
            && part.image(2).unwrap() == data.image(5).unwrap()
            && part.len() == 3
    }));
    assert_eq!(refusal(data.subset(&[6])), "there is no sample 6 among 6");
    assert_eq!(
        refusal(data.subset(&[])),
        "a data set needs samples: found 0 of shape [2, 1, 2]"
    );
}

#[test]
fn normalised_channels_have_mean_zero_and_deviation_one() {
    let data = digits().normalised();
    let values: Vec<f64> = data
        .iter()
        .flat_map(|s| s.unwrap().values().to_vec())
        .map(f64::from)
        .collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    assert!(
        mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5,
        "{mean} {variance}"
    );
}

#[test]
fn each_channel_has_its_own_normalisation() {
    // Channel 0 holds 0, 1, 1, 1 and channel 1 is −2, ½, −2, ½.
    let data = numbered(2, 1);
    let found = data.mean_std();
    assert_eq!(found.mean, [0.75, -0.75]);
    assert_eq!(found.std, [0.1875_f32.sqrt(), 1.25]);
    let sample = data.normalised().image(0).unwrap();
    let expected = [
        -0.75 / 0.1875_f32.sqrt(),
        0.25 / 0.1875_f32.sqrt(),
        -1.0,
        1.0,
    ];
    for (found, expected) in sample.values().iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn a_normalisation_is_passed_on_and_checked() {
    let train = numbered(8, 1).normalised();
    let test = numbered(3, 1).normalised_like(&train);
    assert!(test.is_ok_and(|test| test.normalisation() == train.normalisation()));
    let plain = train.clone().normalised_like(&numbered(1, 1));
    assert!(plain.is_ok_and(|plain| plain.normalisation().is_none()));

    let with = |mean: &[f32], std: &[f32]| {
        let normalisation = Normalisation {
            mean: mean.to_vec(),
            std: std.to_vec(),
        };
        refusal(numbered(1, 1).with_normalisation(normalisation))
    };
    assert_eq!(
        with(&[0.0], &[1.0, 1.0]),
        "a normalisation of 1 means and 2 deviations does not fit samples of 2 channels"
    );
    let zero = "channel 1 cannot be normalised with mean 0 and deviation 0";
    assert_eq!(with(&[0.0; 2], &[1.0, 0.0]), zero);
    assert!(with(&[0.0; 2], &[1.0, f32::NAN]).ends_with("deviation NaN"));
    assert!(with(&[0.0, f32::INFINITY], &[1.0, 1.0]).ends_with("mean inf and deviation 1"));
}

#[test]
fn an_epoch_visits_every_sample_once() {
    let data = numbered(50, 2);
    let mut order = data.order(Seed(1), 4);
    assert_ne!(order, data.order(Seed(1), 5));
    order.sort_unstable();
    assert_eq!(order, (0..50).collect::<Vec<_>>());
}
