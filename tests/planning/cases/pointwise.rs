//! Operators that treat every element alike, and those that move elements.

use wgrad::graph::Var;
use wgrad::ops::Gelu;
use wgrad::ops::dropout::Dropout;
use wgrad::ops::leaky_relu::LeakyRelu;
use wgrad::ops::prelu::Prelu;
use wgrad::ops::stochastic_depth::{DropMode, StochasticDepth};
use wgrad::ops::{Slice, ZeroPad};

use super::{Cases, over_images, over_shapes};

pub fn add(cases: &mut Cases) {
    over_shapes(cases, |graph, x| graph.add(x, x));
    cases.add(2, |graph| {
        let [a, b] = ["a", "b"].map(|name| graph.input(name, [5, 3, 3]));
        graph.add(a, b)
    });
}

pub fn channel_dropout(cases: &mut Cases) {
    for probability in [0.0, 0.3] {
        over_shapes(cases, |graph, x| {
            let x = graph.relu(x);
            graph.channel_dropout(x, probability)
        });
    }
}

pub fn concat(cases: &mut Cases) {
    let parts: &[&[usize]] = &[
        &[4],
        &[5],
        &[4, 8],
        &[4, 5],
        &[5, 4],
        &[8, 4, 5],
        &[1, 3, 5],
        &[4, 4, 4, 4],
        &[1, 3, 5, 13],
        &[4, 4, 8, 4, 4, 4, 8, 1],
        &[1, 2, 3, 4, 5, 1, 1, 2, 3, 1],
        &[64, 128, 32, 32],
    ];
    for parts in parts {
        for rest in [&[][..], &[3, 2], &[28, 28]] {
            cases.add(4, |graph| {
                let parts = parts.iter().enumerate();
                let vars: Vec<Var> = parts
                    .map(|(i, &c)| graph.input(&format!("x{i}"), [&[c], rest].concat()))
                    .collect();
                graph.concat(&vars)
            });
        }
    }
}

pub fn dropout(cases: &mut Cases) {
    for probability in [0.0, 0.3, 0.5] {
        over_shapes(cases, |graph, x| {
            // Behind another operator, so that as a view it is of a computed value.
            let x = graph.relu(x);
            graph.dropout(x, Dropout::new(probability))
        });
    }
}

pub fn gelu(cases: &mut Cases) {
    over_shapes(cases, |graph, x| graph.gelu(x, Gelu::new()));
    over_shapes(cases, |graph, x| graph.gelu(x, Gelu::tanh()));
}

pub fn leaky_relu(cases: &mut Cases) {
    over_shapes(cases, |graph, x| graph.leaky_relu(x, LeakyRelu::default()));
    over_shapes(cases, |graph, x| graph.leaky_relu(x, LeakyRelu::new(0.2)));
}

pub fn multiply(cases: &mut Cases) {
    over_shapes(cases, |graph, x| graph.multiply(x, x));
    cases.add(2, |graph| {
        let [a, b] = ["a", "b"].map(|name| graph.input(name, [5, 3, 3]));
        graph.multiply(a, b)
    });
}

pub fn prelu(cases: &mut Cases) {
    over_shapes(cases, |graph, x| graph.prelu(x, Prelu::per_channel()));
    over_shapes(cases, |graph, x| graph.prelu(x, Prelu::shared()));
}

pub fn relu(cases: &mut Cases) {
    over_shapes(cases, |graph, x| graph.relu(x));
}

pub fn sigmoid(cases: &mut Cases) {
    over_shapes(cases, |graph, x| graph.sigmoid(x));
}

pub fn slice(cases: &mut Cases) {
    over_shapes(cases, |graph, x| {
        let channels = graph.shape(x)[0];
        graph.slice(x, Slice::new().channels(channels / 2..))
    });
    over_images(cases, |graph, x| {
        let rows = graph.shape(x)[1];
        graph.slice(x, Slice::new().channels(..1).rows(rows / 2..).columns(..1))
    });
}

pub fn stochastic_depth(cases: &mut Cases) {
    for mode in [DropMode::Row, DropMode::Batch] {
        for probability in [0.0, 0.3, 1.0] {
            over_shapes(cases, |graph, x| {
                let x = graph.relu(x);
                graph.stochastic_depth(x, StochasticDepth::new(probability).mode(mode))
            });
        }
    }
}

pub fn zero_pad(cases: &mut Cases) {
    over_shapes(cases, |graph, x| {
        graph.zero_pad(x, ZeroPad::new(0).channels(3, 2))
    });
    over_images(cases, |graph, x| {
        graph.zero_pad(x, ZeroPad::sides([1, 0], [2, 3]))
    });
}

pub fn tanh(cases: &mut Cases) {
    over_shapes(cases, |graph, x| graph.tanh(x));
}

/// Views need no kernel by themselves, so that something stands behind them.
pub fn reshape(cases: &mut Cases) {
    over_images(cases, |graph, x| {
        let y = graph.flatten(x);
        graph.relayout(y)
    });
    over_images(cases, |graph, x| {
        let elements = graph.shape(x).elements();
        let y = graph.relu(x);
        let y = graph.reshape(y, [elements, 1, 1]);
        let y = graph.relayout(y);
        graph.sigmoid(y)
    });
    // A view that has a place of its own is copied there.
    cases.add(2, |graph| {
        let x = graph.input("x", [5, 3, 3]);
        let y = graph.relu(x);
        let y = graph.flatten(y);
        graph.place(y, "flat", 0);
        y
    });
}
