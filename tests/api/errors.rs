//! What a user is told who asks for what cannot be.

use wgrad::data::Dataset;
use wgrad::graph::Network;
use wgrad::ops::MeanSquaredError;
use wgrad::train::{Sgd, Trainer};
use wgrad::{Device, DeviceOptions};

use super::gpu;

/// The words of an error.
fn words<T>(outcome: wgrad::Result<T>) -> String {
    match outcome {
        Ok(_) => panic!("there is no error"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_description_that_does_not_fit_names_its_layer() {
    let mut net = Network::input([1, 4, 4]);
    net.conv(8, 3).relu().conv(8, 5);
    assert_eq!(
        words(net.graph()),
        "layer `conv2` (conv2d): the filter of 5x5 (with dilation) is larger than the padded \
         input of 2x2"
    );
    let mut net = Network::input([6, 4, 4]);
    net.conv(8, 3).groups(4);
    let message = words(net.graph());
    assert!(
        message.contains("4 groups do not divide 6 input"),
        "{message}"
    );
    assert_eq!(
        words(Network::input([3]).graph()),
        "the network has no layers"
    );
}

#[test]
fn an_attribute_without_its_layer_is_refused() {
    let mut net = Network::input([1, 4, 4]);
    net.relu().padding(1);
    let message = words(net.graph());
    assert!(message.starts_with("`padding` cannot be set"), "{message}");
    assert!(words(net.summary()).starts_with("`padding` cannot be set"));
    let mut net = Network::input([1, 4, 4]);
    net.groups(2).conv(2, 3);
    let message = words(net.graph());
    assert!(message.starts_with("`groups` cannot be set"), "{message}");
}

#[test]
fn parameters_are_asked_for_by_names_that_exist() {
    let Some(device) = gpu::device() else { return };
    let mut net = Network::input([2]);
    net.linear(3);
    let mut model = net.build(device, 1).unwrap();
    assert_eq!(
        words(model.parameter("linear2.weight")),
        "no parameter is named `linear2.weight`; there are: linear1.weight, linear1.bias"
    );
    assert_eq!(
        words(model.set_parameter("linear1.weight", &[0.0; 5])),
        "`linear1.weight` holds 6 elements [3, 2], but 5 were given"
    );
    assert!(words(model.freeze("linear")).contains("`linear`"));
    assert!(words(model.predict_batch(&[1.0, 2.0, 3.0])).contains("[2]"));
    assert!(words(model.predict_batch(&[])).contains("0 were given"));
}

#[test]
fn data_must_fit_the_network() {
    let Some(device) = gpu::device() else { return };
    let mut net = Network::input([2]);
    net.linear(3);
    let mut model = net.build(device, 1).unwrap();
    let trainer = Trainer::new(Sgd::new(0.1)).batch_size(2);
    let long = Dataset::from_f32([3], vec![0.0; 6], vec![0, 1], 2).unwrap();
    let message = words(trainer.start(&mut model, &long).map(drop));
    assert!(
        message.contains("[2]") && message.contains("[3]"),
        "{message}"
    );
    let many = Dataset::from_f32([2], vec![0.0; 4], vec![0, 3], 4).unwrap();
    let message = words(model.evaluate(&many));
    assert!(
        message.contains("4 classes") && message.contains("3 outputs"),
        "{message}"
    );
    let values = Dataset::regression([2], vec![0.0; 4], [3], vec![0.0; 6]).unwrap();
    let message = words(trainer.start(&mut model, &values).map(drop));
    assert!(message.contains("class labels"), "{message}");
    let squared = Trainer::new(Sgd::new(0.1)).loss(MeanSquaredError::new());
    let labels = Dataset::from_f32([2], vec![0.0; 4], vec![0, 1], 2).unwrap();
    let message = words(squared.start(&mut model, &labels).map(drop));
    assert!(message.contains("target values"), "{message}");
    assert!(squared.start(&mut model, &values).is_ok());
    let none = Trainer::new(Sgd::new(0.1)).batch_size(0);
    let message = words(none.start(&mut model, &labels).map(drop));
    assert!(message.contains("zero"), "{message}");
    model.freeze("linear1").unwrap();
    let message = words(trainer.start(&mut model, &labels).map(drop));
    assert!(message.contains("nothing to train"), "{message}");
}

#[test]
fn a_device_that_is_not_there_is_reported() {
    let options = DeviceOptions::default().name("no adapter has this name");
    let message = words(Device::open_with(&options));
    assert!(message.contains("no adapter has this name"), "{message}");
    let options = DeviceOptions::default().backend("abacus");
    let message = words(Device::open_with(&options));
    assert!(message.contains("abacus"), "{message}");
}
