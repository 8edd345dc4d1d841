//! Random numbers for every element of an image or of features, which follow from seed, step, layer
//! and element alone: the host's half of `shaders/draws.wgsl`.

use super::{Reason, arity};
use crate::graph::{Element, ValueType};
use crate::layout::{LANES, Layout, padded};
use crate::plan::Lowering;
use crate::random::{STATE_BUFFER, STATE_LEN};
use crate::shader::{Grid, Kernel, Shader};

/// Channels and positions of a layout whose logical index is channel · positions + position.
fn planes(layout: &Layout) -> Option<[usize; 2]> {
    let (channels, outer) = layout.axes().split_last()?;
    let mut positions = 1;
    for axis in outer.iter().rev() {
        if axis.len > 1 && axis.stride != positions || axis.padded != axis.len {
            return None;
        }
        positions *= axis.len;
    }
    let in_order = channels.len == 1 || channels.stride == positions;
    (in_order && channels.padded == padded(channels.len)).then_some([channels.len, positions])
}

/// The shape rule: one operand whose elements can be numbered, and a result like it.
pub(crate) fn same_type(inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
    let [x] = arity::<1>(inputs)?;
    match x.element == Element::F32 && x.batched && planes(&x.layout).is_some() {
        true => Ok(vec![x]),
        false => Err(format!(
            "an image or features are needed, the input is {}",
            x.shape
        )),
    }
}

/// A kernel that draws a number for each element of the first operand, which is bound as `x`.
pub(crate) fn kernel(cx: &mut Lowering<'_>, shader: Shader, stream: u32) -> Result<Kernel, Reason> {
    let x = cx.input(0);
    let Some([channels, positions]) = planes(&x.value_type.layout) else {
        return Err("the input is neither an image nor features".to_owned());
    };
    let elements = x.value_type.logical_len(cx.batch());
    if u32::try_from(elements).is_err() {
        return Err(format!("{elements} elements are more than can be numbered"));
    }
    let quads = positions.is_multiple_of(LANES);
    let vectors = x.len / LANES;
    let length = if quads { vectors / LANES } else { vectors };
    let state = cx.persistent(STATE_BUFFER, 0, STATE_LEN);
    Ok(Kernel::new(shader, Grid::Threads(length))
        .defines([("LENGTH", length), ("CHANNELS", channels)])
        .define("POSITIONS", positions)
        .flag("QUADS", quads)
        .constant("stream", f64::from(stream))
        .bind("x", &x)
        .bind("state", state))
}

/// The stream of a layer: the 32-bit FNV-1a hash of its path.
pub(crate) fn stream_of(path: &str) -> u32 {
    path.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::{planes, stream_of};
    use crate::layout::Layout;

    /// Published FNV-1a vectors (draft-eastlake-fnv).
    #[test]
    fn path_hash_is_fnv_1a() {
        assert_eq!(stream_of(""), 0x811c_9dc5);
        assert_eq!(stream_of("a"), 0xe40c_292c);
        assert_eq!(stream_of("foobar"), 0xbf9c_f968);
    }

    #[test]
    fn samples_are_planes_of_positions_and_filters_are_not() {
        assert_eq!(planes(&Layout::sample(&[5, 2, 3].into())), Some([5, 6]));
        assert_eq!(planes(&Layout::sample(&[5].into())), Some([5, 1]));
        assert_eq!(planes(&Layout::sample(&[1, 4, 1].into())), Some([1, 4]));
        assert_eq!(planes(&Layout::sample(&[].into())), None);
        assert_eq!(planes(&Layout::filter([4, 4, 3, 3], false)), None);
        assert_eq!(planes(&Layout::row_major(&[3, 5].into())), None);
    }
}
