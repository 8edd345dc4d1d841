//! Augmentation on the device against the same draws applied by hand.

use wgrad::data::{Augment, Dataset};
use wgrad::graph::{Element, Graph, Network, ValueType, Var};
use wgrad::layout::Layout;
use wgrad::ops::training::{Gather, Stored};
use wgrad::random::Seed;
use wgrad::shape::Shape;
use wgrad::train::{Sgd, Trainer};
use wgrad::{Device, Session, SessionOptions};

use super::setup::{bits, classified, normal, parameters};
use crate::support::gpu::device;

const SHAPE: [usize; 3] = [3, 7, 10];
const SAMPLES: usize = 6;
const BATCH: usize = 4;
/// Scale, mean, 1/std by channel.
const SCALES: [f32; 12] = [0.5, 0.25, 2.0, 0.0, 1.0, -1.0, 0.5, 0.0, 2.0, 0.0, 4.0, 0.0];

fn row(graph: &mut Graph, name: &str, len: usize, element: Element) -> Var {
    let shape = Shape::from(len);
    let value_type = ValueType {
        layout: Layout::row_major(&shape),
        shape,
        batched: false,
        element,
    };
    graph.persistent(name, value_type, name, 0)
}

/// What the device makes of the batch.
fn fetch(device: &Device, samples: &[f32], order: &[u32], augment: Augment, step: u32) -> Vec<f32> {
    let mut graph = Graph::new();
    let stored = row(&mut graph, "samples", samples.len(), Element::F32);
    let scales = row(&mut graph, "scales", SCALES.len(), Element::F32);
    let places = row(&mut graph, "order", order.len(), Element::U32);
    let gather = Gather {
        shape: Shape::from(SHAPE),
        stored: Stored::F32,
        augment,
        white: 1.0,
    };
    let batch = graph.apply("input", gather, &[stored, scales, places]);
    let options = SessionOptions::training(BATCH).guarded();
    let session = Session::new(device, &graph, &[batch], options).unwrap();
    session.set(stored, samples).unwrap();
    session.set(scales, &SCALES).unwrap();
    session.set_indices(places, order).unwrap();
    session.set_random_state(Seed(11), step).unwrap();
    session.run().unwrap();
    session.check_guards().unwrap();
    session.get(batch).unwrap()
}

/// The same by the definition.
fn expected(samples: &[f32], order: &[u32], augment: Augment, side: usize, step: u32) -> Vec<f32> {
    let [channels, height, width] = SHAPE;
    let mut batch = Vec::new();
    for (place, &sample) in order.iter().take(BATCH).enumerate() {
        let drawn = augment.draw(Seed(11), step, place as u32, [height, width]);
        let image = &samples[sample as usize * channels * height * width..];
        for c in 0..channels {
            for row in 0..height {
                for column in 0..width {
                    let near = |position: usize, centre: usize| {
                        let distance = position as i64 - centre as i64 + side as i64 / 2;
                        (0..side as i64).contains(&distance)
                    };
                    if near(row, drawn.covered[0]) && near(column, drawn.covered[1]) {
                        batch.push(0.0);
                        continue;
                    }
                    let from = if drawn.flipped {
                        width - 1 - column
                    } else {
                        column
                    };
                    let (i, j) = (row as i64 + drawn.shift[0], from as i64 + drawn.shift[1]);
                    let inside = (0..height as i64).contains(&i) && (0..width as i64).contains(&j);
                    let at = (c * height) as i64 * width as i64 + i * width as i64 + j;
                    let raw = if inside { image[at as usize] } else { 0.0 };
                    batch.push((raw * SCALES[4 * c] - SCALES[4 * c + 1]) * SCALES[4 * c + 2]);
                }
            }
        }
    }
    batch
}

#[test]
fn images_are_moved_mirrored_and_covered_as_drawn() {
    let Some(device) = device() else { return };
    let samples = normal(&[SAMPLES, SHAPE[0], SHAPE[1], SHAPE[2]], 3);
    let order = [5, 0, 3, 3, 1, 2];
    let cases = [
        (Augment::new(), 0),
        (Augment::new().crop(2), 0),
        (Augment::new().flip(), 0),
        (Augment::new().cutout(5), 5),
        (Augment::new().crop(12).flip().cutout(4), 4),
    ];
    for (augment, side) in cases {
        for step in [0, 7] {
            let found = fetch(device, &samples, &order, augment, step);
            let wanted = expected(&samples, &order, augment, side, step);
            assert_eq!(bits(&found), bits(&wanted), "{augment:?} step {step}");
        }
    }
}

/// Over many draws every shift, both sides and every centre come up, about equally often.
#[test]
fn draws_cover_their_range_evenly() {
    let augment = Augment::new().crop(2).flip().cutout(3);
    let (mut shifts, mut flips, mut centres) = ([0_u32; 5], 0_u32, [0_u32; 7]);
    let draws = 7_000;
    for i in 0..draws {
        let drawn = augment.draw(Seed(1), i / 64, i % 64, [7, 9]);
        shifts[(drawn.shift[0] + 2) as usize] += 1;
        flips += u32::from(drawn.flipped);
        centres[drawn.covered[0]] += 1;
        assert!(drawn.shift[1].abs() <= 2 && drawn.covered[1] < 9);
    }
    // Five standard deviations of a binomial count.
    let fits = |count: u32, share: f64| {
        let n = f64::from(draws);
        (f64::from(count) - n * share).abs() < 5.0 * (n * share * (1.0 - share)).sqrt()
    };
    assert!(shifts.iter().all(|&c| fits(c, 0.2)), "{shifts:?}");
    assert!(centres.iter().all(|&c| fits(c, 1.0 / 7.0)), "{centres:?}");
    assert!(fits(flips, 0.5), "{flips}");
}

#[test]
fn augmented_trainings_repeat_and_differ_from_plain_ones() {
    let Some(device) = device() else { return };
    let data = classified(16, &[2, 8, 8], 4);
    let run = |augment: Augment| {
        let mut network = Network::input([2, 8, 8]);
        network.conv(4, 3).relu().linear(4);
        let mut model = network.build(device, 3).unwrap();
        let trainer = Trainer::new(Sgd::new(0.1)).batch_size(8).augment(augment);
        let mut training = trainer.start(&mut model, &data).unwrap();
        for _ in 0..6 {
            training.step().unwrap();
        }
        bits(&parameters(training.model())["linear1.weight"])
    };
    let augment = Augment::new().crop(2).flip();
    assert_eq!(run(augment), run(augment));
    assert_ne!(run(augment), run(Augment::new()));
}

#[test]
fn features_cannot_be_augmented() {
    let Some(device) = device() else { return };
    let data: Dataset = classified(8, &[5], 2);
    let mut network = Network::input(5);
    network.linear(2);
    let mut model = network.build(device, 3).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).augment(Augment::new().flip());
    let error = trainer.start(&mut model, &data).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "only images can be augmented, the samples have shape [5]"
    );
}
