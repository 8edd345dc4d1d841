//! A residual network on CIFAR-10: 60,000 colour images of 32×32, ten classes; ResNet-20 with the
//! augmentation and the update rule of He, Zhang, Ren and Sun, "Deep residual learning for image
//! recognition", 2016, section 4.2.
//!
//! ```sh
//! cargo run --release --example cifar10 -- [folder] [epochs]
//! ```
//!
//! The folder holds the binary version, `data_batch_1.bin` to `data_batch_5.bin` and
//! `test_batch.bin`; without one it is `cifar-10-batches-bin` in the folder that `WGRAD_DATA` names.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use wgrad::data::{Augment, Cifar, cifar_folder};
use wgrad::random::Seed;
use wgrad::report::plot;
use wgrad::train::{Sgd, Trainer, schedule};
use wgrad::{Device, Result, models};

const MISSING: &str = "\
This example wants CIFAR-10 in its binary version (162 MB), from
https://www.cs.toronto.edu/~kriz/cifar.html:

  curl -O https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz
  tar xzf cifar-10-binary.tar.gz
  cargo run --release --example cifar10 -- cifar-10-batches-bin [epochs]";

const EPOCHS: u32 = 10;
const BATCH: usize = 128;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let data = || Some(PathBuf::from(std::env::var_os("WGRAD_DATA")?).join("cifar-10-batches-bin"));
    let folder = arguments.next().map(PathBuf::from).or_else(data);
    let Some(folder) = folder.filter(|folder| folder.join("test_batch.bin").exists()) else {
        eprintln!("{MISSING}");
        return ExitCode::FAILURE;
    };
    let epochs = match arguments.next().map(|word| word.parse()) {
        None => EPOCHS,
        Some(Ok(epochs)) => epochs,
        Some(Err(_)) => {
            eprintln!("the second argument is the number of epochs");
            return ExitCode::FAILURE;
        }
    };
    match train(&folder, epochs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn train(folder: &Path, epochs: u32) -> Result<()> {
    println!(
        "To expect: the paper reaches 91.25 % after some 180 epochs. After one epoch the network is\n\
         far above guessing, which is right for 10 %. An image takes 250 MFLOP: a GPU is advised;\n\
         on two CPU cores an epoch takes some minutes.\n"
    );
    // A fifth is held out: it says how far the training is, and the test images stay unseen. The
    // rest fits into a buffer of 128 MiB, all that some drivers give.
    let (known, test) = cifar_folder(Cifar::Ten, folder)?;
    let (train, held_out) = known.stratified_split(0.8, Seed(1));
    let train = train.normalised();
    let held_out = held_out.normalised_like(&train)?;
    let test = test.normalised_like(&train)?;
    println!(
        "{} images to learn from, {} held out, {} to test",
        train.len(),
        held_out.len(),
        test.len()
    );

    let device = Device::open()?;
    println!("device: {}", device.description());
    let mut model = models::resnet20([3, 32, 32], 10).build(&device, Seed(1))?;
    let steps = u64::from(epochs) * (train.len() / BATCH) as u64;
    let run = Trainer::new(Sgd::new(0.1).momentum(0.9).weight_decay(1e-4))
        .epochs(epochs)
        .batch_size(BATCH)
        .augment(Augment::new().crop(4).flip())
        .schedule(schedule::cosine(steps, 0.0))
        .checkpoints("out/cifar10", wgrad::train::Every::Epochs(1))
        .seed(1)
        .fit(&mut model, &train, &held_out)?;
    println!("{run}");
    plot::curves(&run.history, "out/cifar10.svg")?;
    model.save("out/cifar10.safetensors")?;
    println!("curves and weights: out/cifar10.svg, out/cifar10.safetensors");

    let evaluation = model.evaluate(&test)?;
    if let Some(confusion) = &evaluation.confusion {
        println!("\n{confusion}");
    }
    let accuracy = evaluation.accuracy.unwrap_or(0.0);
    let wanted = if epochs >= 150 { 0.9 } else { 0.3 };
    println!(
        "{}: test accuracy {:.2} % after {epochs} epochs",
        match accuracy > wanted {
            true => "as expected",
            false => "NOT AS EXPECTED",
        },
        100.0 * accuracy
    );
    Ok(())
}
