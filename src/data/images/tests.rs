use std::io::Cursor;
use std::path::Path;

use image::{
    DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage,
};

use super::*;
use crate::data::testing::{Folder, text};

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    encoded(image, ImageFormat::Png)
}

/// A grey image of one value.
fn flat(value: u8) -> Vec<u8> {
    png(GrayImage::from_pixel(2, 2, Luma([value])))
}

fn bytes(data: &Dataset, index: usize) -> Vec<u8> {
    data.image(index)
        .unwrap()
        .values()
        .iter()
        .map(|value| (value * 255.0).round() as u8)
        .collect()
}

/// The sample that becomes of one file.
fn sample(file: &[u8], shape: [usize; 3], set: impl Fn(ImageFolder) -> ImageFolder) -> Vec<u8> {
    let folder = Folder::new();
    folder.write("a/1.png", file);
    folder.write("b/1.png", &flat(0));
    let images = set(ImageFolder::open(folder.path(), shape).unwrap());
    bytes(&images.load().unwrap(), 0)
}

fn as_is(images: ImageFolder) -> ImageFolder {
    images
}

#[test]
fn classes_and_images_come_in_alphabetical_order() {
    let folder = Folder::new();
    for (name, value) in [
        ("dog/2.PNG", 40),
        ("dog/10.png", 30),
        ("cat/deep/er/x.png", 20),
    ] {
        folder.write(name, &flat(value));
    }
    folder.write(
        "cat/a.jpeg",
        &encoded(GrayImage::from_pixel(8, 8, Luma([10])), ImageFormat::Jpeg),
    );
    // None of these is an image of a class.
    for name in [
        "read.me",
        "dog/notes.txt",
        ".git/1.png",
        "cat/.hidden.png",
        "loose.png",
    ] {
        folder.write(name, b"no image");
    }
    let images = ImageFolder::open(folder.path(), [1, 2, 2]).unwrap();
    assert_eq!(
        images.path(0),
        Some(folder.path().join("cat/a.jpeg").as_path())
    );
    assert_eq!(images.path(4), None);
    let data = images.load().unwrap();
    assert_eq!(data.classes().unwrap().names(), ["cat", "dog"]);
    assert_eq!(data.labels(), Some(&[0, 0, 1, 1][..]));
    let first: Vec<u8> = (0..4).map(|index| bytes(&data, index)[0]).collect();
    assert_eq!(first, [10, 20, 30, 40]);
}

#[test]
fn channels_are_planes() {
    let pixels = RgbImage::from_raw(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
    assert_eq!(sample(&png(pixels), [3, 1, 2], as_is), [1, 4, 2, 5, 3, 6]);
    let pixels = RgbaImage::from_raw(1, 1, vec![1, 2, 3, 4]).unwrap();
    assert_eq!(sample(&png(pixels), [4, 1, 1], as_is), [1, 2, 3, 4]);
    let opaque = sample(&flat(9), [4, 1, 1], as_is);
    assert_eq!(opaque, [9, 9, 9, 255]);
}

#[test]
fn grey_and_colour_and_depth_become_each_other() {
    assert_eq!(sample(&flat(7), [3, 2, 2], as_is), [7; 12]);
    let green = png(RgbImage::from_pixel(1, 1, Rgb([0, 255, 0])));
    // 0.7152 of 255.
    assert_eq!(sample(&green, [1, 1, 1], as_is), [182]);
    let deep: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(1, 1, Luma([0x8080]));
    assert_eq!(sample(&png(deep), [1, 1, 1], as_is), [0x80]);
}

#[test]
fn the_background_shows_through() {
    let image = |alpha| png(RgbaImage::from_pixel(1, 1, Rgba([200, 100, 0, alpha])));
    let white = |images: ImageFolder| images.background([255, 255, 255]);
    assert_eq!(sample(&image(0), [3, 1, 1], as_is), [0, 0, 0]);
    assert_eq!(sample(&image(0), [3, 1, 1], white), [255; 3]);
    assert_eq!(sample(&image(255), [3, 1, 1], white), [200, 100, 0]);
    // 200·51/255 + 255·204/255.
    assert_eq!(sample(&image(51), [3, 1, 1], white), [244, 224, 204]);
}

/// Columns of value 0, 10, 20, ... in a row.
fn stripes(width: u32, height: u32) -> Vec<u8> {
    png(GrayImage::from_fn(width, height, |x, _| {
        Luma([10 * x as u8])
    }))
}

#[test]
fn the_centre_is_kept() {
    assert_eq!(sample(&stripes(6, 2), [1, 2, 2], as_is), [20, 30, 20, 30]);
    let stretched = sample(&stripes(6, 2), [1, 2, 2], |images| images.fit(Fit::Stretch));
    // Bilinear with a support of three pixels each side: 11.7 of 0 to 50, symmetric about 25.
    assert!(stretched[0] < 15 && stretched[1] > 35, "{stretched:?}");
    assert!(
        (stretched[0] + stretched[1]).abs_diff(50) <= 1,
        "{stretched:?}"
    );
    // A shorter side of 4 for rows of 2: the middle half, of 24 columns and 4 rows.
    let middle = sample(&stripes(24, 4), [1, 2, 2], |images| {
        images.fit(Fit::ShorterSide(4))
    });
    assert_eq!(middle, [110, 120, 110, 120]);
    // Too small to cover the sample.
    for length in [0, 1, 2] {
        let found = sample(&stripes(6, 2), [1, 2, 2], |images| {
            images.fit(Fit::ShorterSide(length))
        });
        assert_eq!(found, [20, 30, 20, 30], "{length}");
    }
}

#[test]
fn odd_sizes_do_not_trip_it() {
    for (width, height) in [(1, 1), (1, 500), (500, 1), (3, 7)] {
        for shape in [[1, 1, 1], [1, 5, 3], [1, 1, 40], [1, 40, 1]] {
            let image = png(GrayImage::from_pixel(width, height, Luma([77])));
            let found = sample(&image, shape, as_is);
            assert_eq!(
                found,
                vec![77; shape[1] * shape[2]],
                "{width}x{height} {shape:?}"
            );
        }
    }
}

/// An EXIF block that says "turn by 90 degrees" (orientation 6), in a JPEG of 16 columns.
#[test]
fn exif_turns_the_image() {
    let wide = GrayImage::from_fn(16, 8, |x, _| Luma([if x < 8 { 0 } else { 255 }]));
    let jpeg = encoded(wide, ImageFormat::Jpeg);
    let exif = [
        b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01".as_slice(),
        b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
    ]
    .concat();
    let turned = [&jpeg[..2], &exif, &jpeg[2..]].concat();
    // What was left is above after a turn to the right.
    let expected = [[0; 64], [255; 64]].concat();
    assert_eq!(sample(&turned, [1, 16, 8], as_is), expected);
    assert_eq!(
        sample(&jpeg, [1, 8, 16], as_is)[..16],
        [[0; 8], [255; 8]].concat()
    );
}

#[test]
fn an_image_that_cannot_be_decoded_is_named_or_left_out() {
    let folder = Folder::new();
    folder.write("a/1.png", &flat(1));
    let broken = folder.write("a/2.png", &flat(2)[..40]);
    folder.write("b/1.png", &flat(3));
    let text_file = folder.write("b/2.png", b"not an image");
    let images = ImageFolder::open(folder.path(), [1, 1, 1]).unwrap();

    let DataError::File { path, fault } = images.load().unwrap_err() else {
        unreachable!("not a file")
    };
    assert_eq!(path, broken);
    assert!(matches!(fault, FileFault::Image { .. }), "{fault}");

    let loaded = Loading::new().skip_unreadable(true).load(&images).unwrap();
    assert_eq!(loaded.data.labels(), Some(&[0, 1][..]));
    assert_eq!(
        (bytes(&loaded.data, 0), bytes(&loaded.data, 1)),
        (vec![1], vec![3])
    );
    let skipped: Vec<&Path> = loaded
        .skipped
        .iter()
        .filter_map(|(index, _)| images.path(*index))
        .collect();
    assert_eq!(skipped, [broken, text_file]);
}

/// A PNG whose header announces 2³¹ − 1 squared pixels.
#[test]
fn a_huge_header_takes_no_memory() {
    let mut file = flat(0);
    file[16..24].copy_from_slice(&[0x7f, 255, 255, 255, 0x7f, 255, 255, 255]);
    let mut crc = flate2::Crc::new();
    crc.update(&file[12..29]);
    file[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    let folder = Folder::new();
    folder.write("a/1.png", &file);
    folder.write("b/1.png", &flat(0));
    let images = ImageFolder::open(folder.path(), [1, 1, 1]).unwrap();
    let DataError::File { path, fault } = images.load().unwrap_err() else {
        unreachable!("not a file")
    };
    assert!(path.ends_with("a/1.png"));
    assert!(matches!(fault, FileFault::Image { .. }), "{fault}");
}

#[test]
fn folders_that_make_no_data_set_are_refused() {
    let folder = Folder::new();
    let open = || text(ImageFolder::open(folder.path(), [1, 2, 2]));
    let root = folder.path().display().to_string();
    let two = "needs a folder for each of at least two classes, found";
    assert_eq!(open(), format!("{root}: {two} 0"));
    folder.write("cat/1.png", &flat(0));
    assert_eq!(open(), format!("{root}: {two} 1"));
    folder.write("dog/readme.txt", b"");
    let dog = folder.path().join("dog");
    let none = format!("{}: holds no image (png, jpg, jpeg)", dog.display());
    assert_eq!(open(), none);
    let missing = text(ImageFolder::open(folder.path().join("no"), [1, 2, 2]));
    assert!(missing.contains("no: cannot be read: "), "{missing}");
    for shape in [[2, 4, 4], [3, 0, 4], [3, 4, 1 << 33]] {
        let found = text(ImageFolder::open(folder.path(), shape));
        assert_eq!(
            found,
            format!(
                "images cannot have the shape {shape:?}; it is [channels, rows, columns] with 1, 3 or 4 channels"
            )
        );
    }
}

#[test]
fn a_test_set_takes_the_classes_of_its_training_set() {
    let folder = Folder::new();
    for name in ["train/ant", "train/bee", "train/cow", "test/cow", "odd/dog"] {
        folder.write(&format!("{name}/1.png"), &flat(5));
    }
    let train = ImageFolder::open(folder.path().join("train"), [1, 2, 2]).unwrap();
    let test = ImageFolder::open_like(folder.path().join("test"), &train).unwrap();
    let test = test.load().unwrap();
    assert_eq!(test.labels(), Some(&[2][..]));
    assert_eq!(test.classes().unwrap().names(), ["ant", "bee", "cow"]);

    let odd = text(ImageFolder::open_like(folder.path().join("odd"), &train));
    let dog = folder.path().join("odd").join("dog");
    let expected = format!("{}: is none of the classes ant, bee, cow", dog.display());
    assert_eq!(odd, expected);
}
