use super::*;
use crate::data::testing::{Folder, gzip, text};

fn refusal(csv: &Csv, table: &str) -> String {
    text(csv.parse(table.as_bytes()))
}

fn features(data: &Dataset) -> Vec<Vec<f32>> {
    data.iter()
        .map(|sample| sample.unwrap().values().to_vec())
        .collect()
}

#[test]
fn columns_are_chosen_by_name_or_number() {
    let table = b"id, a ,b,kind\n7,1,2,x\n8,3,-4e-1,y\n";
    let all = Csv::labelled("kind").parse(table).unwrap();
    assert_eq!(features(&all), [[7.0, 1.0, 2.0], [8.0, 3.0, -0.4]]);
    let named = Csv::labelled(3).features(["b", "a"]).parse(table).unwrap();
    assert_eq!(features(&named), [[2.0, 1.0], [-0.4, 3.0]]);
    assert_eq!(
        (named.labels(), named.shape()),
        (Some(&[0, 1][..]), &[2][..])
    );

    let bare = Csv::labelled(0).header(false).delimiter(b';');
    let shaped = bare.shape([1, 1, 2]).parse(b"5;1;2\n6;3;4\n").unwrap();
    assert_eq!(shaped.shape(), [1, 1, 2]);
    assert_eq!(features(&shaped), [[1.0, 2.0], [3.0, 4.0]]);

    let swapped = Csv::predicting(["b", "id"]).features(["a"]).parse(table);
    let expected = Dataset::regression([1], vec![1.0, 3.0], [2], vec![2.0, 7.0, -0.4, 8.0]);
    assert_eq!(swapped.unwrap(), expected.unwrap());
}

#[test]
fn a_regression_has_its_targets_in_columns() {
    let data = Csv::predicting(["y", "z"])
        .parse(b"x,y,z\n1,2,3\n4,5,6\n")
        .unwrap();
    let expected = Dataset::regression([1], vec![1.0, 4.0], [2], vec![2.0, 3.0, 5.0, 6.0]);
    assert_eq!(data, expected.unwrap());
}

#[test]
fn classes_are_sorted_whatever_comes_first() {
    let names = |table: &str| {
        let data = Csv::labelled(0)
            .header(false)
            .parse(table.as_bytes())
            .unwrap();
        (
            data.classes().unwrap().names().join(" "),
            data.labels().unwrap().to_vec(),
        )
    };
    assert_eq!(
        names("oak,0\nelm,0\noak,0\n"),
        ("elm oak".to_owned(), vec![1, 0, 1])
    );
    assert_eq!(
        names("10,0\n9,0\n-1,0\n"),
        ("-1 9 10".to_owned(), vec![2, 1, 0])
    );
    assert_eq!(
        names("10,0\n9,0\nb,0\n"),
        ("10 9 b".to_owned(), vec![0, 1, 2])
    );
    let given = Csv::labelled(0).header(false).classes(["oak", "elm"]);
    let data = given.parse(b"elm,0\nelm,1\n").unwrap();
    assert_eq!(data.labels(), Some(&[1, 1][..]));
    assert_eq!(data.classes().unwrap().names(), ["oak", "elm"]);
    assert_eq!(
        refusal(&given, "elm,0\nash,1\n"),
        "table: line 2: column 0 holds `ash`, which is none of the classes"
    );
}

#[test]
fn quotes_line_ends_and_marks_are_those_of_spreadsheets() {
    let table = "\u{feff}\"kind\",x\r\n\"a, \"\"b\"\"\",1\r\nc,2\r\n";
    let data = Csv::labelled("kind").parse(table.as_bytes()).unwrap();
    assert_eq!(data.classes().unwrap().names(), ["a, \"b\"", "c"]);
    assert_eq!(features(&data), [[1.0], [2.0]]);
}

#[test]
fn other_tables_are_refused_with_their_line() {
    let csv = Csv::labelled("kind");
    let cases = [
        ("a,b\n1,2\n", "table: has no column `kind`; there are: a, b"),
        ("a,kind\n1,x\n,y\n", "table: line 3: column `a` is empty"),
        (
            "a,kind\n1,x\n\nNaN,y\n",
            "table: line 4: column `a` holds `NaN`, not a number",
        ),
        (
            "a,kind\r\n\"1\r\n\",x\r\n2,y\r\n\r\n3,\r\n",
            "table: line 6: column `kind` is empty",
        ),
        (
            "a,kind\n1e99,x\n",
            "table: line 2: column `a` holds `1e99`, not a number",
        ),
        ("a,kind\n1,\n", "table: line 2: column `kind` is empty"),
        (
            "a,kind\n1,x\n2\n",
            "table: line 3: has 1 entries, the first line has 2",
        ),
        (
            "a,kind\n",
            "table: a data set needs samples: found 0 of shape [1]",
        ),
        (
            "a,kind\n1,x\n2,x\n",
            "table: has samples of one class only, `x`; two are needed, or `Csv::classes` names all",
        ),
        (
            "kind\nx\n",
            "table: a data set needs samples: found 1 of shape [0]",
        ),
    ];
    for (table, expected) in cases {
        assert_eq!(refusal(&csv, table), expected);
    }
    let found = text(csv.parse(b"a,kind\n1,x\n2,\xff\n"));
    assert!(
        found.starts_with("table: line 3: is not UTF-8: "),
        "{found}"
    );
    assert_eq!(
        refusal(&Csv::labelled(2).header(false), "1,2\n"),
        "table: has no column 2; there are: 0 to 1, without names"
    );
    assert_eq!(
        refusal(&Csv::labelled("kind").header(false), "a,kind\n"),
        "table: has no column `kind`; there are: 0 to 1, without names"
    );
    assert_eq!(
        refusal(&Csv::labelled(0).shape([2, 2]), "k,a\nx,1\n"),
        "table: 1 samples of shape [2, 2] take 4 elements, found 1"
    );
}

#[test]
fn a_part_of_a_set_may_have_one_class_if_all_are_named() {
    let csv = Csv::labelled("kind").classes(["w", "x"]);
    let part = csv.parse(b"a,kind\n1,x\n2,x\n").unwrap();
    assert_eq!(part.class_counts(), Some(vec![0, 2]));
}

#[test]
fn files_may_be_compressed() {
    let folder = Folder::new();
    let table = b"a,kind\n1,x\n2,y\n";
    let path = folder.write("t.csv", &gzip(table));
    let csv = Csv::labelled("kind");
    assert_eq!(csv.read(&path).unwrap(), csv.parse(table).unwrap());
    let cut = folder.write("cut.csv", &gzip(table)[..15]);
    let start = format!("{}: broken gzip stream: ", cut.display());
    assert!(text(csv.read(&cut)).starts_with(&start));
    assert!(text(csv.read(folder.path().join("no.csv"))).contains("no.csv: cannot be read: "));
}
