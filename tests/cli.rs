//! The command-line program, run as a user runs it.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use wgrad::report::History;

/// The program. Drivers complain on standard error where this variable is not set.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wgrad"));
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        command.env("XDG_RUNTIME_DIR", env!("CARGO_TARGET_TMPDIR"));
    }
    command
}

/// Runs the program in `folder`: exit code, standard output, standard error.
fn wgrad(folder: &Path, line: &str) -> (i32, String, String) {
    let mut command = program();
    let ran = command.current_dir(folder).args(line.split(' ')).output();
    let Output {
        status,
        stdout,
        stderr,
    } = ran.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// What a command that succeeds prints.
fn succeeds(folder: &Path, line: &str) -> String {
    let (code, out, err) = wgrad(folder, line);
    assert_eq!(code, 0, "`{line}` failed: {err}");
    out
}

/// The one line of a command that fails.
fn fails(folder: &Path, line: &str) -> String {
    let (code, out, err) = wgrad(folder, line);
    assert_eq!((code, out.as_str()), (1, ""), "`{line}`: {err}");
    assert!(
        err.starts_with("error: ") && err.lines().count() == 1,
        "{err}"
    );
    err
}

/// What a command says that is misspelt.
fn is_refused(folder: &Path, line: &str) -> String {
    let (code, out, err) = wgrad(folder, line);
    assert_eq!((code, out.as_str()), (2, ""), "`{line}`: {err}");
    err
}

/// An empty folder.
fn empty(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("cli")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn epochs(folder: &Path) -> usize {
    let history = History::load_json_lines(folder.join("run/history.jsonl")).unwrap();
    assert_eq!(
        History::load_csv(folder.join("run/history.csv"))
            .unwrap()
            .epochs(),
        history.epochs()
    );
    history.epochs().len()
}

/// The first of the digits as a picture; its class.
fn write_digit(path: &Path) -> u32 {
    let sample = wgrad::data::digits().image(0).unwrap();
    let pixels = sample.values().iter().map(|v| (v * 255.0).round() as u8);
    let image = image::GrayImage::from_raw(8, 8, pixels.collect()).unwrap();
    image.save(path).unwrap();
    sample.label().unwrap()
}

#[test]
fn a_run_from_its_first_epoch_to_its_report() {
    let here = &empty("run");
    let begin = "train digits --out run --epochs 1 --batch 32 --schedule cosine:0.1 --warm-up 0.5";
    let said = succeeds(here, &format!("{begin} --tensorboard --quiet"));
    assert!(said.contains("after step 44; saved in run"), "{said}");
    assert_eq!(epochs(here), 1);

    // The settings of the first part hold, but for the epochs.
    let said = succeeds(
        here,
        "train digits --out run --epochs 4 --tensorboard --quiet",
    );
    assert!(said.contains("after step 176; saved in run"), "{said}");
    assert_eq!(epochs(here), 4);
    assert_eq!(
        fs::read_dir(here.join("run/tensorboard")).unwrap().count(),
        2
    );
    let history = History::load_json_lines(here.join("run/history.jsonl")).unwrap();
    let rates: Vec<f64> = history
        .epochs()
        .iter()
        .map(|epoch| epoch.learning_rate)
        .collect();
    // Along a cosine from step 22 to step 44, and, since epochs were added, to step 176.
    assert!((rates[0] / 0.02 - 0.1).abs() < 0.01, "{rates:?}");
    assert!(rates[1] / 0.02 > 0.6 && rates[1] > rates[2], "{rates:?}");
    assert!((rates[3] / 0.02 - 0.1).abs() < 0.001, "{rates:?}");
    let error = fails(here, "train digits --out run --schedule one-cycle");
    assert!(
        error.contains("--schedule cosine:0.1, not one-cycle"),
        "{error}"
    );
    let error = fails(here, "train digits --out run --batch 16");
    assert!(
        error.contains("was begun with --batch 32, not 16"),
        "{error}"
    );

    // A finished run is found finished.
    assert_eq!(succeeds(here, "train digits --out run --quiet"), said);

    let figures = said.split(" after").next().unwrap();
    let answered = succeeds(here, "eval run");
    assert_eq!(answered.lines().next(), Some(figures));
    let accuracy = figures.split("accuracy ").nth(1).unwrap();
    let accuracy: f64 = accuracy.trim_end_matches(" %").parse().unwrap();
    assert!(accuracy > 80.0, "{figures}");

    uses(here);
}

/// Predicts, exports and reports.
fn uses(here: &Path) {
    let class = write_digit(&here.join("digit.png")).to_string();
    let line = succeeds(here, "predict run digit.png --top 2");
    assert!(line.starts_with(&format!("digit.png: {class} ")), "{line}");
    assert_eq!(line.matches('%').count(), 2, "{line}");
    let answers = succeeds(here, "predict run digit.png digit.png --json");
    let answers: Value = serde_json::from_str(&answers).unwrap();
    assert_eq!(answers[1]["top"][0]["class"], class.as_str());
    assert!(answers[1]["top"][0]["probability"].as_f64().unwrap() > 0.5);
    assert_eq!(answers[0]["top"], answers[1]["top"]);
    assert_eq!(answers[0]["top"].as_array().unwrap().len(), 3);
    let error = fails(here, "predict run run/run.json");
    assert!(error.contains("run/run.json"), "{error}");

    succeeds(here, "export run digits.onnx");
    assert!(fs::metadata(here.join("digits.onnx")).unwrap().len() > 95_000);
    succeeds(here, "export run copy.safetensors");
    assert_eq!(
        fs::read(here.join("copy.safetensors")).unwrap(),
        fs::read(here.join("run/weights.safetensors")).unwrap()
    );
    is_refused(here, "export run digits.pt");

    let page = here.join("run/report.html");
    let written = fs::read(&page).unwrap();
    fs::remove_file(&page).unwrap();
    succeeds(here, "report run");
    assert_eq!(fs::read(&page).unwrap(), written);
    let page = String::from_utf8(written).unwrap();
    for part in ["24 filters of conv1", "cosine:0.1", "Confusions"] {
        assert!(page.contains(part), "{part}");
    }

    let settings = here.join("run/run.json");
    let good = fs::read_to_string(&settings).unwrap();
    for bad in [
        &good[..good.len() / 2],
        &good.replace("\"rate\"", "\"late\""),
    ] {
        fs::write(&settings, bad).unwrap();
        for line in ["eval run", "train digits --out run"] {
            let error = fails(here, line);
            assert!(error.contains("run.json` is damaged: "), "{error}");
        }
    }
    fs::write(&settings, good.replace("\"format\": 2", "\"format\": 1")).unwrap();
    let error = fails(here, "report run");
    assert!(
        error.contains("another version of wgrad, in form 1"),
        "{error}"
    );
    fs::write(&settings, good).unwrap();
    fs::remove_file(here.join("run/weights.safetensors")).unwrap();
    let error = fails(here, "eval run");
    assert!(
        error.contains("`wgrad train digits --out run` goes on"),
        "{error}"
    );
}

#[test]
fn a_rate_is_found() {
    let here = &empty("rate");
    let said = succeeds(here, "find-rate digits --steps 60 --plot rates.svg --quiet");
    assert!(
        said.contains(" steps from a rate of 1e-6 to ") && said.contains("diverged"),
        "{said}"
    );
    let picture = fs::read_to_string(here.join("rates.svg")).unwrap();
    assert!(picture.contains("Search for a learning rate"));
    let (file, begins) = match cfg!(feature = "png") {
        true => ("rates.png", "\u{fffd}PNG"),
        false => ("few.svg", "<svg"),
    };
    let line = "find-rate digits --from 0.001 --to 0.01 --steps 5 --json --quiet --plot";
    let json = succeeds(here, &format!("{line} {file}"));
    let picture = fs::read(here.join(file)).unwrap();
    assert!(String::from_utf8_lossy(&picture).starts_with(begins));
    let json: Value = serde_json::from_str(&json).unwrap();
    let steps = json["steps"].as_array().unwrap();
    assert_eq!((steps.len(), &json["diverged"]), (5, &Value::Bool(false)));
    assert!((steps[4]["rate"].as_f64().unwrap() - 0.01).abs() < 1e-9);
    assert!(!here.join("run").exists());
    let error = is_refused(here, "find-rate digits --plot rates.jpg");
    assert!(error.contains("must end in .svg or .png"), "{error}");
    let error = fails(here, "find-rate digits --from 2 --to 1 --quiet");
    assert!(error.contains("cannot go from 2 to 1"), "{error}");
}

/// Data that are there already are not fetched.
#[cfg(feature = "download")]
#[test]
fn downloads_are_found() {
    let here = &empty("download");
    fs::create_dir_all(here.join("data/mnist")).unwrap();
    for (part, count) in [("train", 40_u8), ("t10k", 20)] {
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 8, 0, 0, 0, 8];
        images.extend((0..64 * usize::from(count)).map(|i| (i % 251) as u8));
        let mut labels = vec![0, 0, 8, 1, 0, 0, 0, count];
        labels.extend((0..count).map(|i| i % 10));
        for (kind, bytes) in [("images-idx3", images), ("labels-idx1", labels)] {
            let file = fs::File::create(here.join(format!("data/mnist/{part}-{kind}-ubyte.gz")));
            let mut gzip = flate2::write::GzEncoder::new(file.unwrap(), Default::default());
            std::io::Write::write_all(&mut gzip, &bytes).unwrap();
            gzip.finish().unwrap();
        }
    }
    for _ in 0..2 {
        succeeds(
            here,
            "train mnist:data --download --out run --epochs 1 --quiet",
        );
    }
    succeeds(here, "eval run");
    let error = fails(here, "find-rate digits --download");
    assert!(error.contains("--download is for mnist:DIR"), "{error}");
}

#[test]
fn a_folder_of_images_is_learned_and_named() {
    let here = &empty("images");
    for (name, shade) in [("dark", 20), ("light", 220)] {
        fs::create_dir_all(here.join("data").join(name)).unwrap();
        for i in 0..10 {
            let image = image::GrayImage::from_pixel(16, 16, image::Luma([shade + i]));
            image
                .save(here.join(format!("data/{name}/{i}.png")))
                .unwrap();
        }
    }
    let train = "train images:data --out run --size 16 --epochs 4 --batch 4 --quiet";
    fs::write(here.join("data/dark/10.png"), "no image").unwrap();
    let error = fails(here, train);
    assert!(error.contains("10.png"), "{error}");
    let (code, _, said) = wgrad(here, &format!("{train} --skip-unreadable"));
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("warning: ") && said.contains("10.png"),
        "{said}"
    );
    let line = succeeds(here, "predict run data/light/3.png");
    assert!(line.starts_with("data/light/3.png: light "), "{line}");
}

#[test]
fn devices_are_listed_and_one_is_marked() {
    let here = &empty("devices");
    let list = succeeds(here, "devices");
    assert_eq!(
        list.lines().filter(|line| line.starts_with("* ")).count(),
        1
    );
    let json: Value = serde_json::from_str(&succeeds(here, "devices --json")).unwrap();
    let json = json.as_array().unwrap();
    assert_eq!(json.len(), list.lines().count());
    let chosen: Vec<_> = json
        .iter()
        .filter(|device| device["chosen"] == true)
        .collect();
    assert_eq!(chosen.len(), 1);
    let marked = list.lines().find(|line| line.starts_with("* ")).unwrap();
    assert!(marked.contains(chosen[0]["name"].as_str().unwrap()));
}

#[test]
fn errors_say_what_to_do() {
    let here = &empty("errors");
    let error = is_refused(here, "train digits --out run --model resnet21");
    assert!(
        error.contains("small, lenet5") && error.contains("resnet20"),
        "{error}"
    );
    let error = is_refused(here, "train letters --out run");
    assert!(error.contains("digits, mnist:DIR"), "{error}");
    is_refused(here, "train mnist --out run");
    is_refused(here, "train digits --out run --epochs 0");
    is_refused(here, "train digits --out run --rate -1");
    let error = is_refused(here, "train digits --out run --schedule sine");
    assert!(error.contains("constant, cosine[:FLOOR]"), "{error}");
    is_refused(here, "train digits --out run --warm-up -1");
    let error = fails(
        here,
        "train digits --out run --schedule one-cycle --warm-up 1",
    );
    assert!(error.contains("leave --warm-up away"), "{error}");
    is_refused(here, "train digits");
    is_refused(here, "fly");

    let error = fails(here, "train mnist:nowhere --out run");
    assert!(error.contains("nowhere` is not a folder"), "{error}");
    let error = fails(here, "train digits --out run --model resnet20 --size 32");
    assert!(error.contains("--size is for images:DIR"), "{error}");
    let error = fails(here, "train digits --out run --model lenet5");
    assert!(error.contains("try another --model"), "{error}");
    // Nothing was begun.
    assert!(!here.join("run").exists());
    for command in ["eval", "report"] {
        let error = fails(here, &format!("{command} nowhere"));
        assert!(error.contains("`nowhere` is not a folder"), "{error}");
        let error = fails(here, &format!("{command} ."));
        assert!(error.contains("it has no run.json"), "{error}");
    }
}

#[test]
fn help_names_every_command() {
    let here = &empty("help");
    let help = succeeds(here, "--help");
    for command in [
        "devices",
        "train",
        "find-rate",
        "eval",
        "predict",
        "export",
        "report",
    ] {
        assert!(help.contains(&format!("\n  {command}")), "{help}");
        assert!(succeeds(here, &format!("{command} --help")).contains("Usage: wgrad"));
    }
}

/// `println!` would panic.
#[test]
fn output_that_nobody_reads_is_no_error() {
    let mut command = program();
    command
        .arg("devices")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert_eq!(ended.status.code(), Some(0));
}

/// Ctrl-C finishes the step, saves, and the same command goes on.
#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on() {
    let here = &empty("interrupt");
    let line = "train digits --out run --epochs 100000 --quiet";
    let mut command = program();
    command
        .current_dir(here)
        .args(line.split(' '))
        .stdout(Stdio::piped());
    let child = command.spawn().unwrap();
    let started = std::time::Instant::now();
    while !here.join("run/history.jsonl").exists() {
        assert!(started.elapsed().as_secs() < 120, "no epoch in two minutes");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(
        said.starts_with("stopped after step ") && said.contains("goes on"),
        "{said}"
    );
    assert!(here.join("run/weights.safetensors").exists());

    let stopped = epochs(here);
    let line = format!("train digits --out run --epochs {} --quiet", stopped + 1);
    let (_, out, err) = wgrad(here, &line);
    assert!(out.contains("saved in run"), "{err}");
    assert_eq!(epochs(here), stopped + 1);
}
