// |w| and |g| of every parameter of a list, written to all blocks of the parameter: the second
// pass after norm_partials, whose chunk is then a block of 64 numbers.
//
// One workgroup a parameter. Invocation k joins the blocks k, k + 256, ...; then the 256 pieces
// are joined pair by pair. The order depends on the parameter's length alone.

#import wgrad::norm::{joined, norm_of}

const PARAMETERS: u32 = #{PARAMETERS};
const WORKGROUP: u32 = 256;

@group(0) @binding(0) var<storage, read> spans: array<vec2u>; // first block, blocks
@group(0) @binding(1) var<storage, read> weight_partials: array<vec2f>;
@group(0) @binding(2) var<storage, read> gradient_partials: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> norms: array<vec2f>;

var<workgroup> weights: array<vec2f, WORKGROUP>;
var<workgroup> gradients: array<vec2f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let parameter = group.y * groups.x + group.x;
    if parameter >= PARAMETERS {
        return; // the whole workgroup
    }
    let first = spans[parameter].x;
    let end = first + spans[parameter].y;
    var weight = vec2f();
    var gradient = vec2f();
    for (var block = first + lane; block < end; block += WORKGROUP) {
        weight = joined(weight, weight_partials[block]);
        gradient = joined(gradient, gradient_partials[block]);
    }
    weights[lane] = weight;
    gradients[lane] = gradient;
    for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            weights[lane] = joined(weights[lane], weights[lane + width]);
            gradients[lane] = joined(gradients[lane], gradients[lane + width]);
        }
    }
    workgroupBarrier();
    let both = vec2f(norm_of(weights[0]), norm_of(gradients[0]));
    for (var block = first + lane; block < end; block += WORKGROUP) {
        norms[block] = both;
    }
}
