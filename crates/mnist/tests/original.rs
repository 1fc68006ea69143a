//! The bytes are those of the four original files, and they fit a crate.

use sha2::{Digest, Sha256};

fn sha256(header: &[u32], body: &[u8]) -> String {
    let mut hash = Sha256::new();
    for word in header {
        hash.update(word.to_be_bytes());
    }
    hash.update(body);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn train_images_are_the_original_for_any_number_of_threads() {
    for threads in [0, 1, 2, 3, 64] {
        assert_eq!(
            sha256(&[0x803, 60_000, 28, 28], &foveal_mnist::train_images(threads)),
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        );
    }
}

#[test]
fn train_labels_are_the_original() {
    assert_eq!(
        sha256(&[0x801, 60_000], &foveal_mnist::train_labels()),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
    );
}

#[test]
fn test_images_are_the_original() {
    assert_eq!(
        sha256(&[0x803, 10_000, 28, 28], &foveal_mnist::test_images()),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
    );
}

#[test]
fn test_labels_are_the_original() {
    assert_eq!(
        sha256(&[0x801, 10_000], &foveal_mnist::test_labels()),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
    );
}

#[test]
fn the_packed_data_fit_a_crate() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
    let bytes: u64 = std::fs::read_dir(folder)
        .expect("the data folder stands beside the sources")
        .map(|entry| entry.and_then(|e| e.metadata()).expect("readable").len())
        .sum();
    assert!(bytes < 10_000_000, "{bytes} bytes");
}
