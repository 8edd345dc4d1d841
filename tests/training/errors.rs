//! What a user reads who asks for something impossible.

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::ops::{
    BinaryCrossEntropy, Conv2d, HingeLoss, HuberLoss, L1Loss, MeanSquaredError,
    SoftmaxCrossEntropy, Upsample,
};
use wgrad::random::Seed;
use wgrad::train::{Adam, Loss, Model, Sgd, Trainer};
use wgrad::{Device, DeviceOptions};

use super::setup::{classified, normal};
use crate::support::gpu::device;

fn network_error(describe: impl FnOnce(&mut Network)) -> String {
    let mut net = Network::input([3, 8, 8]);
    describe(&mut net);
    net.summary().unwrap_err().to_string()
}

#[test]
fn layers_that_do_not_fit() {
    assert_eq!(
        network_error(|net| {
            net.conv(8, 5).max_pool(2).conv(8, 3);
        }),
        "layer `conv2` (conv2d): the filter of 3x3 (with dilation) is larger than the padded \
         input of 2x2",
    );
    assert_eq!(
        network_error(|net| {
            net.conv(8, 3).groups(2);
        }),
        "layer `conv1` (conv2d): 2 groups do not divide 3 input and 8 output channels",
    );
    assert_eq!(
        network_error(|net| {
            net.conv(8, 3).stride(0);
        }),
        "layer `conv1` (conv2d): the stride is 0x0, but must be at least 1x1",
    );
    let sum = Network::from_graph([3, 8, 8], |g, x| {
        let y = g.conv2d(x, Conv2d::new(8, 3).padding(1));
        g.add(x, y)
    });
    assert_eq!(
        sum.summary().unwrap_err().to_string(),
        "layer `add1` (add): the operands' shapes [3, 8, 8] and [8, 8, 8] differ",
    );
}

/// Extents whose product is beyond any number, and those that are only too many for the device.
#[test]
fn shapes_beyond_counting() {
    const HUGE: usize = 1 << 40;
    let refusal = |net: &Network| net.summary().unwrap_err().to_string();
    assert_eq!(
        refusal(Network::input([HUGE, HUGE, HUGE]).conv(3, 3)),
        "layer `input` (input): the shape [1099511627776, 1099511627776, 1099511627776] has more \
         elements than can be numbered in 32 bits",
    );
    assert_eq!(
        network_error(|net| {
            net.conv(HUGE, 3).max_pool(2).linear(HUGE);
        }),
        "the parameter `conv1.weight`: the shape [1099511627776, 3, 3, 3] has more elements than \
         can be numbered in 32 bits",
    );
    assert_eq!(
        network_error(|net| {
            net.linear(usize::MAX);
        }),
        "the parameter `linear1.weight`: the shape [18446744073709551615, 192] has more elements \
         than can be numbered in 32 bits",
    );
    let sizes: [fn(&mut Network); 4] = [
        |net| {
            net.upsample(Upsample::nearest_to([1 << 15, 1 << 15]))
                .relu();
        },
        |net| {
            net.zero_pad(1 << 17).batch_norm();
        },
        |net| {
            net.adaptive_mean_pool([1 << 15, 1 << 16]).conv(5, 3);
        },
        |net| {
            net.flatten().reshape([1 << 40, 1 << 40]);
        },
    ];
    for (number, describe) in sizes.into_iter().enumerate() {
        let refusal = network_error(describe);
        let says = ["numbered", "counted", "elements"]
            .iter()
            .any(|word| refusal.contains(word));
        assert!(
            says && refusal.starts_with("layer `"),
            "{number}: {refusal}"
        );
    }
}

/// A layer that is named by hand as another would be numbered.
#[test]
fn names_that_look_like_numbers() {
    let mut net = Network::input([3, 8, 8]);
    net.conv(2, 3)
        .name("conv1")
        .conv(4, 3)
        .name("conv3")
        .conv(5, 3)
        .conv(6, 1);
    let summary = net.summary().unwrap().to_string();
    let names: Vec<&str> = summary
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let convolutions = names.into_iter().filter(|name| name.starts_with("conv"));
    assert!(
        convolutions.eq(["conv1", "conv3", "conv2", "conv4"]),
        "{summary}"
    );
    assert_eq!(
        network_error(|net| {
            net.conv(8, 3).conv(8, 3).name("conv1");
        }),
        "two parameters are named `conv1.weight`; give one of the layers another name",
    );
}

#[test]
fn modifiers_after_a_layer_without_such_a_thing() {
    assert_eq!(
        network_error(|net| {
            net.conv(8, 3).relu().padding(1);
        }),
        "`padding` cannot be set: the layer before it, Relu, has none",
    );
    assert_eq!(
        network_error(|net| {
            net.stride(2).conv(8, 3);
        }),
        "`stride` cannot be set: there is no layer of a chain before it",
    );
    assert_eq!(
        Network::input([3, 8, 8]).summary().unwrap_err().to_string(),
        "the network has no layers",
    );
    assert_eq!(
        network_error(|net| {
            net.conv(8, 3).name("stem").conv(8, 3).name("stem");
        }),
        "two parameters are named `stem.weight`; give one of the layers another name",
    );
}

#[test]
fn data_that_contradict_themselves() {
    let error = Dataset::from_f32([2], vec![0.0; 6], vec![0, 1, 3], 3).unwrap_err();
    assert_eq!(
        error.to_string(),
        "sample 2 has label 3, but there are 3 classes, 0 to 2",
    );
    let error = Dataset::from_f32([2], vec![], vec![], 3).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a data set needs samples: found 0 of shape [2]",
    );
    let error = Dataset::regression([2], vec![1.0, f32::NAN], [1], vec![1.0]).unwrap_err();
    assert_eq!(error.to_string(), "sample 0 has the value NaN at element 1");
}

fn model(device: &Device) -> Model {
    let mut net = Network::input([1, 6, 6]);
    net.conv(5, 3).relu().linear(4);
    net.build(device, 1).unwrap()
}

/// What `start` says to these data, which `fit` and `evaluate` must say too.
fn data_error(device: &Device, loss: impl Into<Loss>, data: &Dataset) -> String {
    let mut model = model(device);
    let trainer = Trainer::new(Sgd::new(0.1)).loss(loss).epochs(1);
    let error = trainer.start(&mut model, data).unwrap_err().to_string();
    let fitted = trainer.fit(&mut model, data, data).unwrap_err();
    assert_eq!(fitted.to_string(), error);
    // Evaluation reports the loss of the last training, here the one of a model without any.
    if error.starts_with("softmax") || error.starts_with("the network's input") {
        assert_eq!(model.evaluate(data).unwrap_err().to_string(), error);
    }
    error
}

#[test]
fn data_that_do_not_fit_the_network() {
    let Some(device) = device() else { return };
    let cross_entropy = SoftmaxCrossEntropy::new;
    assert_eq!(
        data_error(device, cross_entropy(), &classified(4, &[3, 6, 6], 4)),
        "the network's input has shape [1, 6, 6], the data set's [3, 6, 6]",
    );
    let five_classes = classified(7, &[1, 6, 6], 5);
    assert_eq!(
        data_error(device, cross_entropy(), &five_classes),
        "softmax cross-entropy: the data set has 5 classes, the network only 4 outputs",
    );
    let trainer = Trainer::new(Sgd::new(0.1)).loss(cross_entropy().ignored(3));
    let mut ignoring = model(device);
    let error = trainer.start(&mut ignoring, &five_classes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "softmax cross-entropy: sample 4 has label 4, which is neither ignored nor one of the \
         network's 4 outputs",
    );
    let trainer = Trainer::new(Sgd::new(0.1)).loss(cross_entropy().ignored(4));
    assert!(trainer.start(&mut model(device), &five_classes).is_ok());
    let (a, b) = classified(1, &[1, 6, 6], 4).split(0.5, Seed(1));
    let empty = [a, b].into_iter().find(Dataset::is_empty).unwrap();
    assert_eq!(
        data_error(device, cross_entropy(), &empty),
        "a data set needs samples: found 0 of shape [1, 6, 6]",
    );
}

/// What is wrong with the answers, for every loss.
#[test]
fn answers_that_do_not_suit_the_loss() {
    let Some(device) = device() else { return };
    let values = |outputs: usize| {
        let targets = normal(&[4, outputs], 2);
        Dataset::regression([1, 6, 6], normal(&[4, 36], 1), [outputs], targets).unwrap()
    };
    let labels = classified(4, &[1, 6, 6], 4);
    let of_labels: [(&str, Loss); 2] = [
        ("softmax cross-entropy", SoftmaxCrossEntropy::new().into()),
        ("hinge loss", HingeLoss::new().into()),
    ];
    for (name, loss) in of_labels {
        assert_eq!(
            data_error(device, loss, &values(4)),
            format!("{name}: class labels are needed, the data set has target values"),
        );
    }
    let of_values: [(&str, Loss); 3] = [
        ("mean squared error", MeanSquaredError::new().into()),
        ("L1 loss", L1Loss::new().into()),
        ("Huber loss", HuberLoss::new(1.0).into()),
    ];
    for (name, loss) in of_values {
        assert_eq!(
            data_error(device, loss.clone(), &labels),
            format!("{name}: target values are needed, the data set has class labels"),
        );
        assert_eq!(
            data_error(device, loss, &values(3)),
            format!("{name}: the network's output has shape [4], the data set's targets [3]"),
        );
    }
    let binary = BinaryCrossEntropy::new;
    assert_eq!(
        data_error(device, binary(), &labels),
        "binary cross-entropy: a vector of 0 and 1 per sample is needed, the data set has class \
         labels; give it target values",
    );
    let mut targets = vec![1.0; 16];
    targets[6] = 1.5;
    let data = Dataset::regression([1, 6, 6], normal(&[4, 36], 1), [4], targets).unwrap();
    assert_eq!(
        data_error(device, binary(), &data),
        "binary cross-entropy: targets must lie in 0 to 1, sample 1 has 1.5 at element 2",
    );
    // What only the loss itself can tell is told when its layer is made.
    assert_eq!(
        data_error(
            device,
            SoftmaxCrossEntropy::new().class_weights([1.0; 3]),
            &labels
        ),
        "layer `softmax_cross_entropy1` (softmax_cross_entropy): there are 3 weights for 4 classes",
    );
}

#[test]
fn trainings_without_samples_or_parameters() {
    let Some(device) = device() else { return };
    let data = classified(4, &[1, 6, 6], 4);
    let mut model = model(device);
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(0);
    assert_eq!(
        trainer.start(&mut model, &data).unwrap_err().to_string(),
        "a batch of size zero has no samples",
    );
    let nothing = "there is nothing to train: the network has no parameters, or all are frozen";
    let trainer = Trainer::new(Sgd::new(0.1));
    model.freeze("conv1").unwrap();
    model.freeze("linear1").unwrap();
    let error = trainer.start(&mut model, &data).unwrap_err();
    assert_eq!(error.to_string(), nothing);
    model.unfreeze("linear1.bias").unwrap();
    assert!(trainer.start(&mut model, &data).is_ok());

    let mut net = Network::input([4]);
    net.relu();
    let mut model = net.build(device, 1).unwrap();
    let data = classified(4, &[4], 4);
    let error = trainer.start(&mut model, &data).unwrap_err();
    assert_eq!(error.to_string(), nothing);
}

#[test]
fn batch_normalisation_of_a_single_number() {
    let Some(device) = device() else { return };
    let mut net = Network::input([4]);
    net.linear(3).batch_norm();
    let mut model = net.build(device, 1).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(1);
    let error = trainer
        .start(&mut model, &classified(3, &[4], 3))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer `bn1` (batch_norm): more than one value per channel is needed in training, a \
         batch of 1 of [3] has one",
    );
}

#[test]
fn parameters_that_do_not_exist_or_are_of_another_length() {
    let Some(device) = device() else { return };
    let mut model = model(device);
    let unknown = "no parameter is named `conv2.weight`; there are: conv1.weight, conv1.bias, \
                   linear1.weight, linear1.bias";
    let error = model.parameter("conv2.weight").unwrap_err();
    assert_eq!(error.to_string(), unknown);
    let error = model.set_parameter("conv2.weight", &[]).unwrap_err();
    assert_eq!(error.to_string(), unknown);
    let error = model.freeze("conv2.weight").unwrap_err();
    assert_eq!(error.to_string(), unknown);
    // The start of a name is not a layer.
    assert!(model.freeze("conv").is_err());

    let error = model.set_parameter("conv1.weight", &[0.0; 7]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`conv1.weight` holds 45 elements [5, 1, 3, 3], but 7 were given",
    );
    let error = model.predict_batch(&[0.0; 37]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`sample` holds 36 elements [1, 6, 6], but 37 were given",
    );
}

#[test]
fn adapters_that_do_not_exist() {
    let options = DeviceOptions::default().name("no such adapter");
    assert_eq!(
        Device::open_with(&options).unwrap_err().to_string(),
        "no GPU adapter was found (searched Vulkan, Metal, DX12 and WebGPU for a name with `no \
         such adapter`); install a GPU driver, or Mesa's CPU driver (Debian and Ubuntu: \
         mesa-vulkan-drivers)",
    );
    let options = DeviceOptions::default().backend("cuda");
    assert_eq!(
        Device::open_with(&options).unwrap_err().to_string(),
        "`cuda` is no backend; there are: vulkan, metal, dx12, webgpu",
    );
}

#[test]
fn update_rules_with_numbers_that_make_no_sense() {
    let Some(device) = device() else { return };
    let mut net = Network::input([2]);
    net.linear(2);
    let data = classified(4, &[2], 2);
    let refusal = |trainer: Trainer| {
        let mut model = net.build(device, 0).unwrap();
        trainer.start(&mut model, &data).unwrap_err().to_string()
    };
    assert_eq!(
        refusal(Trainer::new(Sgd::new(0.1).momentum(f64::NAN))),
        "layer `update` (sgd): `momentum` is NaN, in single precision NaN"
    );
    assert_eq!(
        refusal(Trainer::new(Sgd::new(0.1).weight_decay(1e39))),
        "layer `update` (sgd): `weight_decay` is 1000000000000000000000000000000000000000, in \
         single precision inf"
    );
    assert_eq!(
        refusal(Trainer::new(Adam::new(0.1).epsilon(0.0))),
        "layer `update` (adam): `epsilon` is 0, it must be at least 1.1754944e-38"
    );
}
