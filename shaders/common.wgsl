// Functions that any kernel may import.

#define_import_path wgrad::common

// The number of this invocation in a one-dimensional dispatch with workgroups of 64, which
// may have spilled from x into y.
fn linear_index(id: vec3u, groups: vec3u) -> u32 {
    return id.y * groups.x * 64u + id.x;
}

// Whether each lane is NaN, asked of the bits: `v != v` is false on drivers that assume no NaN.
fn is_nan(v: vec4f) -> vec4<bool> {
    return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

// v^exponent for v > 0. NaN stays NaN, which `pow` of some drivers makes a number.
fn power(v: vec4f, exponent: f32) -> vec4f {
    return select(pow(v, vec4f(exponent)), v, is_nan(v));
}

// The numbers of the four lanes of vec4 v: channels or classes.
fn lanes_of(v: u32) -> vec4u {
    return vec4u(4 * v) + vec4u(0, 1, 2, 3);
}

// The first position of bin `i` of `bins` that cover `length` positions in adaptive pooling, and the
// one behind its last: floor(i * length / bins) and ceil((i + 1) * length / bins).
fn bin(i: u32, length: u32, bins: u32) -> vec2u {
    return vec2u(i * length / bins, ((i + 1) * length + bins - 1) / bins);
}

// The first row and the number of rows that one split of a long sum adds, of ROWS in all. Rows
// come in blocks of `neighbours` * `most`; the `neighbours` splits of a block take its rows in
// turn, so that neighbouring invocations read neighbouring memory and a block stays in the
// cache. A split goes on every `neighbours` rows; it may have none.
fn rows_of_split(split: u32, rows: u32, neighbours: u32, most: u32) -> vec2u {
    let first = split / neighbours * neighbours * most + split % neighbours;
    let left = max(rows, first) - first;
    return vec2u(first, min(most, (left + neighbours - 1) / neighbours));
}

// The groups in which the four channels of a vec4 lie, when neighbouring channels are grouped.
// Lanes beyond the last channel count to its group.
fn groups_of_lanes(v: u32, channels: u32, group_channels: u32) -> vec4u {
    return min(4u * v + vec4u(0u, 1u, 2u, 3u), vec4u(channels - 1u)) / vec4u(group_channels);
}
