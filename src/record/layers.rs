//! The dispatches of a profile by layer.

use super::profile::{Profile, Timed};

/// What the dispatches of one layer take together, gradients included.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LayerTime {
    /// The layer, or layers that became one kernel, joined by `+`.
    pub layer: String,
    /// How many dispatches there are.
    pub dispatches: usize,
    /// Device time, where the adapter has timestamps.
    pub seconds: Option<f64>,
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes of the ranges that are bound for reading.
    pub bytes_read: u64,
    /// Bytes of the ranges that are bound for writing.
    pub bytes_written: u64,
}

impl LayerTime {
    fn new(layer: &str) -> Self {
        Self {
            layer: layer.to_owned(),
            dispatches: 0,
            seconds: Some(0.0),
            flops: 0,
            bytes_read: 0,
            bytes_written: 0,
        }
    }

    fn add(&mut self, timed: &Timed) {
        self.dispatches += 1;
        let sum = self.seconds.zip(timed.seconds);
        self.seconds = sum.map(|(total, more)| total + more);
        self.flops += timed.flops;
        self.bytes_read += timed.bytes_read;
        self.bytes_written += timed.bytes_written;
    }
}

/// In the order of each layer's first dispatch.
pub(super) fn by_layer(profile: &Profile) -> Vec<LayerTime> {
    let nodes: Vec<&str> = profile.dispatches.iter().map(|d| d.node.as_str()).collect();
    let mut layers: Vec<LayerTime> = Vec::new();
    for timed in &profile.dispatches {
        let layer = layer_of(&timed.node, &nodes);
        match layers.iter_mut().find(|known| known.layer == layer) {
            Some(known) => known.add(timed),
            None => {
                let mut known = LayerTime::new(layer);
                known.add(timed);
                layers.push(known);
            }
        }
    }
    layers
}

/// The node of the forward pass that a node belongs to: the node of a gradient is named
/// `<layer>.<operator>`, and fused nodes are joined by `+`.
fn layer_of<'a>(node: &'a str, nodes: &[&'a str]) -> &'a str {
    let first = node.split('+').next().unwrap_or(node);
    let ends = first.match_indices('.').map(|(dot, _)| dot);
    for end in ends {
        let prefix = &first[..end];
        let owner = nodes
            .iter()
            .find(|n| n.split('+').any(|part| part == prefix));
        if let Some(owner) = owner {
            return owner;
        }
    }
    node
}

#[cfg(test)]
mod tests {
    use super::layer_of;

    #[test]
    fn gradients_belong_to_the_layer_of_the_forward_pass() {
        let nodes = [
            "layer1.0.conv1",
            "prelu1+max_pool1",
            "linear1",
            "max_pool1.max_pool2d_grad+prelu1.prelu_grad",
            "layer1.0.conv1.channel_sum",
            "update",
        ];
        let of = |node: &'static str| layer_of(node, &nodes);
        assert_eq!(of(nodes[3]), "prelu1+max_pool1");
        assert_eq!(of(nodes[4]), "layer1.0.conv1");
        assert_eq!(of("linear1.linear_grad_input"), "linear1");
        for own in ["layer1.0.conv1", "prelu1+max_pool1", "update"] {
            assert_eq!(of(own), own);
        }
    }
}
