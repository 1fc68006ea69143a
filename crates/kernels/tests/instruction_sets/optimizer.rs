use crate::each;
use foveal_kernels::optimizer::{Adam, Sgd};
use foveal_testkit::fixtures;

#[test]
fn updates_follow_pytorch_for_20_steps() {
    each(|isa| {
        let mut worst = 0f64;
        let mut ran = 0;
        for c in fixtures::torch().iter().filter(|c| c.op != "softmax_cross_entropy") {
            let p = |name: &str| c.parameter(name) as f32;
            // Adam's decay is decoupled here; PyTorch's coupled one has no counterpart.
            if c.op == "adam" && p("weight_decay") != 0.0 {
                continue;
            }
            ran += 1;
            let narrow = |name: &str| -> Vec<f32> { c.tensor(name).iter().map(|&v| v as f32).collect() };
            let (mut x, gradients, expected) =
                (narrow("initial"), narrow("gradients"), c.tensor("parameters"));
            let n = x.len();
            let (mut m, mut v) = (vec![0.0; n], vec![0.0; n]);
            for (i, (g, want)) in gradients.chunks_exact(n).zip(expected.rows()).enumerate() {
                if c.op == "sgd" {
                    let (nesterov, decay) = (p("nesterov") != 0.0, p("weight_decay"));
                    Sgd { lr: p("lr"), momentum: p("momentum"), nesterov, decay }
                        .update(isa, &mut x, &mut m, g);
                } else {
                    let (beta1, beta2, epsilon) = (p("beta1"), p("beta2"), p("epsilon"));
                    let step = i as u64 + 1;
                    Adam { lr: p("lr"), beta1, beta2, epsilon, decay: p("weight_decay"), step }
                        .update(isa, &mut x, &mut m, &mut v, g);
                }
                for (&ours, &theirs) in x.iter().zip(want) {
                    let error = (f64::from(ours) - theirs).abs() / theirs.abs().max(1.0);
                    assert!(error < 2e-6, "{} {} step {i}: {ours} and {theirs}", isa.name(), c.name);
                    worst = worst.max(error);
                }
            }
        }
        assert_eq!(ran, 8);
        println!("{:>8} optimizers: {ran} traces of 20 steps, worst {worst:.1e}", isa.name());
    });
}
