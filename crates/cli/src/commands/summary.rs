//! `foveal summary`

use super::model::Named;
use super::{model, plan};
use crate::args;
use crate::array_text;
use crate::output::{Context, count};
use crate::table::{Side, table};
use anyhow::{Context as _, Result};
use foveal::nn::summary::{Row, Summary, summary, summary_of};
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
    /// How many numbers each of its arrays has, as a sum of products.
    formula: String,
    flops: u64,
}

/// Shows the layers of a model.
pub fn run(args: &args::Summary, context: &Context) -> Result<()> {
    let shape = args.shape.map(|s| s.0.map(|v| v as usize));
    if args.plan {
        return plan::run(&model::any(&args.model, shape, context.seed)?, args, context);
    }
    // A summary needs no weights.
    if args.toml {
        let spec = match model::named(&args.model, shape)? {
            Named::Trained(model) => model.spec().clone(),
            Named::Untrained(spec) => spec,
        };
        return context.print(&spec.to_toml()?);
    }
    let (input, found) = match model::named(&args.model, shape)? {
        Named::Trained(model) => (model.input_shape(), summary(&model)),
        Named::Untrained(spec) => (spec.input.shape, summary_of(&spec).with_context(|| args.model.clone())?),
    };
    if context.json {
        return context.print_json(&json(found));
    }
    context.print(&text(input, &found, context))
}

fn json(found: Summary) -> Json {
    let layer = |row: Row| Layer {
        formula: row.formula(),
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

fn text(input: [usize; 3], found: &Summary, context: &Context) -> String {
    let columns = [
        (context.say("layer", "층"), Side::Left),
        (context.say("kind", "종류"), Side::Left),
        (context.say("output shape", "출력 크기"), Side::Left),
        (context.say("parameters", "파라미터"), Side::Right),
        ("FLOPs", Side::Right),
        (context.say("parameters are", "파라미터 계산"), Side::Left),
    ];
    let row = |name: &str, kind: &str, shape: &[usize; 3], parameters: u64, flops: u64, formula: String| {
        let number = |n| if n == 0 { "-".to_owned() } else { count(n) };
        vec![
            name.to_owned(),
            kind.to_owned(),
            array_text::shape(shape),
            number(parameters),
            number(flops),
            formula,
        ]
    };
    let mut rows = vec![row("input", "", &input, 0, 0, String::new())];
    rows.extend(
        found
            .rows
            .iter()
            .map(|r| row(&r.name, r.kind, &r.output_shape, r.parameters as u64, r.flops, r.formula())),
    );
    let totals = [
        (context.say("parameters", "파라미터"), count(found.parameters as u64)),
        (context.say("FLOPs for one input", "입력 하나의 FLOPs"), count(found.flops)),
    ];
    let mut text = table(&columns, &rows) + "\n";
    for (what, n) in totals {
        text += &format!("  {what}: {n}\n");
    }
    text
}
