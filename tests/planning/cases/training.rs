//! What a training step does beside the network.

use std::sync::Arc;

use wgrad::data::{Augment, Erasing, Fill};
use wgrad::graph::{Element, Graph, ValueType, Var};
use wgrad::layout::Layout;
use wgrad::ops::training::{
    Accumulate, Clip, Conclude, CountAnswers, CountDecisions, DrawMix, Gather, GatherLabels, Mix,
    RunningAverage, SelectRows, Stored, SumLosses, Update, WeightAverage,
};
use wgrad::ops::{BinaryCrossEntropy, Operator, Reduction, SoftmaxCrossEntropy};
use wgrad::shape::Shape;
use wgrad::train::{
    Adadelta, Adagrad, Adam, AdamW, Lars, Norms, Quickprop, RmsProp, Sgd, UpdateRule,
};

use super::Cases;

/// Update rules. A new one is one line.
pub fn rules() -> Vec<Arc<dyn UpdateRule>> {
    vec![
        Arc::new(Sgd::new(0.1)),
        Arc::new(
            Sgd::new(0.1)
                .momentum(0.9)
                .nesterov(true)
                .weight_decay(1e-4),
        ),
        Arc::new(Adam::new(1e-3)),
        Arc::new(AdamW::new(1e-3).weight_decay(0.01)),
        Arc::new(RmsProp::new(1e-2)),
        Arc::new(RmsProp::new(1e-2).centered(true).momentum(0.9)),
        Arc::new(Adagrad::new(1e-2)),
        Arc::new(Adadelta::new(1.0)),
        Arc::new(Lars::new(1.0)),
        Arc::new(Quickprop::new(0.1)),
    ]
}

/// What a step may do before and after its update.
fn around_an_update(len: usize) -> Vec<Arc<dyn Operator>> {
    let clip = |value, norm| Clip {
        gradients: "gradients",
        len,
        value,
        norm,
    };
    let average = |statistics| WeightAverage {
        parameters: len,
        statistics,
    };
    vec![
        Arc::new(RunningAverage { len, group: 4 }),
        Arc::new(Accumulate { len, group: 4 }),
        Arc::new(clip(Some(0.5), None)),
        Arc::new(clip(None, Some(1.0))),
        Arc::new(clip(Some(0.5), Some(f64::INFINITY))),
        Arc::new(average(0)),
        Arc::new(average(64)),
    ]
}

pub fn step(cases: &mut Cases) {
    for stored in [Stored::U8, Stored::F32] {
        for (batch, shape) in [
            (1, &[1, 1, 1][..]),
            (3, &[5, 2, 3]),
            (64, &[3, 32, 32]),
            (5, &[7]),
        ] {
            cases.add_forward(batch, |graph| gather(graph, shape, stored, Augment::new()));
        }
        for (shape, augment) in augmentations() {
            cases.add_forward(32, |graph| gather(graph, shape, stored, augment));
        }
    }
    for batch in [1, 64, 1000] {
        cases.add_forward(batch, |graph| {
            let labels = row(graph, "dataset.labels", 60_000, Element::U32);
            let order = row(graph, "dataset.order", 60_000, Element::U32);
            graph.apply("labels", GatherLabels, &[labels, order])
        });
    }
    for shape in [&[1][..], &[10], &[3, 32, 32], &[5, 2, 3]] {
        cases.add_forward(64, |graph| mix(graph, shape));
    }
    for (batch, classes) in [(1, 1), (3, 10), (256, 1000), (256, 5000)] {
        for ignored in [None, Some(3)] {
            cases.add_forward(batch, |graph| tally(graph, classes, ignored));
        }
    }
    for shape in [&[1][..], &[70], &[5, 7, 6]] {
        cases.add_forward(256, |graph| decisions(graph, shape));
    }
    for len in [64, 640, 1 << 20, 1 << 27] {
        for statistics in [0, len] {
            cases.add_forward(1, |graph| conclude(graph, len, statistics));
        }
        cases.add_forward(1, |graph| {
            let status = status(graph, len);
            act(graph, Arc::new(RunningAverage { len, group: 1 }), status)
        });
        for operator in around_an_update(len) {
            cases.add_forward(1, |graph| {
                let status = status(graph, len);
                act(graph, operator, status)
            });
        }
        for rule in rules() {
            cases.add_forward(1, |graph| {
                let status = status(graph, len);
                let spans = if rule.norms() == Norms::None { 0 } else { 5 };
                let update = Update {
                    spans,
                    ..Update::new(rule, len)
                };
                act(graph, Arc::new(update), status)
            });
        }
    }
}

/// What may be changed in images, by itself and together.
fn augmentations() -> Vec<(&'static [usize], Augment)> {
    let new = Augment::new;
    let erasing = |fill| Erasing::new(0.5).fill(fill);
    let all = new()
        .crop(2)
        .flip()
        .vertical_flip()
        .rotate(20.0)
        .shear(5.0, 5.0);
    let all = all.brightness(0.2).contrast(0.2).cutout(4).edge();
    vec![
        (&[3, 32, 32], new().crop(4).flip().cutout(16)),
        (&[5, 7, 6], new().flip()),
        (&[1, 28, 28], new().scale(0.8, 1.2).brightness(0.4)),
        (&[1, 28, 28], new().erase(erasing(Fill::Mean))),
        (&[5, 224, 224], all.erase(erasing(Fill::Value(0.5)))),
        (
            &[3, 32, 32],
            all.saturation(0.2).erase(erasing(Fill::Random)),
        ),
    ]
}

/// A row of numbers that is there before the step.
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

fn gather(graph: &mut Graph, shape: &[usize], stored: Stored, augment: Augment) -> Var {
    let samples = row(graph, "dataset.samples", 1 << 20, Element::U32);
    let scales = row(graph, "dataset.scales", 4 * shape[0], Element::F32);
    let order = row(graph, "dataset.order", 60_000, Element::U32);
    let gather = Gather {
        shape: Shape::from(shape),
        stored,
        augment,
        white: 1.0,
    };
    graph.apply("input", gather, &[samples, scales, order])
}

/// Samples mixed with others of the batch, and compared with the others' targets.
fn mix(graph: &mut Graph, shape: &[usize]) -> Var {
    let x = graph.input("x", shape);
    let drawn = graph.apply_all("draw", Arc::new(DrawMix { ring: 1024 }), &[]);
    let mixed = graph.apply("mix", Mix, &[x, drawn[2], drawn[3]]);
    let others = graph.apply("others", SelectRows, &[x, drawn[3]]);
    graph.l1_loss(mixed, others, Reduction::Mean).loss
}

/// What evaluation counts; with an ignored label, samples have weights.
fn tally(graph: &mut Graph, classes: usize, ignored: Option<u32>) -> Var {
    let responses = graph.input("responses", classes);
    let labels = graph.labels("labels");
    let loss = SoftmaxCrossEntropy {
        ignored,
        ..SoftmaxCrossEntropy::new()
    };
    let values = graph.softmax_cross_entropy(responses, labels, loss);
    let operands: Vec<Var> = [Some(values.per_sample), values.weights]
        .into_iter()
        .flatten()
        .collect();
    graph.apply_all("losses", Arc::new(SumLosses), &operands);
    let count = Arc::new(CountAnswers { ignored });
    graph.apply_all("answers", count, &[responses, labels]);
    values.loss
}

/// What evaluation counts of answers yes and no.
fn decisions(graph: &mut Graph, shape: &[usize]) -> Var {
    let [responses, targets] = ["responses", "targets"].map(|name| graph.input(name, shape));
    let count = Arc::new(CountDecisions { threshold: 0.0 });
    graph.apply_all("answers", count, &[responses, targets]);
    let loss = BinaryCrossEntropy::new();
    graph.binary_cross_entropy(responses, targets, loss).loss
}

/// The end of a step whose gradients hold `len` elements.
fn status(graph: &mut Graph, len: usize) -> Var {
    conclude(graph, len, 0)
}

fn conclude(graph: &mut Graph, gradients: usize, statistics: usize) -> Var {
    let loss = row(graph, "loss", 4, Element::F32);
    let conclude = Conclude {
        gradients,
        statistics,
        group: 1,
    };
    let status = graph.apply("step", conclude, &[loss]);
    graph.place(status, "status", 0);
    status
}

/// Applies what has no result, and gives the status on.
fn act(graph: &mut Graph, operator: Arc<dyn Operator>, status: Var) -> Var {
    graph.apply_all("act", operator, &[status]);
    status
}
