//! Turning, scaling, recolouring and erasing on the device against the f64 reference, for random
//! shapes and settings.

use proptest::prelude::*;
use wgrad::data::{Augment, Augmentation, Dataset, Erasing, Fill};
use wgrad::graph::{Element, Graph, Network, ValueType, Var};
use wgrad::layout::Layout;
use wgrad::ops::training::{Gather, Stored};
use wgrad::random::Seed;
use wgrad::shape::Shape;
use wgrad::train::{Sgd, Trainer};
use wgrad::{Device, Session, SessionOptions};

use super::setup::{bits, classified, parameters};
use crate::reference::augment::{Affine, brightness, contrast, resampled, saturation};
use crate::reference::{Tensor, philox};
use crate::support::compare::{Tolerance, compare};
use crate::support::gpu::device;

const SEED: u64 = 0x0123_4567_89ab_cdef;
const STREAM: u32 = 0x4155_474d;

/// Images and how they are changed.
#[derive(Clone, Debug)]
struct Case {
    shape: [usize; 3],
    batch: usize,
    step: u32,
    augment: Augment,
    /// As the builder was told.
    edge: bool,
    side: usize,
    fill: Fill,
    /// Whether the images are bytes.
    bytes: bool,
}

impl Case {
    fn new(shape: [usize; 3], augment: Augment) -> Self {
        Self {
            shape,
            batch: 3,
            step: 5,
            augment,
            edge: false,
            side: 0,
            fill: Fill::Mean,
            bytes: false,
        }
    }

    /// What the images are multiplied by, so that white is 1: bytes, or numbers from 0 to 2.
    fn scale(&self) -> f32 {
        if self.bytes { 1.0 / 255.0 } else { 0.5 }
    }

    fn size(&self) -> [usize; 2] {
        [self.shape[1], self.shape[2]]
    }

    /// The values that the device holds.
    fn images(&self) -> Vec<f32> {
        let shape = [&[self.batch][..], &self.shape].concat();
        let normal = Tensor::normal(&shape, 9).to_f32();
        let numbers = normal.iter().map(|x| (x + 1.0).clamp(0.0, 2.0));
        match self.bytes {
            true => numbers.map(|x| (x * 127.5).round()).collect(),
            false => numbers.collect(),
        }
    }

    /// `[scale, mean, 1/std, 0]` by channel.
    fn scales(&self) -> Vec<f32> {
        let of_channel = |c: usize| {
            [
                self.scale(),
                0.4 + 0.05 * c as f32,
                4.0 - 0.5 * c as f32,
                0.0,
            ]
        };
        (0..self.shape[0]).flat_map(of_channel).collect()
    }

    fn draws(&self) -> Vec<Augmentation> {
        let draw = |place| {
            let place = place as u32;
            self.augment.draw(Seed(SEED), self.step, place, self.size())
        };
        (0..self.batch).map(draw).collect()
    }

    /// What the device makes of the batch, sample n being image n.
    fn found(&self, device: &Device) -> Vec<f32> {
        let mut graph = Graph::new();
        let images = self.images();
        let (stored, words): (_, Vec<u32>) = match self.bytes {
            false => (Stored::F32, bits(&images)),
            true => {
                let bytes: Vec<u8> = images.iter().map(|x| *x as u8).collect();
                let word = |chunk: &[u8]| {
                    let bytes = [0, 1, 2, 3].map(|i| chunk.get(i).copied().unwrap_or(0));
                    u32::from_le_bytes(bytes)
                };
                (Stored::U8, bytes.chunks(4).map(word).collect())
            }
        };
        let samples = row(&mut graph, "samples", words.len(), Element::U32);
        let scales = row(&mut graph, "scales", 4 * self.shape[0], Element::F32);
        let order = row(&mut graph, "order", self.batch, Element::U32);
        let gather = Gather {
            shape: Shape::from(self.shape),
            stored,
            augment: self.augment,
            white: 1.0,
        };
        let result = graph.apply("input", gather, &[samples, scales, order]);
        let options = SessionOptions::training(self.batch).guarded();
        let session = Session::new(device, &graph, &[result], options).unwrap();
        session.set_indices(samples, &words).unwrap();
        session.set(scales, &self.scales()).unwrap();
        let places: Vec<u32> = (0..self.batch as u32).collect();
        session.set_indices(order, &places).unwrap();
        session.set_random_state(Seed(SEED), self.step).unwrap();
        session.run().unwrap();
        session.check_guards().unwrap();
        session.get(result).unwrap()
    }

    /// The same by the definition, for these draws.
    fn expected(&self, draws: &[Augmentation]) -> Vec<f64> {
        let len = self.shape.iter().product();
        let images = self.images();
        let places = images.chunks(len).zip(draws).enumerate();
        places
            .flat_map(|(place, (image, drawn))| self.changed(place, image, drawn).data)
            .collect()
    }

    fn changed(&self, place: usize, image: &[f32], drawn: &Augmentation) -> Tensor {
        let image = Tensor::from_f32(&self.shape, image).map(|x| x * f64::from(self.scale()));
        let [height, width] = self.size();
        let affine = Affine {
            angle: drawn.angle,
            translation: [drawn.translation[1], drawn.translation[0]],
            scale: drawn.scale,
            shear: drawn.shear,
        };
        let mirror = |on: bool, at: f64, length: usize| match on {
            true => length as f64 - 1.0 - at,
            false => at,
        };
        let image = resampled(&image, self.edge, |pixel| {
            let [row, column] = affine.source(pixel, [height, width]);
            let row = mirror(drawn.flipped_vertically, row, height);
            let column = mirror(drawn.flipped, column, width);
            [row + drawn.shift[0] as f64, column + drawn.shift[1] as f64]
        });
        let image = brightness(&image, drawn.brightness, 1.0);
        let image = contrast(&image, drawn.contrast, 1.0);
        let image = match self.shape[0] {
            3 => saturation(&image, drawn.saturation, 1.0),
            _ => image,
        };
        let scales = self.scales();
        Tensor::from_fn(&self.shape, |index| {
            let (channel, at) = (index[0], [index[1], index[2]]);
            let index = (channel * height + at[0]) * width + at[1];
            let [_, mean, inverse, _] = [0, 1, 2, 3].map(|i| f64::from(scales[4 * channel + i]));
            let normalised = |x: f64| (x - mean) * inverse;
            let within = |ends: [usize; 2], at: usize| (ends[0]..ends[1]).contains(&at);
            let erased = drawn.erased.as_ref();
            if erased.is_some_and(|e| within(e.rows, at[0]) && within(e.columns, at[1])) {
                return match self.fill {
                    Fill::Mean => 0.0,
                    Fill::Value(value) => normalised(value),
                    Fill::Random => normalised(self.random(place, channel, at)),
                };
            }
            // Rows and columns before the centre, and from it on.
            let near = |axis: usize| {
                let first = drawn.covered[axis] as i64 - self.side as i64 / 2;
                (first..first + self.side as i64).contains(&(at[axis] as i64))
            };
            match near(0) && near(1) {
                true => 0.0,
                false => normalised(image.data[index]),
            }
        })
    }

    /// What a channel of a pixel is erased by.
    fn random(&self, place: usize, channel: usize, at: [usize; 2]) -> f64 {
        let vectors = self.shape[0].div_ceil(4);
        let block = 8 + (at[0] * self.shape[2] + at[1]) * vectors + channel / 4;
        let counter = [place as u32, self.step, STREAM, block as u32];
        let words = philox::philox4x32_10(counter, [SEED as u32, (SEED >> 32) as u32]);
        f64::from(philox::uniform(words[channel % 4]))
    }
}

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

fn cases() -> impl Strategy<Value = Case> {
    let channels = prop::sample::select(vec![1_usize, 3, 3, 4, 5]);
    let fills = vec![Fill::Mean, Fill::Value(0.75), Fill::Random];
    let settings = (
        any::<[bool; 13]>(),
        prop::sample::select(fills),
        0.1..1.0_f64,
    );
    (
        channels,
        1..12_usize,
        1..12_usize,
        1..4_usize,
        0..9_u32,
        settings,
    )
        .prop_map(
            |(channels, height, width, batch, step, (on, fill, reach))| {
                let mut case = Case::new([channels, height, width], Augment::new());
                (case.batch, case.step, case.fill) = (batch, step, fill);
                let mut augment = Augment::new();
                let mut apply = |which: usize, change: &dyn Fn(Augment) -> Augment| {
                    if on[which] {
                        augment = change(augment);
                    }
                };
                apply(0, &|a| a.crop(2));
                apply(1, &|a| a.flip());
                apply(2, &|a| a.vertical_flip());
                apply(3, &|a| a.rotate(180.0 * reach));
                apply(4, &|a| a.scale(1.0 - 0.5 * reach, 1.0 + reach));
                apply(5, &|a| a.shear(30.0 * reach, 20.0));
                apply(6, &|a| a.translate(0.3, reach));
                apply(7, &|a| a.edge());
                apply(8, &|a| a.brightness(2.0 * reach));
                apply(9, &|a| a.contrast(2.0 * reach));
                if channels == 3 {
                    apply(10, &|a| a.saturation(2.0 * reach));
                }
                let boxes = Erasing::new(0.7).fill(fill);
                if height > 3 && width > 3 {
                    apply(11, &|a| a.erase(boxes));
                    case.side = step as usize % 5;
                    augment = augment.cutout(case.side);
                }
                (case.edge, case.bytes) = (on[7], on[12]);
                case.augment = augment;
                case
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn batches_are_changed_as_drawn(case in cases()) {
        let Some(device) = device() else { return Ok(()) };
        let found = case.found(device);
        let expected = case.expected(&case.draws());
        if let Err(error) = compare(&found, &expected, Tolerance::F32) {
            return Err(TestCaseError::fail(error.to_string()));
        }
        prop_assert_eq!(bits(&found), bits(&case.found(device)));
    }
}

/// Everything at once.
fn everything() -> Case {
    let augment = Augment::new()
        .crop(2)
        .flip()
        .vertical_flip()
        .rotate(30.0)
        .scale(0.8, 1.2)
        .shear(10.0, 10.0)
        .translate(0.1, 0.1)
        .edge()
        .brightness(0.4)
        .contrast(0.4)
        .saturation(0.4)
        .cutout(3)
        .erase(Erasing::new(1.0).fill(Fill::Random));
    Case {
        edge: true,
        side: 3,
        fill: Fill::Random,
        ..Case::new([3, 13, 11], augment)
    }
}

/// The comparison sees a number that is a little off, and each that is left out.
#[test]
fn faults_are_found() {
    let Some(device) = device() else { return };
    let case = everything();
    let found = case.found(device);
    let draws = case.draws();
    compare(&found, &case.expected(&draws), Tolerance::F32).unwrap();
    type Fault = fn(&mut Augmentation);
    let faults: [Fault; 13] = [
        |d| d.shift[0] += 1,
        |d| d.flipped = !d.flipped,
        |d| d.flipped_vertically = !d.flipped_vertically,
        |d| d.angle += 0.01,
        |d| d.angle = -d.angle,
        |d| d.scale *= 1.0003,
        |d| d.shear.swap(0, 1),
        |d| d.translation.swap(0, 1),
        |d| d.brightness += 1e-4,
        |d| d.contrast += 1e-4,
        |d| d.saturation += 1e-4,
        |d| d.covered[0] += 1,
        |d| d.erased = None,
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let mut wrong = draws.clone();
        wrong.iter_mut().for_each(fault);
        let outcome = compare(&found, &case.expected(&wrong), Tolerance::F32);
        assert!(outcome.is_err(), "fault {number}");
    }
    let black = Case {
        fill: Fill::Value(0.0),
        ..case.clone()
    };
    assert!(compare(&found, &black.expected(&draws), Tolerance::F32).is_err());
    let zeros = Case {
        edge: false,
        ..case
    };
    assert!(compare(&found, &zeros.expected(&draws), Tolerance::F32).is_err());
}

/// All kernels run, and every number that they use is that of no change.
#[test]
fn changes_too_small_to_see_give_the_plain_batch_in_every_bit() {
    let Some(device) = device() else { return };
    let little = 1e-30;
    let augment = Augment::new()
        .rotate(little)
        .shear(little, little)
        .brightness(little)
        .contrast(little)
        .saturation(little)
        .erase(Erasing::new(1e-9));
    for shape in [[3, 7, 10], [3, 6, 5]] {
        let plain = Case::new(shape, Augment::new()).found(device);
        let augmented = Case::new(shape, augment).found(device);
        assert_eq!(bits(&augmented), bits(&plain));
    }
}

#[test]
fn settings_that_change_nothing_change_no_command() {
    let Some(device) = device() else { return };
    let data = classified(8, &[3, 6, 6], 2);
    let commands = |augment: Augment| {
        let mut network = Network::input([3, 6, 6]);
        network.linear(2);
        let mut model = network.build(device, 3).unwrap();
        let trainer = Trainer::new(Sgd::new(0.1)).batch_size(4).augment(augment);
        let training = trainer.start(&mut model, &data).unwrap();
        training.recording().to_string()
    };
    let nothing = Augment::new().rotate(0.0).brightness(0.0).edge().cutout(0);
    assert_eq!(commands(nothing), commands(Augment::new()));
    assert_ne!(commands(nothing.flip()), commands(Augment::new()));
}

#[test]
fn trainings_on_bytes_repeat_and_follow_their_augmentation() {
    let Some(device) = device() else { return };
    let pixels = (0..16 * 192).map(|i| (i * 37 % 256) as u8).collect();
    let labels = (0..16).map(|i| i % 4).collect();
    let data = Dataset::images_u8([3, 8, 8], pixels, labels, 4).unwrap();
    let data = data.normalised();
    let run = |augment: Augment| {
        let mut network = Network::input([3, 8, 8]);
        network.linear(4);
        let mut model = network.build(device, 3).unwrap();
        let trainer = Trainer::new(Sgd::new(0.1)).batch_size(8).augment(augment);
        let mut training = trainer.start(&mut model, &data).unwrap();
        for _ in 0..6 {
            training.step().unwrap();
        }
        bits(&parameters(training.model())["linear1.weight"])
    };
    let all = everything().augment;
    assert_eq!(run(all), run(all));
    assert_ne!(run(all), run(all.contrast(0.0)));
}

#[test]
fn settings_that_do_not_suit_the_data_are_refused() {
    let Some(device) = device() else { return };
    let error = |data: &Dataset, augment: Augment| {
        let mut network = Network::input(data.shape());
        network.linear(2);
        let mut model = network.build(device, 3).unwrap();
        let trainer = Trainer::new(Sgd::new(0.1)).augment(augment);
        trainer
            .start(&mut model, data)
            .map(drop)
            .unwrap_err()
            .to_string()
    };
    let grey = Dataset::images_u8([1, 2, 2], vec![0; 8], vec![0, 1], 2).unwrap();
    assert_eq!(
        error(&grey, Augment::new().saturation(0.1)),
        "only images of three channels have a saturation, these have 1"
    );
    let numbers = Dataset::from_f32([1, 1, 1], vec![0.0, -2.0], vec![0, 1], 2).unwrap();
    assert_eq!(
        error(&numbers, Augment::new().contrast(0.1)),
        "images can be recoloured whose values lie between 0 and 1 before normalisation, sample 1 \
         has -2"
    );
}
