//! Shapes, names and numbers of parameters, against papers and torchvision.

use std::collections::BTreeMap;

use wgrad::graph::{Graph, Network, Node, Parameter, Role};
use wgrad::models::{self, Shortcut};

/// Made by `tests/golden/make_models.py` with torchvision 0.29.2.
const TORCHVISION: &str = include_str!("../golden/models.txt");

/// Learned parameters, with the paper's input and classes.
const PARAMETERS: &[(&str, usize)] = &[
    // 156 + 2,416 + 48,120 + 10,164 + 850; the paper's own has 60,000 "trainable free parameters"
    // with fewer connections between the maps.
    ("lenet5", 61_706),
    // The sums over `parameters()` of torchvision 0.29.2.
    ("alexnet", 61_100_840),
    ("vgg11", 132_863_336),
    ("vgg13", 133_047_848),
    ("vgg16", 138_357_544),
    ("vgg11_bn", 132_868_840),
    ("vgg13_bn", 133_053_736),
    ("vgg16_bn", 138_365_992),
    ("resnet18", 11_689_512),
    ("resnet34", 21_797_672),
    ("resnet50", 25_557_032),
    // 0.27, 0.46, 0.66 and 0.85 million in table 6 of the paper; to the last one, the numbers of
    // akamaster/pytorch_resnet_cifar10, which has the same shortcuts.
    ("resnet20", 269_722),
    ("resnet32", 464_154),
    ("resnet44", 658_586),
    ("resnet56", 853_018),
    // 4.2 million in table 8 of the paper; to the last one, the trainable parameters of
    // `keras.applications.MobileNet`.
    ("mobilenet_v1", 4_231_976),
    // torchvision again.
    ("mobilenet_v2", 3_504_872),
    ("squeezenet1_0", 1_248_424),
    ("squeezenet1_1", 1_235_496),
    // About 1.4 million in table 4 of the paper; convolution by convolution
    // 2,688 + 2·83,040 + 166,080 + 3·331,968 + 37,056 + 1,930.
    ("all_cnn_c", 1_369_738),
    // No numbers are published of the following; summed by hand from the tables of the paper in
    // `prelu_nets_have_the_parameters_of_the_tables`.
    ("prelu_net14", 75_004_200),
    ("prelu_net_a", 178_032_072),
    ("prelu_net_b", 183_343_048),
    ("prelu_net_c", 330_623_944),
];

/// Width and learned parameters.
const V2_WIDTHS: [(f64, usize); 4] = [
    (0.35, 1_677_128),
    (0.5, 1_968_680),
    (0.75, 2_636_424),
    (1.4, 6_108_776),
];

fn graph(net: &Network) -> Graph {
    net.graph().unwrap().0
}

fn learned(net: &Network) -> usize {
    let graph = graph(net);
    let learned = graph.parameters().iter();
    let learned = learned.filter(|p| p.role != Role::Statistic);
    learned.map(|p| p.shape.elements()).sum()
}

#[test]
fn every_network_has_its_published_number_of_parameters() {
    let names: Vec<&str> = models::ALL.iter().map(|known| known.name).collect();
    let expected: Vec<&str> = PARAMETERS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected);
    for (known, (name, count)) in models::ALL.iter().zip(PARAMETERS) {
        let net = models::by_name(name, None, known.classes).unwrap();
        let (graph, _, output) = net.graph().unwrap();
        assert_eq!(graph.shape(output)[..], [known.classes], "{name}");
        assert_eq!(learned(&net), *count, "{name}");
    }
}

#[test]
fn shapes_and_classes_are_the_callers() {
    for known in models::ALL {
        let [channels, height, width] = known.input;
        let input = [channels + 1, height + 13, width + 6];
        let net = models::by_name(known.name, input, 7).unwrap();
        let (graph, input_var, output) = net.graph().unwrap();
        assert_eq!(graph.shape(input_var)[..], input, "{}", known.name);
        assert_eq!(graph.shape(output)[..], [7], "{}", known.name);
    }
}

/// A convolution with bias and PReLU, or a linear layer when the kernel is 1.
fn layer(inputs: usize, kernel: usize, outputs: usize) -> usize {
    inputs * kernel * kernel * outputs + outputs + outputs
}

#[test]
fn prelu_nets_have_the_parameters_of_the_tables() {
    let head = |features| layer(features, 1, 4096) + layer(4096, 1, 4096) + 4096 * 1000 + 1000;
    let fourteen = layer(3, 7, 64)
        + layer(64, 2, 128)
        + 3 * layer(128, 2, 128)
        + layer(128, 2, 256)
        + 5 * layer(256, 2, 256)
        + head(256 * (36 + 9 + 4 + 1));
    let table3 = |depth: usize, [first, second, third]: [usize; 3]| {
        let stage = |from, to| layer(from, 3, to) + (depth - 1) * layer(to, 3, to);
        let stages = stage(96, first) + stage(first, second) + stage(second, third);
        layer(3, 7, 96) + stages + head(third * (49 + 9 + 4 + 1))
    };
    let a = table3(5, [256, 512, 512]);
    let b = table3(6, [256, 512, 512]);
    let c = table3(6, [384, 768, 896]);
    let expected: Vec<usize> = PARAMETERS.iter().rev().take(4).map(|(_, n)| *n).collect();
    assert_eq!([c, b, a, fourteen][..], expected);
}

/// The 10⁹ multiply-adds of convolutions and linear layers for an image, where strides and padding
/// show; `rounding` is half of the published number's last place.
fn assert_giga(name: &str, graph: &Graph, published: f64, rounding: f64) {
    let uses = |(node, parameter): (&Node, &Parameter)| {
        let weight = parameter.shape.elements();
        let positions = graph.shape(node.outputs[0])[1..].iter().product::<usize>();
        (node.inputs.contains(&parameter.var()) && parameter.shape.len() > 1)
            .then_some(weight * positions)
    };
    let nodes = graph.nodes().iter();
    let pairs = nodes.flat_map(|n| graph.parameters().iter().map(move |p| (n, p)));
    let giga = pairs.filter_map(uses).sum::<usize>() as f64 / 1e9;
    assert!(
        (giga - published).abs() <= rounding,
        "{name}: {giga}, published is {published}"
    );
}

#[test]
fn multiply_adds_are_those_of_the_papers() {
    for (name, published, rounding) in [
        // Table 4 of Howard et al.
        ("mobilenet_v1", 0.569, 5e-4),
        // Table 3 of "Delving deep into rectifiers": 1.90, 2.32 and 5.30, to one percent.
        ("prelu_net_a", 1.90e1, 0.01 * 1.90e1),
        ("prelu_net_b", 2.32e1, 0.01 * 2.32e1),
        ("prelu_net_c", 5.30e1, 0.01 * 5.30e1),
    ] {
        let net = models::by_name(name, None, 1000).unwrap();
        assert_giga(name, &graph(&net), published, rounding);
    }
}

#[test]
fn names_and_shapes_are_torchvisions() {
    let mut compared = 0;
    for section in TORCHVISION.split('[').skip(1) {
        let (head, tensors) = section.split_once("]\n").unwrap();
        let [name, count, giga] = *head.split(' ').collect::<Vec<_>>() else {
            panic!("`{head}` is not a network")
        };
        let expected: BTreeMap<&str, &str> = tensors
            .lines()
            .map(|line| line.split_once(' ').unwrap())
            .collect();
        let net = models::by_name(name, None, 1000).unwrap();
        let graph = graph(&net);
        let shape = |shape: &[usize]| {
            let extents: Vec<String> = shape.iter().map(ToString::to_string).collect();
            extents.join("x")
        };
        let parameters = graph.parameters().iter();
        let found: BTreeMap<&str, String> = parameters
            .map(|p| (p.name.as_str(), shape(&p.shape)))
            .collect();
        let found: BTreeMap<&str, &str> = found.iter().map(|(k, v)| (*k, v.as_str())).collect();
        assert_eq!(found, expected, "{name}");
        assert_eq!(learned(&net).to_string(), count, "{name}");
        assert_giga(name, &graph, giga.parse().unwrap(), 5e-4);
        compared += 1;
    }
    assert_eq!(compared, 13);
}

#[test]
fn widths_scale_the_mobilenets() {
    // Tables 6 and 7 of Howard et al.: 2.6, 1.3 and 0.5 million; `keras.applications.MobileNet`.
    for (width, count) in [(0.75, 2_585_560), (0.5, 1_331_592), (0.25, 470_072)] {
        let net = models::mobilenet_v1_with_width([3, 224, 224], 1000, width);
        assert_eq!(learned(&net), count, "{width}");
    }
    // torchvision 0.29.2, `mobilenet_v2(width_mult=width)`.
    for (width, count) in V2_WIDTHS {
        let net = models::mobilenet_v2_with_width([3, 224, 224], 1000, width);
        assert_eq!(learned(&net), count, "{width}");
    }
    for width in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let net = models::mobilenet_v2_with_width([3, 224, 224], 1000, width);
        let error = net.graph().unwrap_err().to_string();
        assert!(error.contains("(0, 16]"), "{error}");
    }
}

#[test]
fn a_projection_has_parameters_and_an_identity_has_none() {
    let net = |shortcut| models::resnet_cifar(3, shortcut, [3, 32, 32], 10);
    // 16·32 + 2·32 + 32·64 + 2·64 more.
    assert_eq!(learned(&net(Shortcut::Projection)), 269_722 + 2_752);
    assert_eq!(learned(&net(Shortcut::Identity)), 269_722);
}

#[test]
fn an_image_below_the_smallest_is_an_error_that_names_the_layer() {
    for (name, smallest) in [
        ("lenet5", 16),
        ("alexnet", 63),
        ("vgg11", 32),
        ("vgg16_bn", 32),
        ("squeezenet1_0", 29),
        ("squeezenet1_1", 25),
        ("all_cnn_c", 9),
        ("resnet18", 1),
        ("resnet20", 1),
        ("mobilenet_v1", 1),
        ("mobilenet_v2", 1),
    ] {
        let net = |size| models::by_name(name, [3, size, size], 5).unwrap().graph();
        let fits = (1..).find(|size| net(*size).is_ok());
        assert_eq!(fits, Some(smallest), "{name}");
        if smallest > 1 {
            let error = net(smallest - 1).unwrap_err().to_string();
            assert!(error.starts_with("layer `"), "{name}: {error}");
        }
    }
}

#[test]
fn an_unknown_name_is_an_error_with_the_known_ones() {
    let error = models::by_name("resnet19", None, 10).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("no network is named `resnet19`; there are: lenet5, alexnet,"));
}

#[test]
fn an_autoencoder_gives_an_image_of_its_inputs_shape() {
    for input in [[1, 28, 28], [3, 33, 30], [2, 1, 6]] {
        let (graph, _, output) = models::autoencoder(input, 12).graph().unwrap();
        assert_eq!(graph.shape(output)[..], input);
        let code = graph.find_parameter("encoder.5.weight").unwrap();
        assert_eq!(graph.shape(code)[0], 12);
    }
}
