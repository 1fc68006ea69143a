//! Samples that stay where they are stored.

use foveal_data::{Dataset, Error, Load, Sample, Samples, Stored, Targets};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// Sample `i` is filled with `i`; sample 90 is lost.
struct Numbered(Arc<AtomicUsize>);

impl Load for Numbered {
    fn load(&self, index: usize, pixels: &mut [u8]) -> Result<(), Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        pixels.fill(index as u8);
        match index {
            90 => Err(Error::Damaged { file: "90.png".into(), problem: "lost".into() }),
            _ => Ok(()),
        }
    }
}

fn stored(size: usize) -> (Stored, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    (Stored::new(Box::new(Numbered(Arc::clone(&reads))), 100, size, 7), reads)
}

#[test]
fn samples_are_read_ahead_once_in_any_order_of_asking() {
    let (stored, reads) = stored(12);
    let order: Vec<u32> = (0..80).rev().collect();
    stored.ahead(&order);
    while reads.load(Ordering::Relaxed) < 80 {
        sleep(Duration::from_millis(1));
    }
    for i in (0..80).step_by(2).chain((1..80).step_by(2)) {
        assert_eq!(stored.sample(i), [i as u8; 12]);
    }
    // The last sample may still have been in the reading.
    assert!(reads.load(Ordering::Relaxed) <= 81, "{reads:?}");
    assert_eq!(stored.sample(85), [85; 12]);
    assert_eq!(stored.fault(), None);
}

#[test]
fn no_more_is_read_ahead_than_there_is_room_for() {
    // Three samples fill the memory.
    let (stored, reads) = stored(20 << 20);
    stored.ahead(&(0..50).collect::<Vec<_>>());
    sleep(Duration::from_millis(300));
    assert!(reads.load(Ordering::Relaxed) <= 5, "{reads:?}");
    assert_eq!(stored.sample(0)[0], 0);
    assert_eq!(stored.sample(49)[0], 49);
    // A new call of `ahead` replaces the old one.
    stored.ahead(&[60, 61]);
    assert_eq!(stored.sample(61)[5], 61);
    drop(stored);
}

#[test]
fn a_lost_sample_is_black_and_remembered() {
    let (stored, _) = stored(4);
    let targets = Targets::Values { values: vec![0.0; 100], names: vec!["v".into()] };
    let set = Dataset::new("numbered", [2, 2, 1], Samples::Stored(stored), targets).unwrap();
    assert_eq!(set.len(), 100);
    assert_eq!(set.sample(3), Sample::U8(vec![3; 4].into()));
    assert_eq!(set.fault(), None);
    assert_eq!(set.sample(90), Sample::U8(vec![0; 4].into()));
    assert_eq!(
        set.fault().unwrap().to_string(),
        "90.png: cannot be decoded: lost; fetch or write the file again"
    );
    assert_eq!(set.check().samples, 100);
}

#[test]
fn a_set_needs_samples_of_its_own_size() {
    let targets = Targets::Values { values: vec![0.0; 200], names: vec!["v".into()] };
    // 100 samples of 4 are as many numbers as 200 of 2.
    assert!(Dataset::new("x", [1, 2, 1], Samples::Stored(stored(4).0), targets).is_err());
}
