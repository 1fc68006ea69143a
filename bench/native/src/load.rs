//! A load generator: connections that each send the same request again and again, one at a time.

use crate::measure::Answer;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Sends the file `body` to `path` on 127.0.0.1 for `seconds`, after a tenth of that which does not count.
/// Latencies in seconds; every answer must be 200 and the same as the first.
pub fn run(port: u16, path: &str, body: &str, connections: usize, seconds: f64) -> Answer {
    let body = std::fs::read(body).map_err(|e| format!("{body}: {e}"))?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), &body].concat();
    let wanted = Connection::new(port)?.ask(&request)?;
    let start = Instant::now();
    let (begin, end) = (Duration::from_secs_f64(seconds * 0.1), Duration::from_secs_f64(seconds * 1.1));
    let results: Vec<Result<Vec<f64>, String>> = std::thread::scope(|scope| {
        let sender = || {
            let mut connection = Connection::new(port)?;
            let mut times = Vec::new();
            loop {
                let sent = start.elapsed();
                if sent >= end {
                    return Ok(times);
                }
                if connection.ask(&request)? != wanted {
                    return Err("an answer differs from the first".into());
                }
                if sent >= begin {
                    times.push((start.elapsed() - sent).as_secs_f64());
                }
            }
        };
        let senders: Vec<_> = (0..connections).map(|_| scope.spawn(sender)).collect();
        senders.into_iter().map(|s| s.join().unwrap_or_else(|_| Err("a sender panicked".into()))).collect()
    });
    let mut times = Vec::new();
    for result in results {
        times.extend(result?);
    }
    times.sort_by(f64::total_cmp);
    let at =
        |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1)));
    let (Some(p50), Some(p99)) = (at(0.5), at(0.99)) else { return Err("nothing was answered".into()) };
    Ok(json!({"p50": p50, "p99": p99, "per_second": times.len() as f64 / seconds, "requests": times.len()}))
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    fn new(port: u16) -> Result<Self, String> {
        let socket = TcpStream::connect(("127.0.0.1", port)).map_err(|e| format!("port {port}: {e}"))?;
        socket.set_nodelay(true).map_err(|e| e.to_string())?;
        Ok(Self(BufReader::new(socket)))
    }

    /// The body of the answer.
    fn ask(&mut self, request: &[u8]) -> Result<Vec<u8>, String> {
        let fail = |e: std::io::Error| e.to_string();
        self.0.get_mut().write_all(request).map_err(fail)?;
        let (mut length, mut line) = (0, String::new());
        self.0.read_line(&mut line).map_err(fail)?;
        if line.split(' ').nth(1) != Some("200") {
            return Err(format!("answered {}", line.trim()));
        }
        loop {
            line.clear();
            self.0.read_line(&mut line).map_err(fail)?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(|_| format!("the length {value}"))?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).map_err(fail)?;
        Ok(body)
    }
}
