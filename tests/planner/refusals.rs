//! What planning refuses, and how it says so: operators from outside the crate that are wrong.

use wgrad::graph::{Graph, ValueType};
use wgrad::ops::{Operator, Reason};
use wgrad::plan::{AdapterProfile, Lowering, Mode};
use wgrad::shader::{Grid, Kernel, Shader};

use crate::planning::{Planned, options};

/// An operator of one operand and one result, with kernels to be chosen.
#[derive(Clone, Copy, Debug)]
struct Outsider(fn(&mut Lowering<'_>) -> Result<(), Reason>);

impl Operator for Outsider {
    fn name(&self) -> &'static str {
        "outsider"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        Ok(vec![inputs[0].clone()])
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        (self.0)(cx)
    }
}

/// Doubles the first vector.
const DOUBLE: Shader = Shader::new(
    "double",
    "@group(0) @binding(0) var<storage, read> x: array<vec4f>;
     @group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
     @compute @workgroup_size(64) fn main() { y[0] = 2.0 * x[0]; }",
);

fn plan(
    batch: usize,
    adapter: &AdapterProfile,
    lower: fn(&mut Lowering<'_>) -> Result<(), Reason>,
) -> Result<(), String> {
    let mut graph = Graph::new();
    let x = graph.input("x", [4]);
    let y = graph.apply("layer", Outsider(lower), &[x]);
    Planned::new(&graph, &[y], options(batch, Mode::Training), adapter)
        .map(drop)
        .map_err(|error| error.to_string())
}

fn refusal(lower: fn(&mut Lowering<'_>) -> Result<(), Reason>) -> String {
    plan(1, &AdapterProfile::gpu(), lower).unwrap_err()
}

#[test]
fn an_operator_from_outside_is_planned() {
    let planned = plan(1, &AdapterProfile::gpu(), |cx| {
        let (x, y) = (cx.input(0), cx.output(0));
        cx.dispatch(
            Kernel::new(DOUBLE, Grid::Threads(1))
                .bind("y", &y)
                .bind("x", &x),
        );
        Ok(())
    });
    assert_eq!(planned, Ok(()));
}

#[test]
fn a_batch_of_size_zero() {
    let error = plan(0, &AdapterProfile::gpu(), |_| Ok(())).unwrap_err();
    assert_eq!(error, "a batch of size zero has no samples");
}

#[test]
fn a_graph_that_does_not_fit() {
    let mut graph = Graph::new();
    let a = graph.input("a", [3]);
    let b = graph.input("b", [4]);
    let y = graph.add(a, b);
    let options = options(1, Mode::Training);
    let error = Planned::new(&graph, &[y], options, &AdapterProfile::cpu()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer `add1` (add): the operands' shapes [3] and [4] differ"
    );
}

#[test]
fn an_operator_that_cannot_run() {
    assert_eq!(
        refusal(|_| Err("not on a Tuesday".to_owned())),
        "layer `layer` (outsider): not on a Tuesday"
    );
}

#[test]
fn a_name_that_is_not_bound() {
    let error = refusal(|cx| {
        let x = cx.input(0);
        cx.dispatch(Kernel::new(DOUBLE, Grid::Threads(1)).bind("x", &x));
        Ok(())
    });
    assert_eq!(error, "shader `double`: nothing is bound to `y`");
}

#[test]
fn a_name_that_the_shader_does_not_declare() {
    let error = refusal(|cx| {
        let (x, y) = (cx.input(0), cx.output(0));
        let kernel = Kernel::new(DOUBLE, Grid::Threads(1));
        cx.dispatch(kernel.bind("x", &x).bind("y", &y).bind("z", &x));
        Ok(())
    });
    assert_eq!(
        error,
        "shader `double`: 3 buffers are bound, the shader declares 2"
    );
}

#[test]
fn one_buffer_read_and_written() {
    let error = refusal(|cx| {
        let y = cx.output(0);
        cx.dispatch(
            Kernel::new(DOUBLE, Grid::Threads(1))
                .bind("x", &y)
                .bind("y", &y),
        );
        Ok(())
    });
    // Nothing wrote it before either.
    assert_eq!(
        error,
        "shader `double`: in `layer`: `layer` is read but no longer, or not yet, there"
    );
}

#[test]
fn parameters_and_the_buffer_they_lie_in() {
    let error = refusal(|cx| {
        let (a, b) = (cx.persistent("own", 0, 4), cx.persistent("own", 64, 4));
        cx.dispatch(
            Kernel::new(DOUBLE, Grid::Threads(1))
                .bind("x", a)
                .bind("y", b),
        );
        Ok(())
    });
    assert_eq!(
        error,
        "shader `double`: in `layer`: `own` is read and written by one dispatch"
    );
}

#[test]
fn a_temporary_that_nothing_wrote() {
    let error = refusal(|cx| {
        let (x, y) = (cx.temporary("sums", 4), cx.output(0));
        cx.dispatch(
            Kernel::new(DOUBLE, Grid::Threads(1))
                .bind("x", x)
                .bind("y", &y),
        );
        Ok(())
    });
    assert_eq!(
        error,
        "shader `double`: in `layer`: `layer.sums` is read but no longer, or not yet, there"
    );
}

#[test]
fn more_workgroups_than_the_adapter_runs() {
    let error = refusal(|cx| {
        let (x, y) = (cx.input(0), cx.output(0));
        let kernel = Kernel::new(DOUBLE, Grid::Workgroups([1, 1, 65_536]));
        cx.dispatch(kernel.bind("x", &x).bind("y", &y));
        Ok(())
    });
    assert_eq!(
        error,
        "shader `double`: [1, 1, 65536] workgroups are more than the adapter's 65535"
    );
}

#[test]
fn more_buffers_than_the_adapter_binds() {
    let mut adapter = AdapterProfile::gpu();
    adapter.max_storage_buffers = 1;
    let error = plan(1, &adapter, |cx| {
        let (x, y) = (cx.input(0), cx.output(0));
        cx.dispatch(
            Kernel::new(DOUBLE, Grid::Threads(1))
                .bind("x", &x)
                .bind("y", &y),
        );
        Ok(())
    });
    assert_eq!(
        error.unwrap_err(),
        "shader `double`: it binds more than 1 storage buffers"
    );
}

/// The message names the shader and the line, and shows it.
#[test]
fn a_shader_that_does_not_compile() {
    const BROKEN: Shader = Shader::new(
        "broken",
        "@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;

         @compute @workgroup_size(64)
         fn main() {
             y[0] = undeclared[0];
         }",
    );
    let error = refusal(|cx| {
        let y = cx.output(0);
        cx.dispatch(Kernel::new(BROKEN, Grid::Threads(1)).bind("y", &y));
        Ok(())
    });
    assert!(error.starts_with("shader `broken`: "), "{error}");
    for part in [
        "broken:5:",
        "y[0] = undeclared[0];",
        "no definition in scope",
    ] {
        assert!(error.contains(part), "{part:?} is missing: {error}");
    }
}

#[test]
fn a_shader_without_an_integer_that_it_needs() {
    const NEEDY: Shader = Shader::new(
        "needy",
        "@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;
         const LENGTH: u32 = #{LENGTH};
         @compute @workgroup_size(64) fn main() { y[LENGTH] = vec4f(); }",
    );
    let error = refusal(|cx| {
        let y = cx.output(0);
        cx.dispatch(Kernel::new(NEEDY, Grid::Threads(1)).bind("y", &y));
        Ok(())
    });
    assert!(error.starts_with("shader `needy`: "), "{error}");
    assert!(error.contains("LENGTH"), "{error}");
}

#[test]
fn a_shader_that_binds_what_is_no_storage_buffer() {
    const UNIFORM: Shader = Shader::new(
        "uniform",
        "@group(0) @binding(0) var<uniform> u: vec4f;
         @group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
         @compute @workgroup_size(64) fn main() { y[0] = u; }",
    );
    let error = refusal(|cx| {
        let (x, y) = (cx.input(0), cx.output(0));
        cx.dispatch(
            Kernel::new(UNIFORM, Grid::Threads(1))
                .bind("u", &x)
                .bind("y", &y),
        );
        Ok(())
    });
    assert_eq!(
        error,
        "shader `uniform`: `u` is a uniform buffer: for the operator's own numbers alone"
    );
}

#[test]
fn what_is_no_buffer_is_refused() {
    const TEXTURE: Shader = Shader::new(
        "texture",
        "@group(0) @binding(0) var t: texture_2d<f32>;
         @group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
         @compute @workgroup_size(64) fn main() { y[0] = textureLoad(t, vec2u(), 0); }",
    );
    let error = refusal(|cx| {
        let (x, y) = (cx.input(0), cx.output(0));
        cx.dispatch(
            Kernel::new(TEXTURE, Grid::Threads(1))
                .bind("t", &x)
                .bind("y", &y),
        );
        Ok(())
    });
    assert_eq!(error, "shader `texture`: `t` is not a buffer");
}
