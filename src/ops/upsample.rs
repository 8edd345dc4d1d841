//! Images of another size, by the nearest neighbour or by bilinear interpolation.

use super::{Operator, Reason, arity, elementwise, image, image_gradient};
use crate::autodiff::Backward;
use crate::graph::{Graph, ValueType, Var};
use crate::layout::LANES;
use crate::onnx::{Constant, OnnxNode, Translation};
use crate::plan::{BufferId, Lowering};
use crate::shader::{Grid, Kernel, shader};
use crate::shape::Size2d;

/// Longer axes are refused: the places on them are computed in whole numbers of 32 bits.
const LONGEST: usize = 32_768;

/// How a value is found between the input's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Nearest,
    Bilinear,
    /// Bilinear, where the corners' centres stay in place.
    AlignedCorners,
}

/// The size of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Factor(Size2d),
    Size(Size2d),
}

/// `y[c,i,j]` is x at row `s(i)` and column `s(j)`, for an axis of L numbers that becomes one of L′:
///
/// * nearest: `s(i) = ⌊i·L/L′⌋`, exactly; PyTorch rounds L/L′ before, and may differ where the
///   product is whole;
/// * bilinear: `s(i) = max(0, (i + ½)·L/L′ − ½)`, between the two nearest rows and columns;
/// * bilinear with aligned corners: `s(i) = i·(L − 1)/(L′ − 1)`.
///
/// The definitions are those of PyTorch's `interpolate`, which the size may also make smaller. The
/// gradient gathers: each input adds, in the order of the outputs, `w·δ` of those that it took
/// part in with weight w, first along the columns, then along the rows.
///
/// ```
/// use wgrad::graph::Graph;
/// use wgrad::ops::Upsample;
///
/// let mut graph = Graph::new();
/// let x = graph.input("x", [16, 8, 8]);
/// let y = graph.upsample(x, Upsample::nearest(2));
/// assert_eq!(graph.shape(y)[..], [16, 16, 16]);
/// let z = graph.upsample(y, Upsample::bilinear_to([33, 21]).align_corners(true));
/// assert_eq!(graph.shape(z)[..], [16, 33, 21]);
/// # graph.check()?;
/// # Ok::<(), wgrad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upsample {
    method: Method,
    target: Target,
}

impl Upsample {
    /// Every pixel `factor` times along each axis: `2`, or `[rows, columns]`.
    pub fn nearest(factor: impl Into<Size2d>) -> Self {
        Self {
            method: Method::Nearest,
            target: Target::Factor(factor.into()),
        }
    }

    /// To `[rows, columns]`, by the nearest neighbour.
    pub fn nearest_to(size: impl Into<Size2d>) -> Self {
        Self {
            method: Method::Nearest,
            target: Target::Size(size.into()),
        }
    }

    /// `factor` times as large along each axis, interpolated.
    pub fn bilinear(factor: impl Into<Size2d>) -> Self {
        Self {
            method: Method::Bilinear,
            ..Self::nearest(factor)
        }
    }

    /// To `[rows, columns]`, interpolated.
    pub fn bilinear_to(size: impl Into<Size2d>) -> Self {
        Self {
            method: Method::Bilinear,
            ..Self::nearest_to(size)
        }
    }

    /// Whether the centres of the corners stay in place, in place of the image's edges; not
    /// unless told. The nearest neighbour knows no such thing.
    #[must_use]
    pub const fn align_corners(mut self, align_corners: bool) -> Self {
        self.method = match self.method {
            Method::Nearest => Method::Nearest,
            _ if align_corners => Method::AlignedCorners,
            _ => Method::Bilinear,
        };
        self
    }

    fn output(&self, [channels, height, width]: [usize; 3]) -> Result<[usize; 3], Reason> {
        let (rows, columns) = match self.target {
            Target::Size(size) => (size.height, size.width),
            Target::Factor(factor) => (
                height.saturating_mul(factor.height),
                width.saturating_mul(factor.width),
            ),
        };
        let lengths = [height, width, rows, columns];
        if lengths.iter().any(|len| !(1..=LONGEST).contains(len)) {
            return Err(format!(
                "an image of {height}x{width} cannot become one of {rows}x{columns}: an axis has \
                 1 to {LONGEST} numbers"
            ));
        }
        Ok([channels, rows, columns])
    }

    fn flags(&self, kernel: Kernel) -> Kernel {
        kernel
            .flag("NEAREST", self.method == Method::Nearest)
            .flag("ALIGN_CORNERS", self.method == Method::AlignedCorners)
    }
}

impl Operator for Upsample {
    fn name(&self) -> &'static str {
        "upsample"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        let [x] = arity::<1>(inputs)?;
        Ok(vec![ValueType {
            batched: x.batched,
            ..ValueType::sample(self.output(image(&x)?)?)
        }])
    }

    fn gradient(&self, cx: &mut Backward<'_>) -> Result<(), Reason> {
        let delta = cx.output_delta()?;
        let gradient = UpsampleGrad {
            upsample: *self,
            input: image(&cx.type_of(cx.input(0)))?,
        };
        let dx = cx.apply(gradient, &[delta]);
        cx.set(0, dx);
        Ok(())
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (x, y) = (cx.input(0), cx.output(0));
        let [channels, in_height, in_width] = image(&x.value_type)?;
        let [_, height, width] = image(&y.value_type)?;
        let kernel = elementwise::kernel(shader!("upsample"), "y", &y)
            .defines([
                ("VECS", channels.div_ceil(LANES)),
                ("IN_HEIGHT", in_height),
                ("IN_WIDTH", in_width),
                ("HEIGHT", height),
                ("WIDTH", width),
            ])
            .bind("x", &x);
        cx.dispatch(self.flags(kernel));
        Ok(())
    }

    fn onnx(&self, cx: &mut Translation<'_>) -> Result<(), Reason> {
        let (input, output) = (image(cx.input_type(0))?, image(cx.output_type())?);
        let mut x = cx.input(0)?;
        let whole = |axis: usize| output[axis].is_multiple_of(input[axis]);
        if self.method == Method::Nearest && !(whole(1) && whole(2)) {
            // Rounding makes `Resize` miss by a pixel where the factor is no whole number.
            for (axis, name) in [(1, "rows"), (2, "columns")] {
                let nearest = |i: usize| (i * input[axis] / output[axis]) as i64;
                let indices = (0..output[axis]).map(nearest).collect();
                let indices = cx.constant(name, Constant::Ints(indices));
                let taken = OnnxNode::new("Gather", [x, indices]).int("axis", axis as i64 + 1);
                if axis == 2 {
                    cx.result(taken);
                    return Ok(());
                }
                x = cx.step(taken);
            }
            return Ok(());
        }
        let batch = OnnxNode::new("Shape", [x.clone()])
            .int("start", 0)
            .int("end", 1);
        let batch = cx.step(batch);
        let sizes = output.iter().map(|extent| *extent as i64).collect();
        let sizes = cx.constant("sizes", Constant::Ints(sizes));
        let sizes = cx.step(OnnxNode::new("Concat", [batch, sizes]).int("axis", 0));
        let node = OnnxNode::new("Resize", [x, String::new(), String::new(), sizes]);
        cx.result(match self.method {
            Method::Nearest => node
                .text("mode", "nearest")
                .text("coordinate_transformation_mode", "asymmetric")
                .text("nearest_mode", "floor"),
            Method::Bilinear => node
                .text("mode", "linear")
                .text("coordinate_transformation_mode", "half_pixel"),
            Method::AlignedCorners => node
                .text("mode", "linear")
                .text("coordinate_transformation_mode", "align_corners"),
        });
        Ok(())
    }

    fn keeps_distribution(&self) -> bool {
        true
    }

    fn flops(&self, _: &[&ValueType], outputs: &[&ValueType], batch: usize) -> u64 {
        let each = if self.method == Method::Nearest { 0 } else { 9 };
        outputs
            .first()
            .map_or(0, |y| (each * y.logical_len(batch)) as u64)
    }
}

/// δ of x; see [`Upsample`]. Operand: δ of y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpsampleGrad {
    upsample: Upsample,
    input: [usize; 3],
}

impl UpsampleGrad {
    /// The kernel for one axis of `from` numbers in y and `to` in x, each of them `inner` vec4s;
    /// it writes `vectors` vec4s.
    fn along(&self, from: usize, to: usize, inner: usize, vectors: usize) -> Kernel {
        let kernel = Kernel::new(shader!("upsample_grad"), Grid::Threads(vectors)).defines([
            ("LENGTH", vectors),
            ("INNER", inner),
            ("IN", to),
            ("OUT", from),
        ]);
        self.upsample.flags(kernel)
    }
}

impl Operator for UpsampleGrad {
    fn name(&self) -> &'static str {
        "upsample_grad"
    }

    fn infer(&self, inputs: &[&ValueType]) -> Result<Vec<ValueType>, Reason> {
        image_gradient(inputs, self.input, self.upsample.output(self.input)?)
    }

    fn lower(&self, cx: &mut Lowering<'_>) -> Result<(), Reason> {
        let (dy, dx) = (cx.input(0), cx.output(0));
        let [channels, height, width] = self.input;
        let [_, out_height, out_width] = image(&dy.value_type)?;
        let vectors = channels.div_ceil(LANES);
        let mut source: BufferId = dy.buffer;
        if out_width != width {
            let len = dy.len / out_width * width;
            // With the rows as they are, this is the result.
            let target = match out_height == height {
                true => dx.buffer,
                false => cx.temporary("columns", len),
            };
            let columns = self.along(out_width, width, vectors, len / LANES);
            cx.dispatch(columns.bind("dy", source).bind("dx", target));
            if out_height == height {
                return Ok(());
            }
            source = target;
        }
        let rows = self.along(out_height, height, width * vectors, dx.len / LANES);
        cx.dispatch(rows.bind("dy", source).bind("dx", &dx));
        Ok(())
    }
}

impl Graph {
    /// Gives an image `[C, H, W]` another size; see [`Upsample`].
    pub fn upsample(&mut self, x: Var, upsample: Upsample) -> Var {
        let x = self.relayout(x);
        let name = self.layer_name("upsample");
        self.apply(&name, upsample, &[x])
    }
}
