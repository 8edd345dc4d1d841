//! Further layers of a chain: normalisation by sample, and other sizes.

use super::{Layer, Network};
use crate::ops::{GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm, Slice, Upsample, ZeroPad};

impl Network {
    /// Group normalisation with this many groups, which must divide the channels.
    pub fn group_norm(&mut self, groups: usize) -> &mut Self {
        self.layer(Layer::GroupNorm(GroupNorm::new(groups)))
    }

    /// Layer normalisation of whole samples.
    pub fn layer_norm(&mut self) -> &mut Self {
        self.layer(Layer::LayerNorm(LayerNorm::new()))
    }

    /// Instance normalisation, without learned scale and shift.
    pub fn instance_norm(&mut self) -> &mut Self {
        self.layer(Layer::InstanceNorm(InstanceNorm::new()))
    }

    /// Local response normalisation across channels or within them.
    pub fn local_response_norm(&mut self, norm: LocalResponseNorm) -> &mut Self {
        self.layer(Layer::LocalResponseNorm(norm))
    }

    /// Zeros around the image: `1`, or a [`ZeroPad`] with sides of their own widths.
    pub fn zero_pad(&mut self, padding: impl Into<ZeroPad>) -> &mut Self {
        self.layer(Layer::ZeroPad(padding.into()))
    }

    /// Some channels, rows and columns.
    pub fn slice(&mut self, slice: Slice) -> &mut Self {
        self.layer(Layer::Slice(slice))
    }

    /// Another size of the image.
    pub fn upsample(&mut self, upsample: Upsample) -> &mut Self {
        self.layer(Layer::Upsample(upsample))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Network;
    use crate::ops::{LocalResponseNorm, Slice, Upsample, ZeroPad};

    #[test]
    fn a_chain_applies_what_a_graph_has() {
        let mut net = Network::input([4, 6, 6]);
        net.zero_pad(ZeroPad::sides([0, 2], [1, 1]))
            .group_norm(2)
            .name("first")
            .local_response_norm(LocalResponseNorm::new(3))
            .upsample(Upsample::nearest([1, 2]))
            .instance_norm()
            .slice(Slice::new().channels(1..))
            .layer_norm();
        let (graph, _, output) = net.graph().unwrap();
        assert_eq!(graph.shape(output)[..], [3, 8, 16]);
        let names: Vec<_> = graph.nodes().iter().map(|n| n.name.as_str()).collect();
        let expected = [
            "zero_pad1",
            "first",
            "lrn1",
            "upsample1",
            "in1",
            "slice1",
            "ln1",
        ];
        assert_eq!(names, expected);
    }
}
