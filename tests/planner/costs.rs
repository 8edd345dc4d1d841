//! What a recording says of each dispatch: operations, bytes, choice, memory.

use wgrad::graph::Graph;
use wgrad::ops::Conv2d;
use wgrad::plan::{AdapterProfile, Mode};
use wgrad::{Result, autodiff};

use crate::planning::{Planned, differentiable, options};

/// A convolution that a CPU driver computes by Winograd's kernels, with both gradients.
fn winograd() -> Result<Planned> {
    let mut graph = Graph::new();
    let x = graph.input("x", [32, 14, 14]);
    let y = graph.conv2d(x, Conv2d::new(64, 3).padding(1).bias(false).name("conv"));
    let wrt = differentiable(&graph);
    let dy = graph.input("dy", [64, 14, 14]);
    let mut targets = autodiff::gradients_from(&mut graph, &[(y, dy)], &wrt)?;
    targets.push(y);
    let options = options(64, Mode::Training);
    Planned::new(&graph, &targets, options, &AdapterProfile::cpu())
}

/// The transforms before it are not credited with what the product does.
#[test]
fn the_product_is_credited_with_the_operations_of_its_convolution() {
    let planned = winograd().unwrap();
    let direct = 2 * 64 * 14 * 14 * 64 * 32 * 9;
    for node in ["conv", "conv.conv2d_grad_input", "conv.conv2d_grad_weight"] {
        let commands = planned.recording.commands.iter();
        let commands: Vec<_> = commands.filter(|c| c.node == node).collect();
        assert!(commands.len() > 2, "{node} is not computed by transforms");
        let total: u64 = commands.iter().map(|c| c.flops).sum();
        assert_eq!(total, direct, "{node}");
        for command in commands {
            let is_product = command.shader.name.ends_with("_product");
            assert_eq!(command.flops > 0, is_product, "{}", command.shader.name);
            let choice = command.choice.unwrap().to_string();
            assert!(choice.starts_with("winograd side="), "{choice}");
        }
    }
}

#[test]
fn bytes_are_those_of_the_bound_ranges() {
    let planned = winograd().unwrap();
    for command in &planned.recording.commands {
        let bound: usize = command.ranges.iter().map(|range| 4 * range.len).sum();
        let bytes = command.bytes_read() + command.bytes_written();
        assert_eq!(bytes, bound as u64, "{}", command.shader.name);
        assert!(command.bytes_written() > 0);
    }
    let mut filters = planned.recording.commands.iter();
    let filter = filters.find(|c| c.shader.name == "conv2d_winograd_filter");
    let filter = filter.unwrap();
    let (pairs, sizes) = (32 * 64, 16);
    assert_eq!(filter.bytes_read(), 4 * (9 * pairs + sizes));
    assert_eq!(filter.bytes_written(), 4 * 36 * pairs);
}

#[test]
fn the_printed_plan_has_a_line_for_each_dispatch_and_totals() {
    let planned = winograd().unwrap();
    let text = planned.recording.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let commands = &planned.recording.commands;
    assert_eq!(lines.len(), commands.len() + 3, "{text}");
    let flops: u64 = commands.iter().map(|c| c.flops).sum();
    let product = lines.iter().find(|l| l.contains("conv2d_winograd_product"));
    let product = product.unwrap();
    for part in ["winograd side=", "slot ", "->m="] {
        assert!(product.contains(part), "{part} in {product}");
    }
    let totals = format!(
        "{} dispatches of {:.3} MFLOP, ",
        commands.len(),
        flops as f64 * 1e-6
    );
    assert!(lines[commands.len() + 1].starts_with(&totals), "{text}");
}
