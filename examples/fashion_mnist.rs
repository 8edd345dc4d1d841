//! Trains a network of two convolutions on Fashion-MNIST: 60,000 images of 28×28, ten classes.
//!
//! ```sh
//! WGRAD_DATA=<folder> cargo run --release --example fashion_mnist -- [epochs]
//! ```
//!
//! The folder holds `fashion-mnist` with the four files as published
//! (<https://github.com/zalandoresearch/fashion-mnist>), gzipped or not. With the feature
//! `download`, `wgrad::data::Download::named("fashion-mnist", folder)` fetches them there.

use std::path::PathBuf;
use std::process::ExitCode;

use wgrad::data::{Classes, idx_folder};
use wgrad::graph::Network;
use wgrad::random::Seed;
use wgrad::report::Epoch;
use wgrad::train::{Sgd, Trainer};
use wgrad::{Device, Result};

/// Test accuracies of PyTorch 2.15 with the same network, law of initialisation, rate and batch,
/// after one, two and three epochs.
const EXPECTED: [f64; 3] = [0.880, 0.902, 0.908];

fn main() -> ExitCode {
    let Some(folder) = std::env::var_os("WGRAD_DATA") else {
        eprintln!("set WGRAD_DATA to the folder that holds `fashion-mnist`");
        return ExitCode::FAILURE;
    };
    let epochs = match std::env::args().nth(1).map(|word| word.parse()) {
        None => EXPECTED.len() as u32,
        Some(Ok(epochs)) => epochs,
        Some(Err(_)) => {
            eprintln!("the argument is the number of epochs");
            return ExitCode::FAILURE;
        }
    };
    match train(&PathBuf::from(folder).join("fashion-mnist"), epochs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[rustfmt::skip]
fn network() -> Network {
    let mut net = Network::input([1, 28, 28]);
    net.conv(32, 3).padding(1).prelu().max_pool(2)
       .conv(64, 3).padding(1).prelu().max_pool(2)
       .linear(128).shared_prelu()
       .linear(10);
    net
}

fn train(folder: &std::path::Path, epochs: u32) -> Result<()> {
    println!(
        "To expect: the test accuracies of PyTorch with the same network, law of initialisation,\n\
         rate and batch, {EXPECTED:?} after one, two and three epochs; seeds differ by some\n\
         0.003. On two CPU cores an epoch takes about 75 s.\n"
    );
    let (train, test) = idx_folder(folder, Classes::fashion_mnist())?;
    let train = train.normalised();
    let test = test.normalised_like(&train)?;
    println!(
        "{} images to learn from, {} to test",
        train.len(),
        test.len()
    );

    let device = Device::open()?;
    println!("device: {}", device.description());
    let net = network();
    println!("\n{}\n", net.summary()?);

    let mut model = net.build(&device, Seed(42))?;
    let run = Trainer::new(Sgd::new(0.01).momentum(0.9))
        .epochs(epochs)
        .batch_size(64)
        .seed(42)
        .fit(&mut model, &train, &test)?;
    println!("{run}\n");
    let evaluation = run.evaluation.as_ref();
    if let Some(confusion) = evaluation.and_then(|evaluation| evaluation.confusion.as_ref()) {
        println!("what is taken for what:\n{confusion}");
    }
    let mut reached = run.history.epochs().iter().zip(EXPECTED);
    let close = |(epoch, expected): (&Epoch, f64)| epoch.test_accuracy >= Some(expected - 0.01);
    let accuracy = evaluation.and_then(|evaluation| evaluation.accuracy);
    println!(
        "{}: test accuracy {:.2} %",
        match reached.len() > 0 && reached.all(close) {
            true => "as expected",
            false => "NOT AS EXPECTED",
        },
        100.0 * accuracy.unwrap_or(0.0)
    );
    Ok(())
}
