//! Networks with other laws for their first weights.

use super::Network;
use super::parameter::Initialiser;
use super::pattern::matches;
use crate::error::{Error, Result};
use crate::init::Init;

impl Network {
    /// The same network with another law for the first values of some parameters: `fc.weight`,
    /// everything below a path (`layer1.*`), or all of a kind (`*.bias`), as
    /// [`Model::freeze`](crate::train::Model::freeze) chooses them.
    ///
    /// ```
    /// use wgrad::{init::Init, models};
    ///
    /// let net = models::resnet18([3, 64, 64], 10);
    /// // Each block begins as the identity.
    /// let net = net.with_init("layer*.bn2.weight", Init::Constant(0.0))?;
    /// # Ok::<(), wgrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Network::graph`]; [`Error::UnknownName`] when the pattern chooses none.
    pub fn with_init(&self, pattern: &str, init: Init) -> Result<Self> {
        let (mut graph, input, output) = self.graph()?;
        let mut chosen = 0;
        for parameter in graph.parameters_mut() {
            if matches(pattern, &parameter.name) {
                parameter.initialiser = Initialiser::Given(init.clone());
                chosen += 1;
            }
        }
        if chosen == 0 {
            let names = graph.parameters().iter().map(|p| p.name.as_str());
            return Err(Error::UnknownName {
                kind: "parameter",
                name: pattern.to_owned(),
                known: names.collect::<Vec<_>>().join(", "),
            });
        }
        Ok(Self::of_graph(graph, input, output))
    }
}
