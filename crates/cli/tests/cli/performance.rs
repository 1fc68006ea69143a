//! Plans, profiles, shares of the peak.

use crate::harness::{Bench, Run};
use insta::assert_snapshot;
use serde_json::Value;

/// On an instruction set that every machine has.
fn portable(bench: &Bench, arguments: &str) -> Run {
    Run::new(arguments, bench.command(arguments).env("FOVEAL_ISA", "portable").output().unwrap())
}

#[test]
fn plans_are_shown() {
    let bench = Bench::new();
    assert_snapshot!("plan", portable(&bench, "summary lab-11-1 --plan --threads 2").told());
    let one = "summary fast --plan --inference --batch-size 1 --threads 1";
    assert_snapshot!("plan_one_image", portable(&bench, one).told());
    let korean = "summary lab-11-2 --plan --inference --batch-size 10 --threads 1 --lang ko";
    assert_snapshot!("plan_inference_korean", portable(&bench, korean).told());
}

#[test]
fn plans_are_profiled() {
    let bench = Bench::new();
    let options = "--plan --profile --batch-size 8";
    assert_snapshot!("profile", portable(&bench, &format!("summary fast {options} --threads 1")).shape());
    let korean = format!("summary fast {options} --inference --threads 2 --lang ko");
    assert_snapshot!("profile_inference_korean", portable(&bench, &korean).shape());
}

#[test]
fn plans_as_json() {
    let bench = Bench::new();
    let plan = portable(&bench, "summary fast --plan --json").good().json();
    assert_eq!((&plan["isa"], &plan["lanes"], &plan["groups"]), (&"portable".into(), &4.into(), &32.into()));
    assert_eq!((&plan["training"], &plan["profile"]), (&true.into(), &Value::Null));
    assert_eq!(plan["steps"][1]["layers"], serde_json::json!(["conv2d_1", "relu_1", "max_pool_1"]));
    assert_eq!(plan["steps"][1]["forward"], Value::Null);

    let plan = bench.run("summary fast --plan --profile --threads 1 --json").good().json();
    let peak = plan["profile"]["peak_gflops"].as_f64().unwrap();
    let steps = plan["steps"].as_array().unwrap();
    let number = |v: &Value| v.as_f64().unwrap();
    for step in steps {
        for pass in ["forward", "backward"] {
            let (flops, figures) = (number(&step[format!("{pass}_flops")]), &step[pass]);
            let (seconds, gflops) = (number(&figures["seconds"]), number(&figures["gflops"]));
            assert!(seconds >= 0.0 && (gflops * seconds * 1e9 - flops).abs() <= 1e-6 * flops, "{step}");
            assert!((number(&figures["share_of_peak"]) * peak - gflops).abs() <= 1e-6 * gflops, "{step}");
        }
    }
    let whole = &plan["profile"];
    assert!(number(&whole["seconds"]) > 0.0 && number(&whole["images_per_second"]) > 0.0);
    let flops = number(&plan["forward_flops"]) + number(&plan["backward_flops"]);
    assert!((number(&whole["gflops"]) * number(&whole["seconds"]) * 1e9 - flops).abs() <= 1e-6 * flops);
}

#[test]
fn plans_that_cannot_be_made_are_refused() {
    let bench = Bench::new();
    for arguments in ["--profile", "--inference", "--batch-size 3", "--plan --batch-size 0"] {
        assert_eq!(bench.run(&format!("summary fast {arguments}")).code, Some(2), "{arguments}");
    }
    let layers =
        "[[layer]]\nkind = \"conv2d\"\nfilters = 64\nkernel = [3, 3]\n[[layer]]\nkind = \"batch_norm\"\n";
    let input = "[input]\nshape = [512, 512, 3]\n";
    bench.file("open.toml", format!("{input}{layers}"));
    bench.run("summary open.toml --plan").refused(&["not flat"]);
    let end = "[[layer]]\nkind = \"global_avg_pool\"\n";
    bench.file("wide.toml", format!("{input}{layers}{end}"));
    // Its plan can be shown, since that takes no memory, but it cannot be run.
    let shown = bench.run("summary wide.toml --plan --batch-size 65536 --json").good().json();
    assert!(shown["memory_bytes"].as_u64().unwrap() > 1 << 40);
    bench.run("summary wide.toml --plan --batch-size 65536 --profile").refused(&["65536", "--batch-size"]);
}

#[test]
fn the_machine_is_measured() {
    let bench = Bench::new();
    for (name, arguments) in [("bench", "bench --quick"), ("bench_korean", "bench --quick --lang ko")] {
        let mut told = bench.run(arguments).shape();
        for isa in ["avx#", "neon", "portable"] {
            told = told.replace(isa, "(isa)");
        }
        assert_snapshot!(name, told);
    }
    let run = bench.run("bench --quick --threads 1 --json").good();
    let json = run.json();
    let rate = |v: &Value| {
        let gflops = v.as_f64().unwrap();
        assert!(gflops.is_finite() && gflops > 0.0, "{json}");
    };
    let convolutions = json["convolutions"].as_array().unwrap();
    assert_eq!((convolutions.len(), json["training"].as_array().unwrap().len()), (10, 3));
    for row in convolutions {
        ["forward_gflops", "backward_input_gflops", "backward_filter_gflops"]
            .iter()
            .for_each(|k| rate(&row[*k]));
    }
    for row in json["training"].as_array().unwrap() {
        ["images_per_second", "gflops"].iter().for_each(|k| rate(&row[*k]));
    }
    ["peak", "peak_one", "latency_seconds", "seconds"].iter().for_each(|k| rate(&json[*k]));
    assert_eq!(json["peak"], json["peak_one"]);
}
