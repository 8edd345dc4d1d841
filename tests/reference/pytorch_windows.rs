//! Windows, bins and transposed convolution against PyTorch's values in
//! `tests/golden/windows.safetensors`.

use super::pytorch::{assert_close, read};
use super::*;
use safetensors::SafeTensors;

static FILE: &[u8] = include_bytes!("../golden/windows.safetensors");

/// One case of one operator, e.g. `conv2d_sides.uneven`.
struct Case(String);

impl Case {
    /// A tensor of the case, under the name `make_windows.py` gave it.
    fn get(&self, name: &str) -> Tensor {
        let file = SafeTensors::deserialize(FILE).expect("a safetensors file");
        read(&file, &format!("{}.{name}", self.0))
    }

    /// The attributes as whole numbers.
    fn attributes<const COUNT: usize>(&self) -> [usize; COUNT] {
        let attributes = self.get("attributes").data;
        let attributes: Vec<usize> = attributes.iter().map(|&a| a as usize).collect();
        attributes.try_into().expect("as many attributes")
    }

    /// Panics unless `actual` is the tensor of this name, element by element.
    fn check(&self, name: &str, actual: &Tensor) {
        assert_close(&format!("{}.{name}", self.0), actual, &self.get(name));
    }
}

fn size(x: &Tensor) -> [usize; 2] {
    [x.shape[2], x.shape[3]]
}

fn check_conv2d(case: &Case, a: &conv2d::Attributes) {
    let [x, weight, delta] = ["x", "weight", "grad_y"].map(|name| case.get(name));
    case.check("y", &conv2d::forward(&x, &weight, None, a));
    case.check("grad_x", &conv2d::grad_input(&delta, &weight, size(&x), a));
    case.check("grad_weight", &conv2d::grad_weight(&x, &delta, a));
}

#[test]
fn conv2d_with_padding_on_each_side() {
    let case = Case("conv2d_sides.uneven".to_owned());
    let [kh, kw, sh, sw, top, bottom, left, right, dh, dw] = case.attributes();
    let a = conv2d::Attributes {
        stride: [sh, sw],
        padding: [[top, bottom], [left, right]],
        dilation: [dh, dw],
        ..conv2d::Attributes::new([kh, kw])
    };
    check_conv2d(&case, &a);
}

#[test]
fn conv2d_with_same_padding() {
    let case = Case("conv2d_same.even".to_owned());
    let [kh, kw, dh, dw] = case.attributes();
    let [height, width] = size(&case.get("x"));
    let a = conv2d::Attributes {
        padding: [
            pool_window::same(height, dh * (kh - 1) + 1, 1),
            pool_window::same(width, dw * (kw - 1) + 1, 1),
        ],
        dilation: [dh, dw],
        ..conv2d::Attributes::new([kh, kw])
    };
    check_conv2d(&case, &a);
}

#[test]
fn max_pool2d_with_padding_on_each_side() {
    let case = Case("max_pool2d_sides.uneven".to_owned());
    let [kh, kw, sh, sw, top, bottom, left, right] = case.attributes();
    let a = max_pool2d::Attributes {
        stride: [sh, sw],
        padding: [[top, bottom], [left, right]],
        ..max_pool2d::Attributes::new([kh, kw])
    };
    let x = case.get("x");
    let out = max_pool2d::forward(&x, &a);
    case.check("y", &out.y);
    let grad = max_pool2d::grad_input(&case.get("grad_y"), &out.argmax, size(&x));
    case.check("grad_x", &grad);
}

#[test]
fn mean_pool2d_with_padding_on_each_side() {
    for name in ["with_pad", "without_pad"] {
        let case = Case(format!("mean_pool2d_sides.{name}"));
        let [kh, kw, sh, sw, top, bottom, left, right, count] = case.attributes();
        let a = mean_pool2d::Attributes {
            stride: [sh, sw],
            padding: [[top, bottom], [left, right]],
            count_include_pad: count == 1,
            ..mean_pool2d::Attributes::new([kh, kw])
        };
        let x = case.get("x");
        case.check("y", &mean_pool2d::forward(&x, &a));
        let grad = mean_pool2d::grad_input(&case.get("grad_y"), size(&x), &a);
        case.check("grad_x", &grad);
    }
}

#[test]
fn adaptive_pooling() {
    for name in ["overlapping", "dividing", "repeating"] {
        let case = Case(format!("adaptive_max_pool2d.{name}"));
        let x = case.get("x");
        let out = adaptive_max_pool2d::forward(&x, case.attributes());
        case.check("y", &out.y);
        let grad = adaptive_max_pool2d::grad_input(&case.get("grad_y"), &out.argmax, size(&x));
        case.check("grad_x", &grad);

        let case = Case(format!("adaptive_mean_pool2d.{name}"));
        let x = case.get("x");
        let bins = case.attributes();
        case.check("y", &adaptive_mean_pool2d::forward(&x, bins));
        let grad = adaptive_mean_pool2d::grad_input(&case.get("grad_y"), size(&x));
        case.check("grad_x", &grad);
    }
}

#[test]
fn transposed_convolution() {
    for name in [
        "plain",
        "doubling",
        "uneven",
        "grouped_dilated",
        "depthwise",
    ] {
        let case = Case(format!("conv_transpose2d.{name}"));
        let [kh, kw, sh, sw, ph, pw, oh, ow, dh, dw, groups] = case.attributes();
        let a = conv2d::Attributes {
            kernel: [kh, kw],
            stride: [sh, sw],
            padding: [[ph; 2], [pw; 2]],
            dilation: [dh, dw],
            groups,
        };
        let [x, weight, bias, delta] = ["x", "weight", "bias", "grad_y"].map(|name| case.get(name));
        let output = conv_transpose2d::output_size(size(&x), [oh, ow], &a);
        let y = conv_transpose2d::forward(&x, &weight, Some(&bias), output, &a);
        case.check("y", &y);
        case.check("grad_x", &conv_transpose2d::grad_input(&delta, &weight, &a));
        let grad_weight = conv_transpose2d::grad_weight(&x, &delta, &a);
        case.check("grad_weight", &grad_weight);
        case.check("grad_bias", &conv2d::grad_bias(&delta));
    }
}

#[test]
fn spatial_pyramid_pooling() {
    let case = Case("pyramid.paper".to_owned());
    let levels: [usize; 4] = case.attributes();
    let x = case.get("x");
    case.check("y", &adaptive_max_pool2d::pyramid(&x, &levels));
    let grad = adaptive_max_pool2d::grad_pyramid(&x, &levels, &case.get("grad_y"));
    case.check("grad_x", &grad);
}
