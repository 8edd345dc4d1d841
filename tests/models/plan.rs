//! Training and evaluation of every network can be planned, for a CPU driver and for a GPU.

use wgrad::autodiff;
use wgrad::graph::Network;
use wgrad::models;
use wgrad::ops::SoftmaxCrossEntropy;
use wgrad::plan::{AdapterProfile, Mode, Plan, PlanOptions};
use wgrad::shader::Shaders;

fn options(batch: usize, mode: Mode) -> PlanOptions {
    PlanOptions {
        batch,
        mode,
        fuse: true,
        reuse: true,
    }
}

/// The dispatches of evaluation.
fn evaluation(net: &Network, adapter: &AdapterProfile, shaders: &Shaders) -> usize {
    let (graph, _, output) = net.graph().unwrap();
    let options = options(1, Mode::Evaluation);
    let plan = Plan::new(&graph, &[output], options, adapter, shaders).unwrap();
    plan.calls.len()
}

/// The dispatches of the loss and of its gradients by all learned parameters.
fn training(net: &Network, adapter: &AdapterProfile, shaders: &Shaders) -> usize {
    let (mut graph, _, output) = net.graph().unwrap();
    let labels = graph.labels("labels");
    let loss = graph.softmax_cross_entropy(output, labels, SoftmaxCrossEntropy::new());
    let loss = loss.loss;
    let trained = graph.parameters().iter().filter(|p| p.is_trained());
    let trained: Vec<_> = trained.map(|p| p.var()).collect();
    let mut targets = autodiff::gradients(&mut graph, loss, &trained).unwrap();
    targets.push(loss);
    let options = options(8, Mode::Training);
    let plan = Plan::new(&graph, &targets, options, adapter, shaders).unwrap();
    plan.calls.len()
}

/// Convolutions and linear layers.
fn maps(net: &Network) -> usize {
    let (graph, _, _) = net.graph().unwrap();
    let nodes = graph.nodes().iter();
    let maps = nodes.filter(|node| ["conv2d", "linear"].contains(&node.operator.name()));
    maps.count()
}

#[test]
fn every_network_can_be_planned_at_full_size() {
    let shaders = Shaders::new().unwrap();
    for known in models::ALL {
        let net = (known.network)(known.input, known.classes);
        for adapter in [AdapterProfile::cpu(), AdapterProfile::gpu()] {
            let forward = evaluation(&net, &adapter, &shaders);
            let both = training(&net, &adapter, &shaders);
            // At the least a dispatch for each linear map forward, and two backward.
            let maps = maps(&net);
            let counts = format!("{}: {maps} {forward} {both}", known.name);
            assert!(
                forward >= maps && both >= forward + 2 * maps - 1,
                "{counts}"
            );
        }
    }
}
