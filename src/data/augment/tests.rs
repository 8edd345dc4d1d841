use super::*;
use crate::random::Seed;

#[test]
fn what_makes_no_sense_is_refused() {
    let new = Augment::new;
    let erase = |erasing| new().erase(erasing);
    let (image, grey) = (&[3, 8, 6][..], &[1, 8, 6][..]);
    let cases = [
        (
            new().flip(),
            &[5][..],
            "only images can be augmented, the samples have shape [5]",
        ),
        (
            new().rotate(181.0),
            image,
            "images cannot be turned by 181°, only by 0° to 180° to both sides",
        ),
        (
            new().rotate(f64::NAN),
            image,
            "images cannot be turned by NaN°, only by 0° to 180° to both sides",
        ),
        (
            new().scale(1.2, 0.8),
            image,
            "images cannot be scaled by 1.2 to 0.8",
        ),
        (
            new().scale(0.0, 1.0),
            image,
            "images cannot be scaled by 0 to 1",
        ),
        (
            new().shear(0.0, 90.0),
            image,
            "images cannot be sheared by 90°, only by 0° to 80° to both sides",
        ),
        (
            new().translate(0.1, 1.5),
            image,
            "images cannot be translated by 1.5 of their size, only by 0 to 1",
        ),
        (
            new().brightness(-0.1),
            image,
            "the brightness cannot change by -0.1",
        ),
        (
            new().contrast(f64::INFINITY),
            image,
            "the contrast cannot change by inf",
        ),
        (
            new().saturation(0.1),
            grey,
            "only images of three channels have a saturation, these have 1",
        ),
        (
            erase(Erasing::new(1.5)),
            image,
            "images cannot be erased with probability 1.5",
        ),
        (
            erase(Erasing::new(0.5).area(0.0, 0.3)),
            image,
            "0 to 0.3 of an image's area cannot be erased",
        ),
        (
            erase(Erasing::new(0.5).aspect(2.0, 1.0)),
            image,
            "a box with an aspect of 2 to 1 cannot be erased",
        ),
        (
            erase(Erasing::new(0.5).fill(Fill::Value(f64::NAN))),
            image,
            "images cannot be erased by NaN",
        ),
        (
            erase(Erasing::new(0.5).area(0.95, 1.0)),
            image,
            "no box of 0.95 to 1 of the area with an aspect of 0.3 to 3.3 fits into images of 8 by 6",
        ),
    ];
    for (augment, shape, message) in cases {
        assert_eq!(augment.check_shape(shape), Err(message.to_owned()));
    }
}

#[test]
fn colours_need_values_between_black_and_white() {
    let values = |last| Dataset::from_f32([1, 1, 2], vec![0.0, 1.0, 0.5, last], vec![0, 0], 1);
    let augment = Augment::new().brightness(0.1);
    assert_eq!(augment.check(&values(1.0).unwrap()), Ok(()));
    assert_eq!(
        augment.check(&values(1.5).unwrap()),
        Err(
            "images can be recoloured whose values lie between 0 and 1 before normalisation, \
             sample 1 has 1.5"
                .to_owned()
        )
    );
    let bytes = Dataset::images_u8([1, 1, 1], vec![7], vec![0], 1).unwrap();
    assert_eq!(augment.check(&bytes), Ok(()));
    assert_eq!(
        augment.check(&bytes.with_scale(-1.0).unwrap()),
        Err(
            "images can be recoloured where more is brighter, their bytes are scaled by -1"
                .to_owned()
        )
    );
}

#[test]
fn settings_that_change_nothing_are_off() {
    let nothing = Augment::new()
        .crop(0)
        .rotate(0.0)
        .scale(1.0, 1.0)
        .brightness(0.0)
        .cutout(0)
        .erase(Erasing::new(0.0))
        .edge();
    assert!(!nothing.is_on());
    assert!(nothing.saturation(0.1).is_on());
    assert!(nothing.vertical_flip().is_on());
}

/// By hand: half of 8 × 8 with aspect 2 are √64 = 8 rows, which do not fit, with 1/2 neither; a
/// quarter with aspect 1 are 4 by 4.
#[test]
fn boxes_have_the_area_and_aspect_asked_for_and_fit() {
    let half = Erasing::new(1.0).area(0.5, 0.5);
    assert!(half.aspect(2.0, 2.0).boxes([8, 8]).is_empty());
    assert!(half.aspect(0.5, 0.5).boxes([8, 8]).is_empty());
    let quarter = Erasing::new(1.0).area(0.25, 0.25).aspect(1.0, 1.0);
    assert_eq!(quarter.boxes([8, 8]), vec![[4, 4]; 64 * 64]);
    for [rows, columns] in Erasing::new(1.0).boxes([32, 20]) {
        assert!(rows < 32 && columns < 20);
        let (rows, columns) = (f64::from(rows), f64::from(columns));
        // Half a pixel of rounding on either side.
        let (least, most) = (
            (rows - 0.5) * (columns - 0.5),
            (rows + 0.5) * (columns + 0.5),
        );
        assert!(most >= 0.02 * 640.0 && least <= 0.33 * 640.0);
        let (least, most) = (
            (rows - 0.5) / (columns + 0.5),
            (rows + 0.5) / (columns - 0.5),
        );
        assert!(most >= 0.3 && least <= 3.3);
    }
}

/// 4,000 draws: within five standard errors of a uniform law's mean, and none outside its range.
#[test]
fn draws_fill_their_ranges_evenly() {
    let augment = Augment::new()
        .rotate(20.0)
        .scale(0.5, 1.5)
        .shear(10.0, 5.0)
        .translate(0.25, 0.5)
        .brightness(0.5)
        .contrast(2.0)
        .saturation(0.1)
        .vertical_flip()
        .erase(Erasing::new(0.25));
    let draws: Vec<Augmentation> = (0..4000)
        .map(|i| augment.draw(Seed(5), i / 100, i % 100, [8, 12]))
        .collect();
    type Of = fn(&Augmentation) -> f64;
    let numbers: [(Of, [f64; 2]); 9] = [
        (|d| d.angle, [-20.0, 20.0]),
        (|d| d.scale, [0.5, 1.5]),
        (|d| d.shear[0], [-10.0, 10.0]),
        (|d| d.shear[1], [-5.0, 5.0]),
        (|d| d.translation[0], [-2.0, 2.0]),
        (|d| d.translation[1], [-6.0, 6.0]),
        (|d| d.brightness, [0.5, 1.5]),
        (|d| d.contrast, [0.0, 3.0]),
        (|d| d.saturation, [0.9, 1.1]),
    ];
    let n = draws.len() as f64;
    for (which, (of, [low, high])) in numbers.into_iter().enumerate() {
        assert!(draws.iter().all(|d| (low..=high).contains(&of(d))));
        let mean = draws.iter().map(of).sum::<f64>() / n;
        let error = (high - low) / (12.0 * n).sqrt();
        let middle = 0.5 * (low + high);
        assert!(
            (mean - middle).abs() <= 5.0 * error,
            "number {which}: {mean}"
        );
    }
    let share = |of: fn(&Augmentation) -> bool| draws.iter().filter(|d| of(d)).count() as f64 / n;
    let erased = share(|d| d.erased.is_some());
    assert!(
        (erased - 0.25).abs() <= 5.0 * (0.25 * 0.75 / n).sqrt(),
        "{erased}"
    );
    let flipped = share(|d| d.flipped_vertically);
    assert!(
        (flipped - 0.5).abs() <= 5.0 * (0.25 / n).sqrt(),
        "{flipped}"
    );
    let inside = |ends: [usize; 2], length| ends[0] < ends[1] && ends[1] <= length;
    for erased in draws.iter().filter_map(|d| d.erased) {
        assert!(inside(erased.rows, 8) && inside(erased.columns, 12));
    }
}
