use std::fs;

use super::catalogue::Remote;
use super::fetch::{config, fetch};
use super::server::{Manners, Server};
use super::*;
use crate::data::testing::{Folder, gzip, text};
use crate::data::{FetchFault, FileFault};

const NAME: &str = "numbers.bin";

/// 100,000 bytes, more than fit into the buffers on the way.
fn content() -> Vec<u8> {
    (0..100_000_u32)
        .map(|i| (i.wrapping_mul(i) >> 7) as u8)
        .collect()
}

/// Computed with Python's hashlib.
fn remote() -> Remote {
    Remote {
        name: NAME,
        bytes: 100_000,
        sha256: "6bcecbb09ee6bb930d18d098dabb90c700f3380421c8d78c33ae0f6d11ac3caa",
        members: &[],
    }
}

/// Straight to this machine, whatever proxy the environment names.
fn agent() -> Agent {
    config().proxy(None).build().new_agent()
}

fn server(manners: Manners) -> Server {
    Server::new(NAME, content(), manners)
}

/// Fetches from these servers, and gives the error's text.
fn try_fetch(folder: &Folder, servers: &[&Server]) -> String {
    let urls: Vec<String> = servers.iter().map(|server| server.url()).collect();
    text(fetch(&agent(), &remote(), &urls, folder.path()))
}

fn is_whole(folder: &Folder) -> bool {
    let part = folder.path().join("numbers.bin.part");
    !part.exists() && fs::read(folder.path().join(NAME)).unwrap() == content()
}

fn part(folder: &Folder) -> Vec<u8> {
    assert!(
        !folder.path().join(NAME).exists(),
        "named before it was whole"
    );
    fs::read(folder.path().join("numbers.bin.part")).unwrap()
}

#[test]
fn a_file_gets_its_name_when_its_checksum_is_right() {
    let (folder, good) = (Folder::new(), server(Manners::default()));
    assert_eq!(try_fetch(&folder, &[&good]), "accepted");
    assert!(is_whole(&folder));

    let mut wrong = content();
    wrong[77] ^= 1;
    let bad = Server::new(NAME, wrong, Manners::default());
    let folder = Folder::new();
    let found = try_fetch(&folder, &[&bad]);
    let start = format!(
        "`{NAME}` could not be downloaded: {}/{NAME}: SHA-256 ",
        bad.url()
    );
    assert!(found.starts_with(&start), "{found}");
    assert!(part(&folder).is_empty(), "nothing to go on from");
}

#[test]
fn a_broken_download_goes_on_where_it_stopped() {
    let folder = Folder::new();
    let breaking = server(Manners {
        break_after: Some(40_000),
        ..Manners::default()
    });
    let found = try_fetch(&folder, &[&breaking]);
    assert!(found.contains(&breaking.url()), "{found}");
    assert_eq!(part(&folder), content()[..40_000]);

    let good = server(Manners::default());
    assert_eq!(try_fetch(&folder, &[&good]), "accepted");
    assert_eq!(good.requests(), [40_000]);
    assert!(is_whole(&folder));
}

#[test]
fn the_next_mirror_takes_over() {
    let folder = Folder::new();
    let gone = server(Manners {
        status: Some(503),
        ..Manners::default()
    });
    let breaking = server(Manners {
        break_after: Some(10),
        ..Manners::default()
    });
    let good = server(Manners::default());
    assert_eq!(try_fetch(&folder, &[&gone, &breaking, &good]), "accepted");
    assert_eq!((gone.requests(), good.requests()), (vec![0], vec![10]));
    assert!(is_whole(&folder));
}

#[test]
fn a_server_without_ranges_sends_all() {
    let folder = Folder::new();
    folder.write("numbers.bin.part", &content()[..40_000]);
    let plain = server(Manners {
        no_ranges: true,
        ..Manners::default()
    });
    assert_eq!(try_fetch(&folder, &[&plain]), "accepted");
    assert_eq!(plain.requests(), [40_000]);
    assert!(is_whole(&folder));
}

#[test]
fn another_part_than_asked_for_is_not_taken() {
    let folder = Folder::new();
    folder.write("numbers.bin.part", &content()[..40_000]);
    let odd = server(Manners {
        wrong_range: true,
        ..Manners::default()
    });
    let good = server(Manners::default());
    assert_eq!(try_fetch(&folder, &[&odd, &good]), "accepted");
    assert_eq!((odd.requests(), good.requests()), (vec![40_000], vec![0]));
}

/// Left behind by another version of the file, by a crash, or longer than it may be.
#[test]
fn remains_of_any_kind_are_no_obstacle() {
    let mut longer = content();
    longer.push(0);
    let cases: [(&[u8], &[usize]); 4] = [
        (&[9; 100], &[100, 0]),
        (&[9; 100_000], &[0]),
        (&longer, &[0]),
        (&content(), &[]),
    ];
    for (remains, requests) in cases {
        let (folder, good) = (Folder::new(), server(Manners::default()));
        folder.write("numbers.bin.part", remains);
        assert_eq!(
            try_fetch(&folder, &[&good]),
            "accepted",
            "{}",
            remains.len()
        );
        assert_eq!(good.requests(), requests, "{}", remains.len());
        assert!(is_whole(&folder));
    }
}

#[test]
fn files_of_another_size_are_refused() {
    let folder = Folder::new();
    let long = Server::new(NAME, [content(), content()].concat(), Manners::default());
    let found = try_fetch(&folder, &[&long]);
    assert!(
        found.ends_with(": 100001 bytes, 100000 expected"),
        "{found}"
    );

    let folder = Folder::new();
    let short = Server::new(NAME, content()[..500].to_vec(), Manners::default());
    let expected = ": 500 bytes, 100000 expected";
    for _ in 0..2 {
        let found = try_fetch(&folder, &[&short]);
        assert!(found.ends_with(expected), "{found}");
    }
    // All, then a range beyond the end, then all again.
    assert_eq!(short.requests(), [0, 500, 0]);
    assert_eq!(
        try_fetch(&folder, &[&server(Manners::default())]),
        "accepted"
    );
}

#[test]
fn every_mirror_is_named_with_its_fault() {
    let folder = Folder::new();
    let gone = Server::new("other", content(), Manners::default());
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let urls = [gone.url(), closed.clone()];
    let error = fetch(&agent(), &remote(), &urls, folder.path()).unwrap_err();
    let DataError::Download { file, attempts } = error else {
        unreachable!("{error}")
    };
    assert_eq!((file.as_str(), attempts.len()), (NAME, 2));
    assert!(matches!(attempts[0].fault, FetchFault::Status(404)));
    assert!(matches!(attempts[1].fault, FetchFault::Connection(_)));
    assert_eq!(attempts[1].url, format!("{closed}/{NAME}"));
    assert_eq!(
        text(fetch(&agent(), &remote(), &[], folder.path())),
        "`numbers.bin` could not be downloaded: "
    );
}

/// An archive as CIFAR-10's: members in a folder, and one that nobody wants.
fn archive() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in [
        ("batches/readme.html", &b"<p>"[..]),
        ("batches/one.bin", b"1"),
        ("batches/two.bin", b"22"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, content).unwrap();
    }
    gzip(&tar.into_inner().unwrap())
}

fn sha256(bytes: &[u8]) -> &'static str {
    use sha2::{Digest, Sha256};
    let digits: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    digits.leak()
}

fn catalogue(members: &'static [&'static str]) -> Catalogue {
    let bytes = archive();
    Catalogue {
        mirrors: &["http://127.0.0.1:1/nobody"],
        files: vec![Remote {
            name: "set.tar.gz",
            bytes: bytes.len() as u64,
            sha256: sha256(&bytes),
            members,
        }],
    }
}

#[test]
fn archives_are_unpacked_once() {
    let folder = Folder::new();
    let server = Server::new("set.tar.gz", archive(), Manners::default());
    let slash = format!("{}/", server.url());
    let download = Download::new(Known::Cifar10, folder.path()).mirrors([slash]);
    let catalogue = catalogue(&["two.bin", "one.bin"]);
    let found = download.fetch_from(&catalogue, &agent()).unwrap();
    assert_eq!(found, folder.path().join("cifar-10"));
    assert_eq!(fs::read(found.join("one.bin")).unwrap(), b"1");
    assert_eq!(fs::read(found.join("two.bin")).unwrap(), b"22");
    assert_eq!(fs::read_dir(&found).unwrap().count(), 2, "and nothing else");

    download.fetch_from(&catalogue, &agent()).unwrap();
    assert_eq!(server.requests().len(), 1);

    // One is lost: the archive is fetched again.
    fs::remove_file(found.join("one.bin")).unwrap();
    download.fetch_from(&catalogue, &agent()).unwrap();
    assert_eq!(server.requests().len(), 2);
    assert_eq!(fs::read(found.join("one.bin")).unwrap(), b"1");
}

#[test]
fn an_archive_without_the_wanted_file_is_reported() {
    let folder = Folder::new();
    let server = Server::new("set.tar.gz", archive(), Manners::default());
    let download = Download::new(Known::Cifar10, folder.path()).mirrors([server.url()]);
    let error = download
        .fetch_from(&catalogue(&["six.bin"]), &agent())
        .unwrap_err();
    assert!(matches!(
        error,
        DataError::File { path, fault: FileFault::Read(_) } if path.ends_with("cifar-10/six.bin")
    ));
}

#[test]
fn a_folder_that_is_complete_needs_no_network() {
    let folder = Folder::new();
    let images = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9];
    let labels = [0, 0, 8, 1, 0, 0, 0, 1, 9];
    for set in ["train", "t10k"] {
        folder.write(
            &format!("fashion-mnist/{set}-images-idx3-ubyte.gz"),
            &images,
        );
        folder.write(
            &format!("fashion-mnist/{set}-labels-idx1-ubyte.gz"),
            &labels,
        );
    }
    let download = Download::named("fashion-mnist", folder.path()).unwrap();
    let (train, test) = download.mirrors(Vec::<String>::new()).load().unwrap();
    assert_eq!(train, test);
    assert_eq!(train.class_name(9), Some("Ankle boot"));
}

#[test]
fn the_catalogue_is_well_formed() {
    for name in ["mnist", "fashion-mnist", "cifar-10"] {
        let set: Known = name.parse().unwrap();
        assert_eq!(set.name(), name);
        let catalogue = set.catalogue();
        assert!(catalogue.mirrors.iter().all(|url| url.starts_with("http")));
        for file in catalogue.files {
            let hexadecimal = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            assert_eq!(file.sha256.len(), 64, "{}", file.name);
            assert!(file.sha256.chars().all(hexadecimal), "{}", file.name);
            assert!(file.bytes > 1000, "{}", file.name);
        }
    }
}
