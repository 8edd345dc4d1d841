//! "He against Xavier": a plain network of thirty layers with weights learns from He's
//! initialisation and stalls from Xavier's, as in figure 3 of He, Zhang, Ren and Sun, "Delving deep
//! into rectifiers", 2015.
//!
//! Xavier's variance, 1/n, leaves out that a ReLU halves the mean square of what it passes on. Each
//! layer halves it anew, so that 2⁻²⁹ is left behind twenty-nine of them, and of the gradients on
//! their way back as well. He's variance, 2/n, makes up for that.
//!
//! ```sh
//! cargo run --release --example he_against_xavier
//! ```

use std::process::ExitCode;

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::init::{Fan, Init};
use wgrad::random::Seed;
use wgrad::report::{History, plot};
use wgrad::train::{Sgd, Trainer, schedule};
use wgrad::{Device, Result};

/// Layers with weights: three convolutions, the others fully connected.
const LAYERS: usize = 30;
const EPOCHS: u32 = 15;
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

/// The convolutions go without padding, from 8×8 to 6×6, 4×4 and 2×2: zeros around an image take a
/// part of the signal too, and that is not what is to be seen here.
fn network(init: &Init) -> Network {
    let mut net = Network::input([1, 8, 8]);
    for _ in 0..3 {
        net.conv(32, 3).init(init.clone()).relu();
    }
    for _ in 3..LAYERS - 1 {
        net.linear(128).init(init.clone()).relu();
    }
    net.linear(10).init(init.clone());
    net
}

fn compare() -> Result<()> {
    println!(
        "To expect: by Xavier's law the last layer's responses have about 2^-29 = 2e-9 of the\n\
         first's variance, and the loss stays at ln 10 = 2.303, that of guessing. By He's law the\n\
         network learns, and recognises more than 80 % of the digits.\n"
    );
    let device = Device::open()?;
    println!("device: {}", device.description());
    let (train, test) = wgrad::data::digits().split(0.8, Seed(7));
    let train = train.normalised();
    let test = test.normalised_like(&train)?;

    let he = learn(&device, "he", &Init::he(), &train, &test)?;
    // Its width by the fan-in alone, as in Caffe and in the paper.
    let xavier = learn(
        &device,
        "xavier",
        &Init::caffe_xavier(Fan::In),
        &train,
        &test,
    )?;
    let picture = plot::comparison(&[("He, 2/n", &he), ("Xavier, 1/n", &xavier)])?;
    picture.save("out/he_against_xavier.svg")?;
    println!("\ncurves of both: out/he_against_xavier.svg");

    let last = |history: &History| history.last().copied().unwrap_or_default();
    let accuracy = last(&he).test_accuracy.unwrap_or(0.0);
    let stalled = last(&xavier).train_loss;
    println!(
        "{}: by He's law {:.1} % of the test digits are recognised; by Xavier's the loss is {stalled:.3}",
        match accuracy > 0.8 && stalled > 2.25 {
            true => "as expected",
            false => "NOT AS EXPECTED",
        },
        100.0 * accuracy,
    );
    Ok(())
}

/// How signals pass through the network before the first step, and what it learns then.
fn learn(
    device: &Device,
    law: &str,
    init: &Init,
    train: &Dataset,
    test: &Dataset,
) -> Result<History> {
    println!("\n{LAYERS} layers by the law of {law}:");
    let mut model = network(init).build(device, Seed(1))?;
    let steps = u64::from(EPOCHS) * (train.len() / BATCH) as u64;
    let trainer = Trainer::new(Sgd::new(0.01).momentum(0.9))
        .epochs(EPOCHS)
        .batch_size(BATCH)
        .seed(1)
        .schedule(schedule::cosine(steps, 0.0));
    let signals = trainer.signals(&model, train)?;
    println!("{}", signals.verdict_on_responses());
    println!("{}", signals.verdict_on_gradients());
    let path = format!("out/{law}_signals.svg");
    signals.plot(&path)?;
    println!("variances by layer: {path}");
    let run = trainer.fit(&mut model, train, test)?;
    println!("{}", run.history);
    Ok(run.history)
}
