//! What the crate holds is what the script packed.

use sha2::{Digest, Sha256};

fn checksum(numbers: &[f32]) -> String {
    let bytes: Vec<u8> = numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn the_numbers_are_the_original_ones() {
    let numbers = foveal_backbone::numbers();
    // pack.py prints these.
    let weights = "aa4eace0ed048ad2ba7f648de87ba6aef908a2614c7cc40c0b1dc0a14f1f90e4";
    let norms = "2013a865ecc13dc63a73c08e16c2e63f62195e3ada5fd6c54b2797f85f51ace7";
    assert_eq!([checksum(&numbers.weights), checksum(&numbers.norms)], [weights, norms]);
}

#[test]
fn every_class_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<&str> = foveal_backbone::classes().collect();
    assert_eq!((names.len(), foveal_backbone::classes().count()), (1000, foveal_backbone::CLASSES));
    assert!(names.iter().all(|name| !name.trim().is_empty()));
}
