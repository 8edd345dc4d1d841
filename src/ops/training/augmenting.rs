//! The kernels of an augmented batch: what is drawn, the fetching that moves, and if need be what
//! recolours and covers.

use super::gather::Gather;
use crate::data::{AUGMENT_STREAM, Augment, Fill};
use crate::layout::LANES;
use crate::ops::{Reason, global_mean_pool};
use crate::plan::{BufferId, Lowering};
use crate::random::{STATE_BUFFER, STATE_LEN};
use crate::shader::{Grid, Kernel, shader};

/// Words that are drawn for a sample: five vec4s.
const CHANGES: usize = 20;

/// Emits the kernels of `gather`, whose own is `fetch` but for what augmentation adds.
pub(super) fn lower(gather: &Gather, cx: &mut Lowering<'_>, fetch: Kernel) -> Result<(), Reason> {
    let augment = gather.augment;
    augment.check_shape(&gather.shape)?;
    let Some([channels, height, width]) = gather.shape.image() else {
        return Err(format!("{} is not an image", gather.shape));
    };
    let changes = cx.temporary("changes", CHANGES * cx.batch());
    draw(cx, augment, [height, width], changes);

    let [brightness, contrast, saturation] = augment.colour.map(|reach| reach > 0.0);
    let result = cx.output(0);
    let mut fetch = fetch
        .flag("MOVED", true)
        .define("WIDTH", width)
        .flag("BILINEAR", augment.is_affine())
        .flag("EDGE", augment.edge)
        .bind("changes", changes);
    if brightness {
        let white = f64::from(gather.white);
        fetch = fetch.flag("BRIGHTNESS", true).constant("white", white);
    }
    if !(contrast || saturation || augment.is_covered()) {
        cx.dispatch(fetch.bind("result", &result));
        return Ok(());
    }
    let moved = cx.temporary("moved", result.len);
    cx.dispatch(fetch.flag("UNFINISHED", true).bind("result", moved));

    let (vectors, pixels) = (channels.div_ceil(LANES), height * width);
    let finish = Kernel::new(shader!("augment_finish"), Grid::Threads(result.len / LANES));
    let mut finish = finish
        .defines([("LENGTH", result.len / LANES), ("CHANNELS", channels)])
        .defines([("PIXELS", pixels), ("WIDTH", width)])
        .flag("SATURATION", saturation)
        .constant("white", f64::from(gather.white))
        .bind("x", moved)
        .bind("changes", changes)
        .bind("scales", &cx.input(1))
        .bind("result", &result);
    if contrast {
        let means = cx.temporary("means", vectors * LANES * cx.batch());
        global_mean_pool::average(cx, moved, means, [cx.batch(), pixels, vectors]);
        finish = finish.flag("CONTRAST", true).bind("means", means);
    }
    match augment.erases().map(|erasing| erasing.fill) {
        Some(Fill::Random) => {
            let step = cx.persistent(STATE_BUFFER, 0, STATE_LEN);
            finish = finish.flag("RANDOM", true).bind("step", step);
            finish = finish.define("STREAM", AUGMENT_STREAM as usize);
        }
        Some(Fill::Value(value)) => {
            let fill = value * f64::from(gather.white);
            finish = finish.flag("FILL", true).constant("fill", fill);
        }
        Some(Fill::Mean) | None => {}
    }
    cx.dispatch(finish);
    Ok(())
}

/// Emits the kernel that draws what is done to each sample.
fn draw(cx: &mut Lowering<'_>, augment: Augment, size: [usize; 2], changes: BufferId) {
    let [height, width] = size;
    let mut kernel = Kernel::new(shader!("augment_draw"), Grid::Threads(cx.batch()))
        .defines([("BATCH", cx.batch()), ("HEIGHT", height), ("WIDTH", width)])
        .define("PADDING", augment.padding)
        .define("FLIP", usize::from(augment.flip))
        .define("VERTICAL_FLIP", usize::from(augment.vertical_flip))
        .define("SIDE", augment.side)
        .define("STREAM", AUGMENT_STREAM as usize)
        .bind("step", cx.persistent(STATE_BUFFER, 0, STATE_LEN))
        .bind("changes", changes);
    let [brightness, contrast, saturation] = augment.factors();
    for (ends, range) in [
        (["brightness_low", "brightness_high"], brightness),
        (["contrast_low", "contrast_high"], contrast),
        (["saturation_low", "saturation_high"], saturation),
    ] {
        kernel = kernel.constant(ends[0], range[0]);
        kernel = kernel.constant(ends[1], range[1]);
    }
    if augment.is_affine() {
        let affine = augment.affine;
        let ([low, high], [across, down]) = (affine.scale, affine.shear);
        let [rows, columns] = affine.translation;
        kernel = kernel
            .flag("AFFINE", true)
            .constant("angle", affine.angle / 360.0)
            .constant("scale_low", low)
            .constant("scale_high", high)
            .constant("shear_across", across / 360.0)
            .constant("shear_down", down / 360.0)
            .constant("move_rows", rows * height as f64)
            .constant("move_columns", columns * width as f64);
    }
    if let Some(erasing) = augment.erases() {
        let boxes = erasing.boxes(size);
        let sides: Vec<f32> = boxes.as_flattened().iter().map(|&n| n as f32).collect();
        kernel = kernel
            .define("ERASING", erasing.threshold() as usize)
            .define("BOXES", boxes.len())
            .bind("boxes", cx.data("boxes", &sides));
    }
    cx.dispatch(kernel);
}
