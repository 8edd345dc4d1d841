use std::collections::BTreeMap;

use super::*;

/// The events of a file, whose checksums must be right.
fn events(bytes: &[u8]) -> Vec<Event> {
    let mut rest = bytes;
    let mut events = Vec::new();
    while let Some((length, _)) = rest.split_first_chunk::<8>() {
        let end = 12 + u64::from_le_bytes(*length) as usize;
        let event = Event::decode(&rest[12..end]).unwrap();
        assert_eq!(record(&event), rest[..end + 4]);
        rest = &rest[end + 4..];
        events.push(event);
    }
    events
}

/// Values by tag and step; the places of histograms hold their counts.
fn values(events: &[Event]) -> BTreeMap<(String, i64), Vec<f32>> {
    let mut values = BTreeMap::new();
    for event in events {
        let Some(What::Summary(summary)) = &event.what else {
            continue;
        };
        for value in &summary.value {
            let numbers = match &value.value {
                Some(Value::Scalar(number)) => vec![*number],
                Some(Value::Histogram(histogram)) => {
                    histogram.bucket.iter().map(|&count| count as f32).collect()
                }
                other => panic!("{other:?}"),
            };
            let kind = if numbers.len() > 1 { " histogram" } else { "" };
            let key = (format!("{}{kind}", value.tag), event.step);
            assert!(values.insert(key, numbers).is_none(), "{value:?} twice");
        }
    }
    values
}

/// What the package `tensorboard` wrote of the same events, see `tests/golden/make_events.py`.
#[test]
fn records_are_those_of_tensorboard() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/events.tfevents");
    let summary = |tag: &str, value| {
        let tag = tag.to_owned();
        let value = vec![SummaryValue { tag, value }];
        What::Summary(Summary { value })
    };
    let histogram = HistogramProto {
        min: -1.5,
        max: 2.0,
        num: 3.0,
        sum: 0.5,
        sum_squares: 6.25,
        bucket_limit: vec![0.0, 2.0],
        bucket: vec![2.0, 1.0],
    };
    let image = proto::Image {
        height: 2,
        width: 3,
        colorspace: 4,
        encoded_image_string: vec![137, 80, 78, 71],
    };
    let written = [
        (0, What::FileVersion("brain.Event:2".to_owned())),
        (
            0,
            What::SessionLog(SessionLog {
                status: SessionLog::START,
            }),
        ),
        (1 << 40, summary("loss/step", Some(Value::Scalar(0.1)))),
        (
            300,
            summary("slopes/prelu1", Some(Value::Histogram(histogram))),
        ),
        (7, summary("filters", Some(Value::Image(image)))),
    ];
    let records = written.map(|(step, what)| {
        record(&Event {
            wall_time: 1_700_000_000.25,
            step,
            what: Some(what),
        })
    });
    assert_eq!(records.concat(), std::fs::read(golden).unwrap());
}

fn history(epochs: u32) -> History {
    let mut history = History::default();
    for number in 1..=epochs {
        let step = 2 * u64::from(number);
        history.push_losses(step, &[3.0, f32::NAN]);
        let layer = |layer: &str, slopes: Vec<f32>| LayerSlopes {
            epoch: number,
            step,
            layer: layer.to_owned(),
            slopes,
        };
        history.push_slopes(layer("a", vec![0.25]));
        history.push_slopes(layer("b.c", vec![0.0, 3.0, 3.0, f32::NAN]));
        history.push(Epoch {
            epoch: number,
            step,
            train_loss: 1.5,
            test_accuracy: (number == 2).then_some(0.5),
            learning_rate: 0.1,
            images_per_second: 1e5,
            ..Epoch::default()
        });
    }
    history
}

#[test]
fn a_history_that_grows_is_written_once() {
    let folder = crate::data::testing::Folder::new();
    let mut file = EventFile::create(folder.path().join("a/b")).unwrap();
    let name = file.path().file_name().unwrap().to_string_lossy();
    assert!(name.starts_with("events.out.tfevents."), "{name}");
    let mut lengths = vec![std::fs::read(file.path()).unwrap().len()];
    for epochs in [1, 2, 2] {
        file.history(&history(epochs)).unwrap();
        file.flush().unwrap();
        lengths.push(std::fs::read(file.path()).unwrap().len());
    }
    assert!(0 < lengths[0] && lengths[0] < lengths[1] && lengths[1] < lengths[2]);
    assert_eq!(lengths[2], lengths[3]);

    let events = events(&std::fs::read(file.path()).unwrap());
    let version = What::FileVersion("brain.Event:2".to_owned());
    assert_eq!(events[0].what, Some(version));
    let values = values(&events);
    let tags = 2 + 2 + 1 + 3;
    // The steps' losses, slopes and a histogram, three figures; in epoch 2 an accuracy too.
    assert_eq!(values.len(), 2 * tags + 1, "{values:?}");
    let at = |tag: &str, step| values[&(tag.to_owned(), step)].as_slice();
    assert_eq!(at("loss/step", 3), [3.0]);
    assert!(at("loss/step", 4)[0].is_nan());
    assert_eq!(at("loss/train", 4), [1.5]);
    assert_eq!(at("accuracy/test", 4), [0.5]);
    assert_eq!(at("learning_rate", 2), [0.1]);
    assert_eq!(at("images_per_second", 2), [1e5]);
    assert_eq!(at("slopes/a", 2), [0.25]);
    assert!(at("slopes/b.c", 2)[0].is_nan());
    let counts = at("slopes/b.c histogram", 2);
    assert_eq!((counts[0], counts[29], counts.len()), (1.0, 2.0, 30));
}

#[test]
fn buckets_hold_every_number_up_to_their_limits() {
    for values in [&[0.0; 3][..], &[1e30, 1e30], &[-5.0, 0.0, 4.0, 4.0], &[7.0]] {
        let histogram = histogram(values).unwrap();
        assert_eq!(histogram.bucket.iter().sum::<f64>(), values.len() as f64);
        let limits = &histogram.bucket_limit;
        assert!(
            limits.windows(2).all(|pair| pair[0] < pair[1]),
            "{limits:?}"
        );
        // Rounding may leave the largest number a hair above the last limit.
        let (max, width) = (histogram.max, limits[1] - limits[0]);
        assert!(
            limits[0] > histogram.min && limits[29] >= max - 1e-6 * width,
            "{histogram:?}"
        );
    }
    let spread = histogram(&[0.0, 1.5, 2.5, 30.0]).unwrap();
    let filled: Vec<usize> = (0..30).filter(|&i| spread.bucket[i] > 0.0).collect();
    assert_eq!(filled, [0, 1, 2, 29]);
    assert_eq!(histogram(&[f32::NAN]), None);
}

#[test]
fn a_folder_that_cannot_be() {
    let folder = crate::data::testing::Folder::new();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = EventFile::create(&file).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("cannot write {}", file.display())),
        "{error}"
    );
}
