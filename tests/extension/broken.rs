//! What the author of an operator is told when a kernel is wrong. Nothing here may panic, and the
//! device must stay of use.

use wgrad::graph::{Graph, ValueType};
use wgrad::ops::Operator;
use wgrad::plan::Lowering;
use wgrad::shader::{Grid, Kernel, Shader};
use wgrad::{Error, Session, SessionOptions};

use super::gpu;

/// Copies its operand, unless it is broken.
#[derive(Clone, Copy, Debug)]
struct Twin {
    source: &'static str,
    bound: &'static [&'static str],
    constants: &'static [&'static str],
    grid: Grid,
}

impl Twin {
    fn new(source: &'static str) -> Self {
        Self {
            source,
            bound: &["x", "y"],
            constants: &[],
            grid: Grid::Threads(1),
        }
    }
}

impl Operator for Twin {
    fn name(&self) -> &'static str {
        "twin"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, String> {
        Ok(vec![inputs[0].clone()])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), String> {
        let mut kernel = Kernel::new(Shader::new("twin", self.source), self.grid);
        for &name in self.bound {
            let operand = if name == "x" {
                cx.input(0)
            } else {
                cx.output(0)
            };
            kernel = kernel.bind(name, &operand);
        }
        for name in self.constants {
            kernel = kernel.constant(name, 1.0);
        }
        cx.dispatch(kernel);
        Ok(())
    }
}

const SOUND: &str = "
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if id.x == 0u { y[0] = x[0]; }
}";

/// The outcome of running the operator once: its result, or the error's words.
fn outcome(twin: Twin) -> Option<Result<Vec<f32>, String>> {
    let device = gpu::device()?;
    let mut graph = Graph::new();
    let x = graph.input("x", [3]);
    let y = graph.apply("copy", twin, &[x]);
    let session = match Session::new(device, &graph, &[y], SessionOptions::training(1)) {
        Ok(session) => session,
        Err(error) => {
            assert!(matches!(error, Error::Shader { .. }), "{error:?}");
            return Some(Err(error.to_string()));
        }
    };
    session.set(x, &[1.0, 2.0, 3.0]).unwrap();
    session.run().unwrap();
    Some(session.get(y).map_err(|error| error.to_string()))
}

/// Asserts that the operator is refused with all of these words, and that a sound one still runs.
fn refused(twin: Twin, words: &[&str]) {
    let Some(found) = outcome(twin) else { return };
    let message = found.unwrap_err();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
    assert_eq!(outcome(Twin::new(SOUND)), Some(Ok(vec![1.0, 2.0, 3.0])));
}

#[test]
fn a_syntax_error_is_shown_with_its_place() {
    let twin = Twin::new(
        "
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main() {
    y[0] = x[0]
}",
    );
    refused(twin, &["shader `twin`", "expected `;`", "twin:7:1"]);
}

#[test]
fn an_unknown_name_is_shown() {
    let twin = Twin::new(
        "
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main() { y[0] = twice * x[0]; }",
    );
    refused(twin, &["shader `twin`", "twice"]);
}

/// This one parses; the validator refuses it.
#[test]
fn a_type_error_is_shown() {
    let twin = Twin::new(
        "
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main() { y[0] = x[0].xyz; }",
    );
    refused(twin, &["shader `twin`", "twin:5", "y[0] = x[0].xyz"]);
}

#[test]
fn a_write_to_a_buffer_for_reading_is_shown() {
    let twin = Twin::new(
        "
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main() { x[0] = y[0]; }",
    );
    refused(twin, &["shader `twin`", "twin:5", "x[0] = y[0]"]);
}

#[test]
fn an_unknown_import_is_shown() {
    let twin = Twin::new(
        "#import wgrad::uncommon::linear_index
@compute @workgroup_size(64)
fn main() { linear_index(); }",
    );
    refused(twin, &["shader `twin`", "wgrad::uncommon"]);
}

#[test]
fn an_undefined_integer_is_shown() {
    let twin = Twin::new(
        "const LENGTH: u32 = #{LENGTH};
@compute @workgroup_size(64)
fn main() {}",
    );
    refused(twin, &["shader `twin`", "LENGTH"]);
}

#[test]
fn a_missing_entry_point_is_shown() {
    refused(
        Twin::new("fn helper() {}"),
        &["shader `twin`", "entry point"],
    );
}

#[test]
fn an_unbound_buffer_is_named() {
    let twin = Twin {
        bound: &["y"],
        ..Twin::new(SOUND)
    };
    refused(twin, &["shader `twin`", "nothing is bound to `x`"]);
}

#[test]
fn a_buffer_too_many_is_counted() {
    let twin = Twin {
        bound: &["x", "y", "z"],
        ..Twin::new(SOUND)
    };
    refused(
        twin,
        &["shader `twin`", "3 buffers are bound", "declares 2"],
    );
}

#[test]
fn a_constant_that_is_not_there_is_named() {
    let twin = Twin {
        constants: &["slope"],
        ..Twin::new(SOUND)
    };
    refused(twin, &["shader `twin`", "slope"]);
}

#[test]
fn a_buffer_read_and_written_at_once_is_refused() {
    let Some(device) = gpu::device() else { return };
    let source = "
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> y: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> z: array<vec4f>;
@compute @workgroup_size(64)
fn main() { z[0] = x[0] + y[0]; }";
    // `y` and `z` are both the result.
    let twin = Twin {
        bound: &["x", "y", "z"],
        ..Twin::new(source)
    };
    let mut graph = Graph::new();
    let x = graph.input("x", [3]);
    let y = graph.apply("copy", twin, &[x]);
    let options = SessionOptions::training(1);
    let error = Session::new(device, &graph, &[y], options).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("is read and written by one dispatch"),
        "{message}"
    );
}

#[test]
fn too_large_a_dispatch_is_refused() {
    let twin = Twin {
        grid: Grid::Workgroups([1, 1, 1 << 20]),
        ..Twin::new(SOUND)
    };
    refused(twin, &["shader `twin`", "workgroups"]);
}

#[test]
fn a_gradient_that_is_missing_is_reported_with_the_layer() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3]);
    let y = graph.apply("copy", Twin::new(SOUND), &[x]);
    let dy = graph.input("dy", [3]);
    let error = wgrad::autodiff::gradients_from(&mut graph, &[(y, dy)], &[x]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer `copy` (twin): twin has no gradient"
    );
}
