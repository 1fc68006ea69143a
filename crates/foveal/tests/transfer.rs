//! With few samples, what was learnt of other digits helps: the example's figures.

#[path = "../examples/transfer.rs"]
mod example;

#[test]
fn transfer_beats_training_from_scratch_on_few_samples() {
    let [scratch, transferred, frozen] = example::accuracies(10).unwrap();
    println!(
        "ten samples a digit: from scratch {scratch:.4}, transferred {transferred:.4}, frozen {frozen:.4}"
    );
    assert!(transferred > scratch + 0.01, "{transferred} against {scratch}");
    // Features of other digits alone, with a new head, do better than chance (0.2) and worse than either.
    assert!(frozen > 0.3, "{frozen}");
}
