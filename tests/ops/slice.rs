use std::ops::Range;

use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::Slice;
use wgrad::plan::Mode;

use super::{cases, normal};
use crate::reference::slice;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

/// `ranges` are those of the axes after the batch.
fn check(shape: &[usize], ranges: &[Range<usize>], seed: u64) {
    let Some(device) = gpu::device() else { return };
    let (start, lengths): (Vec<_>, Vec<_>) = ranges.iter().map(|r| (r.start, r.len())).unzip();
    let x = normal(shape, seed);
    let reference = slice::forward(&x, &start, &lengths);
    let dy = normal(&reference.shape, seed + 1);
    let attributes = match ranges {
        [channels] => Slice::new().channels(channels.clone()),
        [channels, rows, columns] => Slice::new()
            .channels(channels.clone())
            .rows(rows.clone())
            .columns(columns.clone()),
        _ => unreachable!(),
    };
    let mut probe = Probe::new(shape[0]);
    let x_var = probe.input(&x);
    let y = probe.graph.slice(x_var, attributes);
    let dx = probe.gradients(y, &dy, &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    assert_close("y", &results[0], &reference, Tolerance::F32);
    let reference = slice::grad_input(&dy, &start, shape);
    assert_close("dx", &results[1], &reference, Tolerance::F32);
}

#[test]
fn channels_that_begin_a_vector_and_others() {
    check(&[2, 12, 2, 3], &[4..9, 0..2, 0..3], 1);
    check(&[1, 13, 1, 1], &[7..13, 0..1, 0..1], 2);
    check(&[3, 9], std::slice::from_ref(&(8..9)), 3);
    check(&[2, 5, 4, 6], &[1..3, 2..4, 0..5], 4);
}

#[test]
fn axes_without_a_range_are_whole() {
    let mut graph = Graph::new();
    let x = graph.input("x", [6, 5, 4]);
    let shape = |graph: &Graph, y| graph.shape(y).to_vec();
    let y = graph.slice(x, Slice::new());
    assert_eq!(shape(&graph, y), [6, 5, 4]);
    let y = graph.slice(x, Slice::new().channels(..=2).rows(3..).columns(1..2));
    assert_eq!(shape(&graph, y), [3, 2, 1]);
    graph.check().unwrap();
}

fn error(shape: &[usize], slice: Slice) -> String {
    let mut graph = Graph::new();
    let x = graph.input("x", shape);
    graph.slice(x, slice);
    graph.check().unwrap_err().to_string()
}

#[test]
fn ranges_beyond_the_last_are_refused() {
    let head = "layer `slice1` (slice): ";
    let whole = Slice::new();
    assert_eq!(
        error(&[3, 2, 2], whole.channels(2..4)),
        format!("{head}the channels 2..4 are not within the input [3, 2, 2]")
    );
    assert_eq!(
        error(&[3, 2, 2], whole.rows(1..1)),
        format!("{head}the rows 1..1 are none")
    );
    assert_eq!(
        error(&[3, 2, 2], whole.columns(2..)),
        format!("{head}the columns 2..2 are none")
    );
    assert!(error(&[3, 2, 2], whole.columns(..=usize::MAX)).contains("not within"));
    assert_eq!(
        error(&[3], whole.rows(0..1)),
        format!("{head}only an image has rows and columns, the input is [3]")
    );
}

fn range(most: usize) -> impl Strategy<Value = (usize, Range<usize>)> {
    (0..most, 1..most, 0..most)
        .prop_map(|(before, len, behind)| (before + len + behind, before..before + len))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..4, channels in range(9), rows in range(5), columns in range(5), seed: u64,
    ) {
        let shape = [n, channels.0, rows.0, columns.0];
        check(&shape, &[channels.1, rows.1, columns.1], seed % 1000);
    }
}
