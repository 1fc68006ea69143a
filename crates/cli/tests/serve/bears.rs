//! Too many requests, and clients that are too slow.

use crate::client::{Client, request};
use crate::harness::Bench;
use crate::pictures::{digit, infer, numbers};
use crate::program::{Serving, digits, slow};
use std::sync::Mutex;
use std::time::{Duration, Instant};

#[test]
fn four_times_too_much_is_answered_503_at_once_and_then_all_is_as_before() {
    const SENDERS: usize = 24;
    const SECONDS: f64 = 2.0;
    let bench = Bench::new();
    slow(&bench, "slow");
    let serving = Serving::start(&bench, "slow.safetensors --threads 1 --queue 4");
    let body = infer(&[4, 64, 64, 1], &numbers(4, 64 * 64, 1));
    let path = "/v2/models/slow/infer";
    let mut client = serving.connect();
    let calm = |client: &mut Client| {
        let start = Instant::now();
        let answer = client.post(path, &body).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        start.elapsed().as_secs_f64()
    };
    calm(&mut client);
    let before = (0..10).map(|_| calm(&mut client)).sum::<f64>() / 10.0;
    // Each sender keeps its own pace; together they send four times as many requests as can be answered.
    let pace = before * SENDERS as f64 / 4.0;
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (found, serving, body) = (&found, &serving, &body);
            scope.spawn(move || {
                let mut client = serving.connect();
                let start = Instant::now();
                let mut due = pace * sender as f64 / SENDERS as f64;
                while due < SECONDS {
                    let early = due - start.elapsed().as_secs_f64();
                    std::thread::sleep(Duration::from_secs_f64(early.max(0.0)));
                    let sent = Instant::now();
                    let answer = client.post(path, body).unwrap();
                    let told = answer.header("retry-after") == Some("1");
                    found.lock().unwrap().push((answer.status, told, sent.elapsed().as_secs_f64()));
                    due += pace;
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    let of = |status: u16| -> Vec<f64> {
        let mut times: Vec<f64> = found.iter().filter(|f| f.0 == status).map(|f| f.2).collect();
        times.sort_by(f64::total_cmp);
        times
    };
    let (done, refused) = (of(200), of(503));
    println!("{} done, {} refused, one alone took {before:.4} s", done.len(), refused.len());
    assert_eq!(done.len() + refused.len(), found.len());
    assert!(done.len() >= 10 && refused.len() >= 10);
    assert!(found.iter().all(|f| f.0 == 200 || f.1), "a 503 without Retry-After");
    // Refusals do not wait: they take no longer than the work that is refused.
    assert!(refused[refused.len() / 2] < 0.1_f64.max(before), "{:?}", refused[refused.len() / 2]);
    // An accepted request waits at most for the queue and for the batch before it.
    assert!(done[done.len() - 1] < 1.0 + 20.0 * before, "{:?}", done.last());
    let after = (0..10).map(|_| calm(&mut client)).fold(f64::INFINITY, f64::min);
    assert!(after < 0.05 + 3.0 * before, "{after} after, {before} before");
    assert_eq!(serving.metric("foveal_queue_length"), 0.0);
}

#[test]
fn connections_beyond_the_limit_are_told_so() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    let serving = Serving::start(&bench, "digits.safetensors --connections 4");
    let mut open: Vec<Client> = (0..4).map(|_| serving.connect()).collect();
    // Each waits for the rest of a body: none of them is idle.
    let begun = b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n1";
    open.iter_mut().for_each(|client| client.send(begun).unwrap());
    std::thread::sleep(Duration::from_millis(100));
    let answer = serving.connect().answer().unwrap();
    assert_eq!((answer.status, answer.header("retry-after"), answer.closes()), (503, Some("1"), true));
    open.pop();
    let start = Instant::now();
    loop {
        let answer = serving.get("/v2/health/live");
        if answer.status == 200 {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// As many silent connections as there may be: each new one gets the place of the one that has waited longest.
#[test]
fn idle_connections_give_way() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    let serving = Serving::start(&bench, "digits.safetensors --connections 6");
    let mut asked: Vec<Client> = (0..3).map(|_| serving.connect()).collect();
    asked.iter_mut().for_each(|client| assert_eq!(client.get("/v2/health/live").unwrap().status, 200));
    let silent: Vec<Client> = (0..40).map(|_| serving.connect()).collect();
    for _ in 0..20 {
        assert_eq!(serving.get("/v2/health/live").status, 200);
    }
    // The first were cut without a word, and a working connection was not.
    assert!(asked.into_iter().all(|mut client| client.rest().unwrap().is_empty()));
    let mut working = serving.connect();
    working.send(b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n1").unwrap();
    for _ in 0..20 {
        assert_eq!(serving.get("/v2/health/live").status, 200);
    }
    working.send(b"2").unwrap();
    assert_eq!(working.answer().unwrap().status, 415);
    drop(silent);
}

/// Sends byte by byte until the other side closes; how long that took, and what it had said.
fn drip(mut client: Client, bytes: &[u8]) -> (Duration, String) {
    let start = Instant::now();
    for byte in bytes.iter().cycle() {
        if client.send(&[*byte]).is_err() || start.elapsed() > Duration::from_secs(10) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    // A reset connection also counts as closed.
    let said = client.rest().unwrap_or_default();
    (start.elapsed(), String::from_utf8_lossy(&said).into_owned())
}

/// Sends requests and takes no answers until it is cut.
fn ask_and_take_nothing(mut client: Client) {
    let start = Instant::now();
    let many = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1000);
    while client.send(&many).is_ok() {
        assert!(start.elapsed() < Duration::from_secs(15), "it takes no answer and is not cut");
    }
}

/// Waits until only the connection that asks is open.
fn none_is_left_open(serving: &Serving) {
    let start = Instant::now();
    while serving.metric("foveal_connections") > 1.0 {
        assert!(start.elapsed() < Duration::from_secs(5), "connections are left open");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn slow_clients_are_cut_and_others_do_not_notice() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    let serving = Serving::start(&bench, "digits.safetensors --patience 1 --connections 200 --threads 2");
    let heads = b"GET / HTTP/1.1\r\nhost: localhost\r\n".to_vec();
    let endless = [&heads[..], b"x-a: "].concat();
    let picture = digit(2);
    std::thread::scope(|scope| {
        let slow_heads: Vec<_> = (0..60)
            .map(|i| {
                let (mut client, endless) = (serving.connect(), &endless);
                scope.spawn(move || {
                    // Some of them have sent a whole request before.
                    if i % 2 == 0 {
                        assert_eq!(client.get("/v2/health/live").unwrap().status, 200);
                    }
                    client.send(endless).unwrap();
                    drip(client, b"a")
                })
            })
            .collect();
        let slow_bodies: Vec<_> = (0..20)
            .map(|_| {
                let mut client = serving.connect();
                scope.spawn(move || {
                    client.send(&request("/predict", b"", "")[..]).unwrap();
                    assert_eq!(client.answer().unwrap().status, 400);
                    let head = "POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5000\r\n\r\n";
                    client.send(head.as_bytes()).unwrap();
                    drip(client, b"b")
                })
            })
            .collect();
        // A client that does not take its answers is cut, too.
        let greedy = scope.spawn(|| ask_and_take_nothing(serving.connect()));
        let start = Instant::now();
        let mut client = serving.connect();
        while start.elapsed() < Duration::from_millis(1500) {
            let asked = Instant::now();
            assert_eq!(client.post("/predict", &picture).unwrap().status, 200);
            assert!(asked.elapsed() < Duration::from_secs(1));
        }
        for slow in slow_heads {
            let (took, _) = slow.join().unwrap();
            assert!(took < Duration::from_secs(5), "a slow head lived {took:?}");
        }
        for slow in slow_bodies {
            let (took, said) = slow.join().unwrap();
            assert!(took < Duration::from_secs(5), "a slow body lived {took:?}");
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
        }
        greedy.join().unwrap();
    });
    none_is_left_open(&serving);
}
