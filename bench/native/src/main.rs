//! foveal's side of `bench/run.py`: one measurement a request, one line of JSON an answer.
//!
//! `foveal-bench COMMAND WORDS...` answers once; `foveal-bench serve` answers every line of its input, so that
//! the peers can take turns without starting anew:
//!
//! - `about`: the instruction set and the threads;
//! - `peak THREADS SECONDS`: fused multiply-adds on registers alone;
//! - `train MODEL THREADS SECONDS`: a training run of batches of 128;
//! - `conv PASS SHAPE SECONDS`: a public operator on all threads; `im2col PASS SHAPE SECONDS`: the same
//!   through im2col and a product of the `gemm` crate, checked against the operator;
//! - `latency BATCH SECONDS`: inference of `bench/models/latency.toml` on one thread;
//! - `network FILE THREADS BATCH SECONDS`: inference of an ONNX file;
//! - `wide NET THREADS BATCH SECONDS`: training steps of a wide net on random pictures;
//! - `load PORT PATH BODY CONNECTIONS SECONDS`: requests to a server on this machine, `foveal serve` or a peer.
//!
//! PASS is `forward`, `input` or `filter`; SHAPE is `images,side,channels,kernel,stride,filters`.

mod case;
mod conv;
mod im2col;
mod latency;
mod load;
mod measure;
mod network;
mod train;
mod wide;
mod wide_nets;

use foveal_kernels::peak::fma_gflops;
use foveal_nn::Isa;
use measure::{Answer, number};
use serde_json::json;
use std::io::{BufRead, Write};

/// What the next request may need again.
#[derive(Default)]
struct State {
    digits: Option<foveal_data::Dataset>,
    conv: Option<case::Case>,
    network: network::Made,
    wide: wide::Made,
}

fn answer(words: &[&str], state: &mut State) -> Answer {
    match words {
        ["about"] => Ok(json!({"isa": Isa::best().name(), "threads": rayon::current_num_threads()})),
        ["peak", threads, seconds] => {
            let gflops = fma_gflops(Isa::best(), number(threads)?, number(seconds)?);
            Ok(json!({ "gflops": gflops }))
        }
        ["train", model, threads, seconds] => {
            train::run(model, number(threads)?, number(seconds)?, &mut state.digits)
        }
        [via @ ("conv" | "im2col"), pass, shape, seconds] => {
            conv::run(via, pass, shape, number(seconds)?, &mut state.conv)
        }
        ["load", port, path, body, connections, seconds] => {
            load::run(number(port)?, path, body, number(connections)?, number(seconds)?)
        }
        ["network", path, threads, batch, seconds] => {
            network::run(path, number(threads)?, number(batch)?, number(seconds)?, &mut state.network)
        }
        ["wide", net, threads, batch, seconds] => {
            wide::run(net, number(threads)?, number(batch)?, number(seconds)?, &mut state.wide)
        }
        ["latency", batch, seconds] => latency::run(number(batch)?, number(seconds)?),
        _ => Err(format!("no such request: {}", words.join(" "))),
    }
}

fn main() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut state = State::default();
    if words != ["serve"] {
        println!("{}", answer(&words, &mut state)?);
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|e| e.to_string())?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = answer(&words, &mut state).unwrap_or_else(|problem| json!({ "error": problem }));
        writeln!(out, "{answer}").and_then(|()| out.flush()).map_err(|e| e.to_string())?;
    }
    Ok(())
}
