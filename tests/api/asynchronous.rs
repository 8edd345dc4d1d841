//! Everything that waits for the device has an asynchronous form, with the same outcome.

use wgrad::graph::{Graph, Network};
use wgrad::random::Seed;
use wgrad::train::{Sgd, Trainer};
use wgrad::{Device, DeviceOptions, Result, Session, SessionOptions};

use super::gpu;

fn network() -> Network {
    let mut net = Network::input([1, 8, 8]);
    net.conv(4, 3).batch_norm().prelu().max_pool(2).linear(10);
    net
}

fn trainer() -> Trainer {
    Trainer::new(Sgd::new(0.05).momentum(0.9))
        .epochs(1)
        .batch_size(20)
        .progress(false)
}

/// What a training leaves behind.
#[derive(Debug, PartialEq)]
struct Outcome {
    weights: Vec<f32>,
    mean: Vec<f32>,
    losses: Vec<f32>,
    accuracy: Option<f64>,
    answer: Vec<f32>,
}

async fn asynchronously() -> Result<Outcome> {
    let device = Device::open_async(&DeviceOptions::from_env()).await?;
    let (train, test) = wgrad::data::digits().split(0.1, Seed(1));
    let (test, _) = test.split(0.1, Seed(2));
    let mut model = network().build_async(&device, 3).await?;
    let trainer = trainer();
    trainer.fit_async(&mut model, &train, &test).await?;
    let mut training = trainer.start(&mut model, &train)?;
    training.step_async().await?;
    training.step_async().await?;
    let losses = training.losses_async().await?;
    let answers = model.predict_batch_async(test.image(0)?.values()).await?;
    Ok(Outcome {
        weights: model.parameter_async("conv1.weight").await?,
        mean: model.parameter_async("bn1.running_mean").await?,
        losses,
        accuracy: model.evaluate_async(&test).await?.accuracy,
        answer: answers[0].values().to_vec(),
    })
}

fn synchronously() -> Result<Outcome> {
    let device = Device::open()?;
    let (train, test) = wgrad::data::digits().split(0.1, Seed(1));
    let (test, _) = test.split(0.1, Seed(2));
    let mut model = network().build(&device, 3)?;
    let trainer = trainer();
    trainer.fit(&mut model, &train, &test)?;
    let mut training = trainer.start(&mut model, &train)?;
    training.step()?;
    training.step()?;
    let losses = training.losses()?;
    Ok(Outcome {
        weights: model.parameter("conv1.weight")?,
        mean: model.parameter("bn1.running_mean")?,
        losses,
        accuracy: model.evaluate(&test)?.accuracy,
        answer: model.predict(&test.image(0)?)?.values().to_vec(),
    })
}

#[test]
fn both_forms_have_one_outcome() {
    if gpu::device().is_none() {
        return;
    }
    let found = pollster::block_on(asynchronously()).unwrap();
    assert_eq!(found, synchronously().unwrap());
    assert_eq!(found.losses.len(), 2);
    assert!(found.accuracy > Some(0.2), "{:?}", found.accuracy);
}

#[test]
fn a_session_has_an_asynchronous_form() {
    if gpu::device().is_none() {
        return;
    }
    let run = async {
        let device = Device::open_async(&DeviceOptions::from_env()).await?;
        let mut graph = Graph::new();
        let x = graph.input("x", [2, 1, 2]);
        let y = graph.relu(x);
        let options = SessionOptions::training(1);
        let session = Session::new_async(&device, &graph, &[y], options).await?;
        session.set(x, &[-1.0, 2.0, -3.0, 4.0])?;
        session.run()?;
        session.get_async(y).await
    };
    assert_eq!(pollster::block_on(run).unwrap(), [0.0, 2.0, 0.0, 4.0]);
}

/// A device is shared by reference and across threads.
#[test]
fn models_train_side_by_side() {
    let Some(device) = gpu::device() else { return };
    let (data, _) = wgrad::data::digits().split(0.1, Seed(1));
    let train = |seed: u64| {
        let mut model = network().build(device, seed).unwrap();
        trainer().fit(&mut model, &data, &data).unwrap();
        model.parameter("linear1.weight").unwrap()
    };
    let alone = [train(1), train(2)];
    let together = std::thread::scope(|scope| {
        let threads = [1, 2].map(|seed| scope.spawn(move || train(seed)));
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(alone, together);
}
