//! A small HTTP server on this machine, with the faults that tests ask for.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// How a server answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners {
    /// Sends all of the file, whatever part is asked for.
    pub no_ranges: bool,
    /// Answers with another part than that asked for.
    pub wrong_range: bool,
    /// Breaks the connection after this many bytes of the body.
    pub break_after: Option<usize>,
    /// Answers everything with this status.
    pub status: Option<u16>,
}

/// Answers requests for one file; ends with the test.
pub struct Server {
    url: String,
    /// First byte asked for, by request.
    requests: Arc<Mutex<Vec<usize>>>,
}

impl Server {
    pub fn new(name: &str, content: Vec<u8>, manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/sets", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, path) = (Arc::clone(&requests), format!("/sets/{name}"));
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that hangs up is none of the server's business.
                let _ = answer(&mut stream.unwrap(), &path, &content, manners, &log);
            }
        });
        Self { url, requests }
    }

    /// The mirror's address.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub fn requests(&self) -> Vec<usize> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(
    stream: &mut TcpStream,
    path: &str,
    content: &[u8],
    manners: Manners,
    log: &Mutex<Vec<usize>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let mut start = 0;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            start = range.trim_end_matches('-').parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    log.lock().unwrap().push(start);
    if manners.no_ranges {
        start = 0;
    }
    let found = request.split(' ').nth(1) == Some(path);
    let (status, range, body) = match manners.status {
        Some(status) => (status, String::new(), &b"no"[..]),
        None if !found => (404, String::new(), &b"no"[..]),
        None if start == 0 => (200, String::new(), content),
        None if start >= content.len() => (416, String::new(), &b""[..]),
        None => {
            let (len, first) = (content.len(), start + usize::from(manners.wrong_range));
            let range = format!("Content-Range: bytes {first}-{}/{len}\r\n", len - 1);
            (206, range, &content[start..])
        }
    };
    let len = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\nContent-Length: {len}\r\n{range}Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body[..manners.break_after.map_or(len, |count| count.min(len))])
}
