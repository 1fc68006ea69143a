//! `foveal summary`

use super::{model, plan};
use crate::args;
use crate::array_text;
use crate::output::{Context, count};
use crate::table::{Side, table};
use anyhow::Result;
use foveal::nn::Model;
use foveal::nn::summary::{Summary, summary};
use serde::Serialize;

#[derive(Serialize)]
struct Json {
    parameters: usize,
    flops: u64,
    layers: Vec<Layer>,
}

#[derive(Serialize)]
struct Layer {
    name: String,
    kind: &'static str,
    output_shape: [usize; 3],
    parameters: usize,
    flops: u64,
}

/// Shows the layers of a model.
pub fn run(args: &args::Summary, context: &Context) -> Result<()> {
    let model = model::any(&args.model, args.shape.map(|s| s.0.map(|v| v as usize)), context.seed)?;
    if args.plan {
        return plan::run(&model, args, context);
    }
    let found = summary(&model);
    if context.json {
        return context.print_json(&json(found));
    }
    context.print(&text(&model, &found, context))
}

fn json(found: Summary) -> Json {
    let layer = |row: foveal::nn::summary::Row| Layer {
        name: row.name,
        kind: row.kind,
        output_shape: row.output_shape,
        parameters: row.parameters,
        flops: row.flops,
    };
    Json {
        parameters: found.parameters,
        flops: found.flops,
        layers: found.rows.into_iter().map(layer).collect(),
    }
}

fn text(model: &Model, found: &Summary, context: &Context) -> String {
    let columns = [
        (context.say("layer", "층"), Side::Left),
        (context.say("kind", "종류"), Side::Left),
        (context.say("output shape", "출력 크기"), Side::Left),
        (context.say("parameters", "매개변수"), Side::Right),
        ("FLOPs", Side::Right),
    ];
    let row = |name: &str, kind: &str, shape: &[usize; 3], parameters: u64, flops: u64| {
        let number = |n| if n == 0 { "-".to_owned() } else { count(n) };
        vec![name.to_owned(), kind.to_owned(), array_text::shape(shape), number(parameters), number(flops)]
    };
    let mut rows = vec![row("input", "", &model.input_shape(), 0, 0)];
    rows.extend(
        found.rows.iter().map(|r| row(&r.name, r.kind, &r.output_shape, r.parameters as u64, r.flops)),
    );
    let totals = [
        (context.say("parameters", "매개변수"), count(found.parameters as u64)),
        (context.say("FLOPs for one input", "입력 하나의 FLOPs"), count(found.flops)),
    ];
    let mut text = table(&columns, &rows) + "\n";
    for (what, n) in totals {
        text += &format!("  {what}: {n}\n");
    }
    text
}
