//! Histories as text and back.

use super::{Epoch, History, LayerSlopes, ReportError};

/// Numbers that a careless format changes.
const HARD: [f64; 8] = [
    0.1,
    1.0 / 3.0,
    1e-300,
    5e-324,
    f64::MAX,
    -0.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
];

fn history() -> History {
    let mut history = History::default();
    history.push_losses(2, &[2.5, 0.1]);
    history.push_losses(4, &[f32::MIN_POSITIVE, 1.0 / 3.0]);
    for (epoch, &number) in (1..).zip(&HARD) {
        history.push_slopes(LayerSlopes {
            epoch,
            step: 1 << 60,
            layer: "a \"b\",\n<c>".to_owned(),
            slopes: vec![0.25, -0.0, f32::MAX, number as f32],
        });
        history.push(Epoch {
            epoch,
            step: (1 << 60) + 1,
            train_loss: number,
            test_loss: Some(-number),
            test_accuracy: (epoch > 1).then_some(number / 7.0),
            learning_rate: number,
            seconds: number,
            images_per_second: number / 3.0,
        });
    }
    history
}

/// `Debug` tells -0 from 0, and is the same for every NaN.
fn shown(history: &Result<History, ReportError>) -> String {
    match history {
        Ok(history) => format!("{history:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn json_lines_keep_every_bit() {
    let mut history = history();
    assert_eq!(
        shown(&History::from_json_lines(&history.to_json_lines())),
        format!("{history:?}")
    );
    history.push(Epoch {
        train_loss: f64::NAN,
        test_loss: Some(f64::NAN),
        ..Epoch::default()
    });
    history.push_losses(5, &[f32::NAN]);
    let text = history.to_json_lines();
    assert_eq!(
        shown(&History::from_json_lines(&text)),
        format!("{history:?}")
    );
    assert!(text.contains(r#""train_loss":"NaN","test_loss":"NaN","test_accuracy":null"#));
    // A line break in a name must not break the line.
    assert_eq!(text.lines().count(), 5 + 8 + 9);
    let empty = History::default();
    assert_eq!(empty.to_json_lines(), "");
    assert_eq!(shown(&History::from_json_lines("\n")), format!("{empty:?}"));
}

#[test]
fn csv_keeps_the_epochs_bits() {
    let epochs: History = history().epochs().iter().copied().collect();
    let text = history().to_csv();
    assert_eq!(shown(&History::from_csv(&text)), format!("{epochs:?}"));
    let windows = text.replace('\n', "\r\n");
    assert_eq!(shown(&History::from_csv(&windows)), format!("{epochs:?}"));
    assert_eq!(
        text.lines().nth(1),
        Some("1,1152921504606846977,0.1,-0.1,,0.1,0.1,0.03333333333333333")
    );
}

#[test]
fn csv_of_losses_and_slopes() {
    let history = history();
    let losses = "step,loss\n1,2.5\n2,0.1\n3,1.1754944e-38\n4,0.33333334\n";
    assert_eq!(history.losses_to_csv(), losses);
    let slopes = history.slopes_to_csv();
    assert!(
        slopes.starts_with(
            "epoch,step,layer,channel,slope\n\
             1,1152921504606846976,\"a \"\"b\"\",\n<c>\",0,0.25\n"
        ),
        "{slopes}"
    );
    assert_eq!(slopes.matches(",3,").count(), 8);
}

#[test]
fn lines_that_are_no_history_are_named() {
    let json = |line: &str| shown(&History::from_json_lines(&format!("\n{line}")));
    let number_like = r#"{"kind":"loss","step":1,"loss":"much"}"#;
    for (line, expected) in [
        ("{", "history, line 2: EOF while parsing"),
        ("7", "history, line 2: `kind` is null, not a text"),
        (
            r#"{"kind":"cake"}"#,
            "history, line 2: `cake` is no kind of line",
        ),
        (
            number_like,
            "history, line 2: `loss` is \"much\", not a number",
        ),
        (
            r#"{"kind":"loss","step":-1,"loss":0}"#,
            "history, line 2: `step` is -1, not a count",
        ),
        (
            r#"{"kind":"epoch","epoch":4294967296}"#,
            "history, line 2: `epoch` is 4294967296, not the number of an epoch",
        ),
        (
            r#"{"kind":"slopes","epoch":1,"step":1,"layer":"a","slopes":[1,{}]}"#,
            "history, line 2: `slopes` is [1,{}], not a list of numbers",
        ),
    ] {
        assert!(json(line).starts_with(expected), "{}", json(line));
    }

    let csv = |text: &str| shown(&History::from_csv(text));
    assert!(csv("").starts_with("history, line 1: the heading is not `epoch,step"));
    let with = |line: &str| csv(&format!("{}{line}", History::default().to_csv()));
    assert_eq!(with("1,2"), "history, line 2: 2 fields in place of 8");
    assert_eq!(
        with("\n1,2,3,,,x,4,5"),
        "history, line 3: `x` is no number of its kind"
    );
}

#[test]
fn files_are_written_and_errors_name_them() {
    let folder = std::env::temp_dir().join(format!("wgrad-report-{}", std::process::id()));
    let (json, csv) = (folder.join("a/h.jsonl"), folder.join("b/h.csv"));
    let history = history();
    assert!(history.save_json_lines(&json).is_ok() && history.save_csv(&csv).is_ok());
    let back = shown(&History::load_json_lines(&json));
    assert_eq!(back, format!("{history:?}"));
    let back = shown(&History::load_csv(&csv));
    assert!(back.contains("Epoch { epoch: 8"), "{back}");
    let wrong = shown(&History::load_csv(&json));
    let expected = format!("{}, line 1: the heading", json.display());
    assert!(wrong.starts_with(&expected), "{wrong}");
    let missing = shown(&History::load_json_lines(folder.join("none")));
    assert!(missing.starts_with("cannot read"), "{missing}");
    assert!(std::fs::remove_dir_all(folder).is_ok());
}
