//! How the server ends: readiness fails first, accepted requests are answered, then everything is closed.

use crate::client::{Answer, Client};
use crate::harness::Bench;
use crate::pictures::{digit, infer, numbers};
use crate::program::{Serving, digits, slow};
use serde_json::json;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What happened to the requests of a client.
#[derive(Default)]
struct Tally {
    answered: AtomicUsize,
    after_signal: AtomicUsize,
    lost: Mutex<Vec<String>>,
}

impl Tally {
    /// Asks until nobody listens any more. A request that an open connection took must be answered; a connection
    /// that is cut before its first request was never accepted by the program.
    fn ask(&self, serving: &Serving, signalled: &AtomicBool, body: &[u8]) {
        loop {
            let Ok(mut client) = Client::new(serving.address) else { return };
            let mut fresh = true;
            loop {
                let late = signalled.load(Ordering::SeqCst);
                match client.post("/predict", body) {
                    Ok(answer) if answer.status == 200 => {
                        self.answered.fetch_add(1, Ordering::Relaxed);
                        self.after_signal.fetch_add(usize::from(late), Ordering::Relaxed);
                        if answer.closes() {
                            break;
                        }
                    }
                    Ok(answer) => self.lose(format!("{} {}", answer.status, answer.text())),
                    Err(_) if fresh && signalled.load(Ordering::SeqCst) => return,
                    Err(error) => return self.lose(error.to_string()),
                }
                fresh = false;
            }
        }
    }

    fn lose(&self, what: String) {
        self.lost.lock().unwrap().push(what);
    }
}

#[test]
fn sigterm_under_load_loses_no_accepted_request() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    let mut serving = Serving::start(&bench, "digits.safetensors --threads 2");
    let picture = digit(4);
    let (signalled, tally) = (AtomicBool::new(false), Tally::default());
    let unready = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| tally.ask(&serving, &signalled, &picture));
        }
        scope.spawn(|| {
            // A watcher that asks anew each time, until nobody listens.
            while let Ok(answer) = Client::new(serving.address).and_then(|mut c| c.get("/v2/health/ready")) {
                if answer.status == 503 {
                    assert_eq!(answer.json(), json!({"ready": false}));
                    assert!(signalled.load(Ordering::SeqCst));
                    unready.store(true, Ordering::SeqCst);
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        std::thread::sleep(Duration::from_millis(700));
        signalled.store(true, Ordering::SeqCst);
        serving.signal("-TERM");
    });
    let (status, took) = serving.wait();
    assert!(status.success() && took < Duration::from_secs(10), "{status} {took:?}");
    let lost = tally.lost.into_inner().unwrap();
    println!("{:?} answered, {:?} after the signal", tally.answered, tally.after_signal);
    assert!(lost.is_empty(), "{lost:?}");
    assert!(unready.load(Ordering::SeqCst), "readiness did not fail before connections did");
    assert!(tally.after_signal.into_inner() > 10 && tally.answered.into_inner() > 100);
}

/// Whether the server has taken over so many requests.
fn wait_for_queue(serving: &Serving, wanted: f64) {
    let start = Instant::now();
    while serving.metric("foveal_queue_length") < wanted {
        assert!(start.elapsed() < Duration::from_secs(10), "the requests do not come");
    }
}

#[test]
fn what_is_in_hand_and_what_waits_is_answered() {
    let bench = Bench::new();
    slow(&bench, "slow");
    let mut serving = Serving::start(&bench, "slow.safetensors --threads 1");
    let body = infer(&[16, 64, 64, 1], &numbers(16, 64 * 64, 1));
    let answers: Vec<io::Result<Answer>> = std::thread::scope(|scope| {
        let asked: Vec<_> =
            (0..8).map(|_| scope.spawn(|| serving.connect().post("/v2/models/slow/infer", &body))).collect();
        wait_for_queue(&serving, 2.0);
        serving.signal("-INT");
        asked.into_iter().map(|a| a.join().unwrap()).collect()
    });
    let (status, _) = serving.wait();
    assert!(status.success(), "{status}");
    for answer in answers {
        let answer = answer.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[test]
fn idle_and_stubborn_connections_do_not_hold_it_up() {
    let bench = Bench::new();
    digits(&bench, "digits", 3);
    let mut serving = Serving::start(&bench, "digits.safetensors");
    let mut idle = serving.connect();
    assert_eq!(idle.get("/").unwrap().status, 200);
    let mut stubborn = serving.connect();
    stubborn.send(b"POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    serving.signal("-TERM");
    assert_eq!(idle.rest().unwrap(), b"");
    assert!(start.elapsed() < Duration::from_secs(3), "an idle connection lived {:?}", start.elapsed());
    let (status, _) = serving.wait();
    assert!(status.success() && start.elapsed() < Duration::from_secs(10), "{status} {:?}", start.elapsed());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let bench = Bench::new();
    let mut serving = Serving::start(&bench, "");
    let mut stubborn = serving.connect();
    stubborn.send(b"POST /predict").unwrap();
    serving.signal("-INT");
    std::thread::sleep(Duration::from_millis(100));
    serving.signal("-INT");
    let (status, took) = serving.wait();
    assert_eq!(status.code(), Some(130));
    assert!(took < Duration::from_millis(500), "{took:?}");
}
