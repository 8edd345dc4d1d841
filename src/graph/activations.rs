//! Activations in a chain, beside the commonest ones in `network.rs`.

use super::{Layer, Network};
use crate::ops::{Celu, Elu, Gelu, Rrelu, Softplus};

impl Network {
    /// A rectifier whose slopes for negative values are drawn from U(1/8, 1/3) in training.
    pub fn rrelu(&mut self) -> &mut Self {
        self.layer(Layer::Rrelu(Rrelu::default()))
    }

    /// `α(eˣ − 1)` for negative values.
    pub fn elu(&mut self, alpha: f64) -> &mut Self {
        self.layer(Layer::Elu(Elu::new(alpha)))
    }

    /// `α(e^{x/α} − 1)` for negative values.
    pub fn celu(&mut self, alpha: f64) -> &mut Self {
        self.layer(Layer::Celu(Celu::new(alpha)))
    }

    /// The self-normalising ELU; the default initialiser in front becomes LeCun's.
    pub fn selu(&mut self) -> &mut Self {
        self.layer(Layer::Selu)
    }

    /// `ln(1 + eˣ)`.
    pub fn softplus(&mut self) -> &mut Self {
        self.layer(Layer::Softplus(Softplus::default()))
    }

    /// `x/(1 + e⁻ˣ)`, also known as swish.
    pub fn silu(&mut self) -> &mut Self {
        self.layer(Layer::Silu)
    }

    /// `x·Φ(x)` with the normal distribution function; the form with tanh is
    /// `.layer(Layer::Gelu(Gelu::tanh()))`.
    pub fn gelu(&mut self) -> &mut Self {
        self.layer(Layer::Gelu(Gelu::new()))
    }

    /// `x·tanh(ln(1 + eˣ))`.
    pub fn mish(&mut self) -> &mut Self {
        self.layer(Layer::Mish)
    }

    /// `min(max(0, x), 6)`.
    pub fn relu6(&mut self) -> &mut Self {
        self.layer(Layer::Relu6)
    }

    /// `x·min(max(0, x + 3), 6)/6`.
    pub fn hard_swish(&mut self) -> &mut Self {
        self.layer(Layer::HardSwish)
    }

    /// `min(max(0, x + 3), 6)/6`.
    pub fn hard_sigmoid(&mut self) -> &mut Self {
        self.layer(Layer::HardSigmoid)
    }

    /// Softmax over the channels of each position. The loss of classification wants logits, without
    /// it.
    pub fn softmax(&mut self) -> &mut Self {
        self.layer(Layer::Softmax)
    }

    /// The logarithm of softmax over the channels of each position.
    pub fn log_softmax(&mut self) -> &mut Self {
        self.layer(Layer::LogSoftmax)
    }

    /// A learned factor and summand for each channel.
    pub fn scale_shift(&mut self) -> &mut Self {
        self.layer(Layer::ScaleShift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Initialiser;
    use crate::init::{Fans, Init};

    #[test]
    fn every_method_adds_its_operator() {
        let mut net = Network::input([3, 2, 2]);
        net.rrelu().elu(0.5).celu(0.7).selu().softplus().silu();
        net.gelu().mish().relu6().hard_swish().hard_sigmoid();
        net.softmax().log_softmax().scale_shift();
        let (graph, _, _) = net.graph().unwrap();
        let nodes = graph.nodes().iter();
        let operators: Vec<String> = nodes.map(|node| format!("{:?}", node.operator)).collect();
        let (rrelu, others) = operators.split_first().unwrap();
        assert!(rrelu.starts_with("Rrelu { lower: 0.125, upper: 0.33333334,"));
        assert_eq!(
            others,
            [
                "Elu { alpha: 0.5 }",
                "Celu { alpha: 0.7 }",
                "Selu",
                "Softplus { beta: 1.0 }",
                "Silu",
                "Gelu { tanh: false }",
                "Mish",
                "Relu6",
                "HardSwish",
                "HardSigmoid",
                "Softmax",
                "LogSoftmax",
                "ScaleShift",
            ]
        );
    }

    /// The law of a weight in front of these layers.
    fn law(layers: &[Layer]) -> Initialiser {
        let mut net = Network::input([3, 4, 4]);
        net.conv(5, 3);
        for layer in layers {
            net.layer(layer.clone());
        }
        let (mut graph, _, _) = net.graph().unwrap();
        graph.resolve_initialisers();
        graph.parameters()[0].initialiser.clone()
    }

    #[test]
    fn the_default_initialiser_follows_the_activation() {
        for layer in [
            Layer::Elu(Elu::default()),
            Layer::Celu(Celu::default()),
            Layer::Softplus(Softplus::default()),
            Layer::Silu,
            Layer::Gelu(Gelu::new()),
            Layer::Mish,
            Layer::Relu6,
            Layer::HardSwish,
        ] {
            assert_eq!(law(&[layer]), Initialiser::Given(Init::he()));
        }
        for layer in [Layer::HardSigmoid, Layer::Softmax, Layer::LogSoftmax] {
            assert_eq!(law(&[layer]), Initialiser::Given(Init::xavier()));
        }
        let random = Layer::Rrelu(Rrelu::new(0.25, 0.75));
        let he = Init::he().negative_slope(0.5);
        assert_eq!(law(&[random]), Initialiser::Given(he));
        assert_eq!(
            law(&[Layer::ScaleShift, Layer::Relu]),
            Initialiser::Given(Init::he())
        );
    }

    #[test]
    fn in_front_of_selu_it_is_lecuns() {
        let Initialiser::Given(law) = law(&[Layer::Selu]) else {
            panic!("no law was chosen")
        };
        let fans = Fans::of(&[5, 3, 3, 3]);
        let expected = Init::lecun().variance(fans).unwrap();
        assert_eq!(law.variance(fans).unwrap(), expected);
    }
}
