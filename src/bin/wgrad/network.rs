//! The networks by name.

use wgrad::Result;
use wgrad::graph::Network;
use wgrad::models;

/// The name of the network that is trained unless told otherwise.
pub const SMALL: &str = "small";

/// All names.
pub fn names() -> Vec<&'static str> {
    let known = models::ALL.iter().map(|known| known.name);
    [SMALL].into_iter().chain(known).collect()
}

/// The network of this name, for images `[C, H, W]`.
#[rustfmt::skip]
pub fn network(name: &str, input: [usize; 3], classes: usize) -> Result<Network> {
    if name != SMALL {
        return models::by_name(name, input, classes);
    }
    let mut net = Network::input(input);
    net.conv(24, 3).padding(1).prelu().max_pool(2)
       .conv(48, 3).padding(1).prelu().max_pool(2).dropout(0.25)
       .linear(64).prelu().dropout(0.25)
       .linear(classes);
    Ok(net)
}

/// Rows and columns that a folder's images are scaled to unless told otherwise: the paper's.
pub fn size(name: &str) -> usize {
    let known = models::ALL.iter().find(|known| known.name == name);
    known.map_or(64, |known| known.input[1])
}
