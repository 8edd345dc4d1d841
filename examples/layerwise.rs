//! Greedy layer-wise pre-training: a deep network that does not learn from small random weights
//! learns from those of auto-encoders, each of which was trained on the codes of the one before,
//! without a label (Hinton, Osindero and Teh 2006; Bengio, Lamblin, Popovici and Larochelle,
//! "Greedy layer-wise training of deep networks", 2007). Then the whole is fine-tuned with labels.
//!
//! Since then laws such as He's have made deep networks learn without it, see the example
//! `he_against_xavier`. What remains of it is the way: weights from a task without labels.
//!
//! ```sh
//! cargo run --release --example layerwise
//! ```

use std::process::ExitCode;

use wgrad::checkpoint::LoadOptions;
use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::init::Init;
use wgrad::ops::MeanSquaredError;
use wgrad::random::Seed;
use wgrad::report::{Epoch, History, plot};
use wgrad::train::{Adam, Model, Sgd, Trainer};
use wgrad::{Device, Result};

/// Features of the hidden layers.
const WIDTHS: [usize; 6] = [56, 48, 40, 32, 24, 16];

/// Weights of a fixed small width, as they were usual then: through a layer of 64 features that
/// leaves 0.16 of a signal's variance.
const SMALL: Init = Init::Gaussian {
    mean: 0.0,
    std: 0.05,
};

const CODER_EPOCHS: u32 = 10;
const EPOCHS: u32 = 8;
const BATCH: usize = 32;

fn main() -> ExitCode {
    match compare() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The layers are named `linear1` to `linear7`.
fn network() -> Network {
    let mut net = Network::input([64]);
    for width in WIDTHS {
        net.linear(width).init(SMALL).tanh();
    }
    net.linear(10).init(SMALL);
    net
}

fn compare() -> Result<()> {
    println!(
        "To expect: from small random weights the network is still guessing after {EPOCHS} epochs,\n\
         10 % of the digits. From the weights of {} auto-encoders it recognises more than 90 %.\n",
        WIDTHS.len()
    );
    let device = Device::open()?;
    println!("device: {}", device.description());
    let (train, test) = wgrad::data::digits().split(0.8, Seed(7));
    let train = train.normalised();
    let test = test.normalised_like(&train)?;
    let (train, test) = (flat(&train)?, flat(&test)?);

    println!("\nfrom random weights:");
    let mut model = network().build(&device, Seed(1))?;
    let random = tune(&mut model, &train, &test)?;

    println!("\nlayer by layer, without labels:");
    let mut model = network().build(&device, Seed(1))?;
    let mut data = train.clone();
    for (layer, width) in (1..).zip(WIDTHS) {
        data = pre_train(&mut model, layer, width, &data)?;
    }
    println!("\nfrom these weights:");
    let trained = tune(&mut model, &train, &test)?;

    let both = plot::comparison(&[("auto-encoders' weights", &trained), ("random", &random)])?;
    both.save("out/layerwise.svg")?;
    println!("\ncurves of both: out/layerwise.svg");
    let accuracy = |history: &History| history.last().and_then(|epoch| epoch.test_accuracy);
    let [random, trained] = [&random, &trained].map(|h| accuracy(h).unwrap_or(0.0));
    println!(
        "{}: test accuracy {:.1} % from random weights, {:.1} % after pre-training",
        match random < 0.2 && trained > 0.9 {
            true => "as expected",
            false => "NOT AS EXPECTED",
        },
        100.0 * random,
        100.0 * trained
    );
    Ok(())
}

/// Teaches an auto-encoder to answer `data` with itself through a code of `width` numbers, and
/// takes the weights of its code over into the network. Gives back the codes of `data`.
fn pre_train(model: &mut Model, layer: usize, width: usize, data: &Dataset) -> Result<Dataset> {
    let (features, samples) = (data.shape(), values(data)?);
    let inputs = features.iter().product();
    let mirror = Dataset::regression(features, samples.clone(), features, samples)?;

    // Named as in the network, so that the weights find their place.
    let name = format!("linear{layer}");
    let mut net = Network::input(features);
    net.linear(width).name(&name).init(SMALL).tanh();
    net.linear(inputs).name("decoder").init(SMALL);
    let mut coder = net.build(model.device(), Seed(layer as u64))?;
    let run = Trainer::new(Adam::new(3e-3))
        .loss(MeanSquaredError::new())
        .epochs(CODER_EPOCHS)
        .batch_size(BATCH)
        .progress(false)
        .fit(&mut coder, &mirror, &mirror)?;
    let error = |epoch: Option<&Epoch>| epoch.map_or(f64::NAN, |epoch| epoch.train_loss);
    let epochs = &run.history;
    println!(
        "  {name}: {inputs} numbers through {width}, mean squared error {:.4} to {:.4}",
        error(epochs.epochs().first()),
        error(epochs.last()),
    );

    // Only the code's weights are in both.
    let shared = LoadOptions::new().strict(false);
    model.load_from(&coder, &shared)?;
    let mut encoder = net.up_to("tanh1")?.build(model.device(), Seed(0))?;
    encoder.load_from(&coder, &shared)?;
    let codes = encoder.predictor(&[256])?.predict_dataset(data)?;
    let codes = codes.iter().flat_map(|code| code.values().to_vec());
    labelled([width], codes.collect(), data)
}

/// Fine-tunes all layers with labels.
fn tune(model: &mut Model, train: &Dataset, test: &Dataset) -> Result<History> {
    let trainer = Trainer::new(Sgd::new(0.05).momentum(0.9))
        .epochs(EPOCHS)
        .batch_size(BATCH)
        .seed(1);
    println!("{}", trainer.signals(model, train)?.verdict_on_responses());
    let run = trainer.fit(model, train, test)?;
    println!("{}", run.history);
    Ok(run.history)
}

/// Images as lines of features.
fn flat(images: &Dataset) -> Result<Dataset> {
    labelled([images.sample_len()], values(images)?, images)
}

fn values(data: &Dataset) -> Result<Vec<f32>> {
    let all: Vec<u32> = (0..data.len() as u32).collect();
    Ok(data.batch(&all)?)
}

/// Other samples with the labels of `like`.
fn labelled(shape: [usize; 1], values: Vec<f32>, like: &Dataset) -> Result<Dataset> {
    let labels = like.labels().unwrap_or_default().to_vec();
    Ok(Dataset::from_f32(shape, values, labels, 10)?)
}
