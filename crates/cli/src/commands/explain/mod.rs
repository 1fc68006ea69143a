//! `foveal explain`

use super::show::Kind;
use super::{conv2d, input, model};
use crate::args::{Explain, ExplainArrays, ExplainLayer, ExplainPool};
use crate::array_text::number;
use crate::files;
use crate::output::{Context, Number};
use crate::paths::Shown;
use crate::table::{Side, table};
use anyhow::Result;
use foveal::view::explain::{self, Activated, Explanation, Sum, Term};
use serde::Serialize;
use std::path::Path;

/// The equation shows at most so many terms; the table and the JSON show all.
const LONG: usize = 12;

/// Explains one cell.
pub fn run(args: &Explain, context: &Context) -> Result<()> {
    let output = match (&args.arrays, &args.layer) {
        (Some(ExplainArrays::Conv2d { output, .. }), _) => output,
        (Some(ExplainArrays::MaxPool(args) | ExplainArrays::AvgPool(args)), _) => &args.output,
        (None, Some(args)) => &args.output,
        (None, None) => &None,
    };
    let kind = output.as_deref().map(|path| Kind::of(path, &[Kind::Png, Kind::Svg])).transpose()?;
    let (cell, after) = match (&args.arrays, &args.layer) {
        (Some(arrays), _) => (of_arrays(arrays)?, None),
        (None, Some(args)) => of_layer(args, context)?,
        (None, None) => {
            anyhow::bail!("explain: name an operator and its arrays, or MODEL, INPUT, --layer and --at")
        }
    };
    if let (Some(path), Some(kind)) = (output, kind) {
        draw(path, kind, &cell, after.as_ref(), context)?;
    }
    if context.json {
        return context.print_json(&json(&cell, after.as_ref()));
    }
    let mut text = format!("{}\n\n{}", equation(&cell, context), terms(&cell, context));
    if let Some(after) = &after {
        text += &format!("\n{}\n", activated(&cell, after));
    }
    text = crate::output::lines(&text);
    if context.graphics.sharp() && output.is_none() {
        let lines = lines(&cell, after.as_ref(), context);
        text += &format!(
            "\n{}",
            context.graphics.show(&explain::figure(&cell, &lines, context.language.into())?)?
        );
    }
    context.print_drawn(&text)
}

fn draw(
    path: &Path,
    kind: Kind,
    cell: &Explanation,
    after: Option<&Activated>,
    context: &Context,
) -> Result<()> {
    let drawing = explain::figure(cell, &lines(cell, after, context), context.language.into())?;
    files::write(path, &kind.bytes(&drawing, &equation(cell, context))?)?;
    context.note(&format!("{} {}", context.say("wrote", "저장:"), path.shown()));
    Ok(())
}

fn of_arrays(args: &ExplainArrays) -> Result<Explanation> {
    Ok(match args {
        ExplainArrays::Conv2d { x, filter, at, options, .. } => {
            let (x, filter, bias) = conv2d::read(x, filter, options)?;
            let bias = bias.as_ref().map(|b| b.view());
            explain::conv2d(x.view(), filter.view(), bias, &options.options(), at.0)?
        }
        ExplainArrays::MaxPool(args) => pool("max_pool", args, explain::max_pool)?,
        ExplainArrays::AvgPool(args) => pool("avg_pool", args, explain::avg_pool)?,
    })
}

fn of_layer(args: &ExplainLayer, context: &Context) -> Result<(Explanation, Option<Activated>)> {
    let saved = model::saved(&args.model)?;
    let (_, sample) = input::one(&args.input, &saved, context.threads)?;
    Ok(explain::layer(&saved.model, sample.view(), &args.layer, args.at.0)?)
}

type Operator = fn(
    ndarray::ArrayView4<f32>,
    &foveal::nn::Pool2dOptions,
    [i64; 4],
) -> Result<Explanation, foveal::view::Error>;

fn pool(name: &str, args: &ExplainPool, operator: Operator) -> Result<Explanation> {
    let x = files::read_array4(&args.x, name, "an input [n, h, w, c]")?;
    Ok(operator(x.view(), &args.options.options(), args.at.0)?)
}

#[derive(Serialize)]
struct Json<'a> {
    operator: &'a str,
    at: [usize; 4],
    output_shape: [usize; 4],
    terms: Vec<JsonTerm>,
    bias: Option<Number>,
    value: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<JsonActivation<'a>>,
}

#[derive(Serialize)]
struct JsonTerm {
    at: [i64; 4],
    input: Number,
    filter: Option<Number>,
    product: Option<Number>,
    padding: bool,
}

#[derive(Serialize)]
struct JsonActivation<'a> {
    layer: &'a str,
    kind: &'a str,
    value: Number,
}

fn json<'a>(cell: &'a Explanation, after: Option<&'a Activated>) -> Json<'a> {
    let term = |t: &Term| JsonTerm {
        at: t.at,
        input: Number(t.input),
        filter: t.filter.map(Number),
        product: t.product.map(Number),
        padding: t.padding,
    };
    Json {
        operator: cell.operator,
        at: cell.at,
        output_shape: cell.output_shape,
        terms: cell.terms.iter().map(term).collect(),
        bias: cell.bias.map(Number),
        value: Number(cell.value),
        activation: after.map(|a| JsonActivation { layer: &a.layer, kind: a.kind, value: Number(a.value) }),
    }
}

/// `relu_1 (relu): -0.25 becomes 0`
fn activated(cell: &Explanation, after: &Activated) -> String {
    let value = Sum::of(cell).map_or_else(|| number(cell.value), |s| s.value);
    format!("{}: {}({value}) = {}", after.layer, after.kind, number(after.value))
}

/// The lines below the figure.
fn lines(cell: &Explanation, after: Option<&Activated>, context: &Context) -> Vec<String> {
    let mut lines = Vec::new();
    match Sum::of(cell) {
        _ if cell.terms.len() <= LONG => lines.push(equation(cell, context)),
        Some(sum) => {
            let what = context.say("sum of all products", "모든 곱의 합");
            let (bias, with) = match &sum.bias {
                Some(bias) => (context.say(" and the bias ", "과 편향 ").to_owned() + bias, &sum.total),
                None => (String::new(), &sum.total),
            };
            lines.push(format!("{what}{bias}: {with}"));
            if sum.value != sum.total {
                lines.push(format!("{}: {}", context.say("value", "값"), sum.value));
            }
        }
        None => lines.push(equation(cell, context)),
    }
    lines.extend(after.map(|after| activated(cell, after)));
    lines
}

/// `12 = 1·1 + 2·1 + 4·1 + 5·1`, `9 = max(5, 6, 8, 9)`, `3 = (1 + 2 + 4 + 5) / 4`; `≈` where numbers are shortened.
pub fn equation(cell: &Explanation, context: &Context) -> String {
    let padding = context.say("pad", "패딩");
    let factor =
        |v: f32| if v.is_sign_negative() && v != 0.0 { format!("({})", number(v)) } else { number(v) };
    let products = matches!(cell.operator, "conv2d" | "dense");
    let term = |t: &Term| match cell.operator {
        _ if products => {
            let input = if t.padding { padding.to_owned() } else { factor(t.input) };
            format!("{input}·{}", factor(t.filter.unwrap_or(0.0)))
        }
        _ if t.padding => padding.to_owned(),
        "max_pool" => number(t.input),
        _ => factor(t.input),
    };
    let mut parts: Vec<String> = match cell.operator {
        "avg_pool" => cell.inside().map(term).collect(),
        _ => cell.terms.iter().map(term).collect(),
    };
    if parts.len() > LONG {
        let more = parts.len() - LONG;
        let dots = context.language.pick(format!("… ({more} more) …"), format!("… (외 {more}개) …"));
        parts.splice(LONG - 2..parts.len() - 2, [dots]);
    }
    if let Some(bias) = cell.bias {
        parts.push(factor(bias));
    }
    let value = Sum::of(cell).map_or_else(|| number(cell.value), |s| s.value);
    let equal = if cell.operator == "max_pool" || whole(cell) { "=" } else { "≈" };
    match cell.operator {
        "max_pool" => format!("{value} = max({})", parts.join(", ")),
        "avg_pool" => format!("{value} {equal} ({}) / {}", parts.join(" + "), cell.inside().count()),
        _ => format!("{value} {equal} {}", parts.join(" + ")),
    }
}

/// Whether no number in the equation had to be rounded.
fn whole(cell: &Explanation) -> bool {
    let numbers =
        cell.inside().flat_map(|t| [Some(t.input), t.filter.filter(|_| cell.operator != "avg_pool")]);
    let mut numbers = numbers.chain([cell.bias, Some(cell.value)]).flatten();
    numbers.all(|v| v.is_finite() && number(v).parse() == Ok(f64::from(v)) || v.is_infinite())
}

fn terms(cell: &Explanation, context: &Context) -> String {
    let place = |at: [i64; 4]| format!("({}, {}, {}, {})", at[0], at[1], at[2], at[3]);
    let max = cell.operator == "max_pool";
    let mut columns =
        vec![(context.say("input cell", "입력 칸"), Side::Left), (context.say("input", "입력"), Side::Right)];
    if !max {
        let filter = context.say("filter", "필터");
        let share = context.say("share", "몫");
        columns.push((if cell.operator == "avg_pool" { share } else { filter }, Side::Right));
        columns.push((context.say("product", "곱"), Side::Right));
    }
    let sum = Sum::of(cell);
    let mut rows: Vec<Vec<String>> = cell
        .terms
        .iter()
        .enumerate()
        .map(|(i, t)| {
            let input = if t.padding { context.say("padding", "패딩").to_owned() } else { number(t.input) };
            let mut row = vec![place(t.at), input];
            row.extend(t.filter.map(number));
            let product = |p: f32| sum.as_ref().map_or_else(|| number(p), |s| s.terms[i].clone());
            row.extend(t.product.map(product));
            row
        })
        .collect();
    let mut close = |title: &str, value: String| {
        let blanks = columns.len() - 2;
        let mut row = vec![title.to_owned()];
        row.extend(std::iter::repeat_n(String::new(), blanks));
        row.push(value);
        rows.push(row);
    };
    if let Some(bias) = cell.bias {
        let printed = sum.as_ref().and_then(|s| s.bias.clone());
        close(context.say("bias", "편향"), printed.unwrap_or_else(|| number(bias)));
    }
    match &sum {
        _ if max => close(context.say("largest", "최댓값"), number(cell.value)),
        Some(sum) => {
            close(context.say("sum", "합"), sum.total.clone());
            if sum.value != sum.total {
                close(context.say("value", "값"), sum.value.clone());
            }
        }
        None => close(context.say("value", "값"), number(cell.value)),
    }
    let at = place(cell.at.map(|v| i64::try_from(v).unwrap_or(i64::MAX)));
    let shape = crate::array_text::shape(&cell.output_shape);
    let title = context.language.pick(
        format!("  {} {at} of the output {shape}:\n\n", cell.operator),
        format!("  {}의 출력 {shape} 가운데 {at}:\n\n", cell.operator),
    );
    title + &table(&columns, &rows)
}

#[cfg(test)]
mod tests;
