//! Pictures of the usual and of the odd.

use super::*;
use crate::report::{Confusion, Epoch, Filters, History, LayerSlopes};

fn history(epochs: &[(f64, Option<f64>)]) -> History {
    let epoch = |(i, (train_loss, test_accuracy)): (usize, &(f64, Option<f64>))| Epoch {
        epoch: i as u32 + 1,
        step: 10 * (i as u64 + 1),
        train_loss: *train_loss,
        test_accuracy: *test_accuracy,
        learning_rate: 0.1 / (i as f64 + 1.0),
        ..Epoch::default()
    };
    epochs.iter().enumerate().map(epoch).collect()
}

fn shown(picture: Result<Picture, ReportError>) -> String {
    match picture {
        Ok(picture) => {
            let svg = picture.to_string();
            well_formed(&svg);
            svg
        }
        Err(error) => error.to_string(),
    }
}

/// Panics unless the picture is XML with no number that is not one.
fn well_formed(svg: &str) {
    let parsed = roxmltree::Document::parse(svg);
    assert!(parsed.is_ok(), "{parsed:?}\n{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
}

/// How many lines there are of a colour, those of the legend included.
fn lines(svg: &str, colour: &str) -> usize {
    let line = format!("<polyline fill=\"none\" opacity=\"1\" stroke=\"{colour}\"");
    svg.matches(&line).count()
}

fn texts(svg: &str) -> Vec<String> {
    roxmltree::Document::parse(svg).map_or(Vec::new(), |document| {
        let texts = document
            .descendants()
            .filter(|node| node.has_tag_name("text"));
        texts
            .filter_map(|node| Some(node.text()?.trim().to_owned()))
            .collect()
    })
}

#[test]
fn charts_follow_what_is_known() {
    let history = history(&[(2.0, Some(0.5)), (1.0, Some(0.875)), (0.5, Some(0.75))]);
    let both = svg(&history).unwrap_or_else(|error| error.to_string());
    well_formed(&both);
    // Each curve's colour is that of one line in the chart and one in the legend.
    let of = |svg: &str| ["#2563EB", "#EA580C", "#059669"].map(|colour| lines(svg, colour));
    assert_eq!(of(&both), [2, 0, 2]);
    assert_eq!(both.matches("<circle").count(), 6);
    let words = texts(&both);
    for text in [
        "Loss",
        "Accuracy",
        "training",
        "test, best 87.50 % in epoch 2",
        "epoch",
        "100 %",
    ] {
        assert!(words.iter().any(|word| word == text), "{text}: {words:?}");
    }
    assert_eq!(of(&shown(loss(&history))), [2, 0, 0]);
    assert_eq!(of(&shown(accuracy(&history))), [0, 0, 2]);
    assert_eq!(of(&shown(learning_rate(&history))), [1, 0, 0]);
}

#[test]
fn losses_of_steps_lie_within_their_epochs() {
    let mut history = history(&[(2.0, None), (1.0, None)]);
    history.push_losses(20, &[1.5; 20]);
    let svg = shown(loss(&history));
    assert!(texts(&svg).iter().any(|word| word == "training, by step"));
    // The pale line ends where the curve ends, and begins a tenth of an epoch after 0.
    let points: Vec<&str> = svg.split("points=\"").skip(1).collect();
    let ends = |line: &str| -> Vec<f64> {
        let xs = line.split('"').next().unwrap_or("").split_whitespace();
        let mut xs = xs.filter_map(|point| point.split(',').next()?.parse().ok());
        let first = xs.next();
        first.into_iter().chain(xs.next_back()).collect()
    };
    let long = |line: &&&str| {
        line.split('"')
            .next()
            .is_some_and(|p| p.split(' ').count() > 15)
    };
    let steps = points
        .iter()
        .find(long)
        .map(|line| ends(line))
        .unwrap_or_default();
    let curve = points
        .iter()
        .rev()
        .map(|line| ends(line))
        .next()
        .unwrap_or_default();
    let [begin, end] = steps[..] else {
        panic!("{svg}")
    };
    let [first, last] = curve[..] else {
        panic!("{svg}")
    };
    let epoch = last - first;
    assert!((end - last).abs() <= 1.0, "{end} {last}");
    assert!(
        (begin - (first - 0.9 * epoch)).abs() <= 1.0,
        "{begin} {first} {last}"
    );
}

#[test]
fn odd_histories_are_drawn_or_refused() {
    let refusal = |epochs, what| {
        format!("there is nothing to draw: a history of {epochs} epochs without a finite {what}")
    };
    assert_eq!(shown(loss(&history(&[]))), refusal(0, "loss"));
    assert_eq!(
        shown(loss(&history(&[(f64::NAN, None)]))),
        refusal(1, "loss")
    );
    assert_eq!(
        shown(accuracy(&history(&[(1.0, None)]))),
        refusal(1, "accuracy")
    );
    assert_eq!(
        shown(learning_rate(&history(&[]))),
        refusal(0, "learning rate")
    );
    for epochs in [
        &[(0.0, Some(0.0))][..],
        &[(-5.0, Some(1.0)), (-5.0, Some(1.0))],
        &[(1e-12, None), (f64::INFINITY, None), (1e12, Some(f64::NAN))],
        &[(f64::MAX, Some(f64::MAX))],
    ] {
        let mut history = history(epochs);
        history.push_losses(25, &[f32::NAN, 1.0, f32::MAX, f32::INFINITY]);
        for picture in [loss(&history), accuracy(&history), learning_rate(&history)] {
            shown(picture);
        }
    }
}

#[test]
fn searches_for_a_rate() {
    let search = |pairs: &[(f64, f64)]| shown(rate_search(pairs));
    assert!(search(&[]).contains("without a finite loss"));
    assert!(search(&[(0.0, 1.0), (0.1, f64::NAN)]).contains("without a finite loss"));
    let svg = search(&[(1e-6, 2.0), (1e-3, 1.0), (1.0, 1e30), (2.0, f64::INFINITY)]);
    assert!(svg.contains("smallest loss at a rate of 0.001"), "{svg}");
    search(&[(0.1, 1.0)]);
}

fn slopes_of(layers: &[(&str, &[f32])]) -> History {
    let mut history = History::default();
    for epoch in 0..3 {
        for (layer, slopes) in layers {
            let slopes = slopes.iter().map(|slope| slope * epoch as f32).collect();
            let layer = (*layer).to_owned();
            history.push_slopes(LayerSlopes {
                epoch,
                step: u64::from(epoch),
                layer,
                slopes,
            });
        }
    }
    history
}

#[test]
fn slopes_by_layer() {
    let svg = shown(slopes(&slopes_of(&[
        ("prelu1", &[0.25, 0.5]),
        ("a<b>&\"c\"", &[0.1]),
    ])));
    // Three epochs of two layers, and three slopes at the end.
    assert_eq!(svg.matches("<circle").count(), 9);
    let words = texts(&svg);
    assert!(
        words.contains(&"prelu1".to_owned()) && words.contains(&"a<b>&\"c\"".to_owned()),
        "{words:?}"
    );
    let refused = "there is nothing to draw: a history without finite slopes of PReLUs";
    assert_eq!(shown(slopes(&History::default())), refused);
    assert_eq!(
        shown(slopes(&slopes_of(&[("p", &[f32::NAN]), ("q", &[])]))),
        refused
    );
    shown(slopes(&slopes_of(&[
        ("p", &[f32::INFINITY, 0.5]),
        ("q", &[1e30]),
    ])));
}

#[test]
fn filters_of_one_colour_of_three_and_of_more() {
    let drawn = |shape: [usize; 4]| {
        let len: usize = shape.iter().product();
        let weights = (0..len).map(|i| (i as f32).sin()).collect();
        shown(Filters::new("c", shape, weights).and_then(|f| filters(&f)))
    };
    // The ground is a rectangle too.
    let rectangles = |svg: &str| svg.matches("<rect").count() - 1;
    assert_eq!(rectangles(&drawn([5, 1, 3, 3])), 5 * 9);
    assert_eq!(rectangles(&drawn([5, 3, 3, 3])), 5 * 9);
    assert_eq!(rectangles(&drawn([2, 12, 1, 3])), 2 * 8 * 3);
    let many = drawn([200, 1, 1, 1]);
    assert_eq!(rectangles(&many), 64);
    assert!(many.contains("The first 64 of 200 filters of c"), "{many}");
    assert_eq!(
        drawn([0, 1, 3, 3]),
        "filters of shape [0, 1, 3, 3] have other than 0 weights"
    );
}

#[test]
fn a_filter_is_scaled_by_its_largest_weight() {
    let weights = vec![0.0, 2.0, -1.0, f32::NAN];
    let svg = shown(Filters::new("c", [1, 1, 2, 2], weights).and_then(|f| filters(&f)));
    let fills: Vec<&str> = svg
        .split("fill=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(
        fills[fills.len() - 4..],
        ["#808080", "#FFFFFF", "#414141", "#808080"]
    );
}

#[test]
fn confusions() {
    let names = ["cat & <dog>", "b"];
    let small = Confusion::of(names, &[0, 0, 0, 1], &[0, 0, 1, 1]);
    let svg = shown(small.and_then(|c| confusion(&c)));
    let words = texts(&svg);
    for word in ["cat & <dog>", "b", "2", "1"] {
        assert!(words.iter().any(|w| w == word), "{word}: {words:?}");
    }
    // Many classes: no numbers, and no names upon each other.
    let labels: Vec<u32> = (0..200).collect();
    let large = Confusion::of(200, &labels, &labels);
    assert!(texts(&shown(large.and_then(|c| confusion(&c)))).len() < 150);
    let refused = "there is nothing to draw: a confusion matrix of 3 classes and 0 predictions";
    assert_eq!(shown(confusion(&Confusion::new(3))), refused);
}

#[test]
fn pictures_as_files() {
    let picture = loss(&history(&[(1.0, None)]));
    let save = |path: &str| match &picture {
        Ok(picture) => picture
            .save(path)
            .map_or_else(|error| error.to_string(), |()| "saved".to_owned()),
        Err(error) => error.to_string(),
    };
    assert!(save("Cargo.toml/a.svg").starts_with("cannot write Cargo.toml/a.svg: "));
    let folder = std::env::temp_dir().join(format!("wgrad-plot-{}", std::process::id()));
    let path = folder.join("x/a.SVG");
    assert_eq!(save(&path.display().to_string()), "saved");
    assert!(std::fs::read_to_string(&path).is_ok_and(|svg| svg.starts_with("<svg")));
    assert!(std::fs::remove_dir_all(folder).is_ok());
}

#[test]
fn runs_are_compared_line_by_line() {
    let first = history(&[(2.0, Some(0.5)), (1.0, Some(0.75))]);
    let second = history(&[(2.2, None), (2.1, None), (f64::NAN, None)]);
    let both = shown(comparison(&[("He", &first), ("Xavier <1/n>", &second)]));
    let of = |svg: &str| ["#2563EB", "#EA580C"].map(|colour| lines(svg, colour));
    // In the legend and in the chart, twice for the run that has accuracies.
    assert_eq!(of(&both), [4, 2]);
    for words in ["Loss in training", "Test accuracy", "He", "Xavier <1/n>"] {
        assert!(texts(&both).iter().any(|text| text == words), "{words}");
    }
    // Without accuracies there is one chart.
    let alone = shown(comparison(&[("Xavier", &second)]));
    assert_eq!(of(&alone), [2, 0]);
    assert!(!alone.contains("Test accuracy"), "{alone}");
    let none = shown(comparison(&[("empty", &History::default())]));
    assert!(none.contains("runs without a finite loss"), "{none}");
    assert_eq!(shown(comparison(&[])), none);
}
