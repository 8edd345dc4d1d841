#define_import_path wgrad::philox

// Philox 4x32-10, a counter-based random number generator (Salmon, Moraes, Dror and Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Twin of src/random/philox.rs.
//
// `counter` says which number is wanted, `key` is the seed, low word first. There is no state:
// every thread computes its own numbers, in any order, and gets the ones the host would get.

const ROUNDS: u32 = 10u;
// Multipliers for the counter's words 0 and 2.
const MULTIPLIERS = vec2u(0xD2511F53u, 0xCD9E8D57u);
// What each round adds to the key: the golden ratio and sqrt(3) - 1 as 32-bit fractions.
const KEY_STEPS = vec2u(0x9E3779B9u, 0xBB67AE85u);

// The upper 32 bits of a * b, for two products at once. WGSL has no 64-bit integer, so each
// factor is cut into 16-bit halves, and the four partial products are added as on paper; no sum
// below can exceed 32 bits.
fn mul_high(a: vec2u, b: vec2u) -> vec2u {
    let half = vec2u(0xFFFFu);
    let shift = vec2u(16u);
    let a_low = a & half;
    let a_high = a >> shift;
    let b_low = b & half;
    let b_high = b >> shift;

    let low = a_low * b_low;
    let cross = a_high * b_low + (low >> shift);
    let middle = a_low * b_high + (cross & half);
    return a_high * b_high + (cross >> shift) + (middle >> shift);
}

// 128 random bits for one counter.
fn philox4x32_10(counter: vec4u, key: vec2u) -> vec4u {
    var c = counter;
    var k = key;
    for (var round = 0u; round < ROUNDS; round++) {
        let low = c.xz * MULTIPLIERS; // wraps, which is the lower half of the product
        let high = mul_high(c.xz, MULTIPLIERS);
        c = vec4u(high.y ^ c.y ^ k.x, low.y, high.x ^ c.w ^ k.y, low.x);
        k += KEY_STEPS;
    }
    return c;
}

// Random bits as numbers in [0, 1): the upper 24 bits times 2^-24, which is exact in f32.
fn uniform01(bits: vec4u) -> vec4f {
    return vec4f(bits >> vec4u(8u)) * (1.0 / 16777216.0);
}
