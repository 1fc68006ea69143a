//! `foveal explain`

use super::conv2d;
use crate::args::{Explain, ExplainPool};
use crate::array_text::number;
use crate::files;
use crate::output::{Context, Number, Side, table};
use anyhow::Result;
use foveal::view::explain::{self, Explanation, Term};
use serde::Serialize;

/// More terms than this are shortened in the equation; the table and the JSON have them all.
const LONG: usize = 12;

/// Explains one cell.
pub fn run(args: &Explain, context: &Context) -> Result<()> {
    let cell = match args {
        Explain::Conv2d { x, filter, at, options } => {
            let (x, filter, bias) = conv2d::read(x, filter, options)?;
            let bias = bias.as_ref().map(|b| b.view());
            explain::conv2d(x.view(), filter.view(), bias, &options.options(), at.0)?
        }
        Explain::MaxPool(args) => pool("max_pool", args, explain::max_pool)?,
        Explain::AvgPool(args) => pool("avg_pool", args, explain::avg_pool)?,
    };
    if context.json {
        return context.print_json(&json(&cell));
    }
    context.print(&format!("{}\n\n{}", equation(&cell, context), terms(&cell, context)))
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
}

#[derive(Serialize)]
struct JsonTerm {
    at: [i64; 4],
    input: Number,
    filter: Option<Number>,
    product: Option<Number>,
    padding: bool,
}

fn json(cell: &Explanation) -> Json<'_> {
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
    }
}

/// `12 = 1·1 + 2·1 + 4·1 + 5·1`, `9 = max(5, 6, 8, 9)`, `3 = (1 + 2 + 4 + 5) / 4`.
pub fn equation(cell: &Explanation, context: &Context) -> String {
    let padding = context.say("pad", "패딩");
    let factor =
        |v: f32| if v.is_sign_negative() && v != 0.0 { format!("({})", number(v)) } else { number(v) };
    let term = |t: &Term| match cell.operator {
        "conv2d" => {
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
    let value = number(cell.value);
    match cell.operator {
        "max_pool" => format!("{value} = max({})", parts.join(", ")),
        "avg_pool" => format!("{value} = ({}) / {}", parts.join(" + "), cell.inside().count()),
        _ => format!("{value} = {}", parts.join(" + ")),
    }
}

fn terms(cell: &Explanation, context: &Context) -> String {
    let place = |at: [i64; 4]| format!("({}, {}, {}, {})", at[0], at[1], at[2], at[3]);
    let max = cell.operator == "max_pool";
    let mut columns =
        vec![(context.say("input cell", "입력 칸"), Side::Left), (context.say("input", "입력"), Side::Right)];
    if !max {
        let filter = context.say("filter", "필터");
        let share = context.say("share", "몫");
        columns.push((if cell.operator == "conv2d" { filter } else { share }, Side::Right));
        columns.push((context.say("product", "곱"), Side::Right));
    }
    let mut rows: Vec<Vec<String>> = cell
        .terms
        .iter()
        .map(|t| {
            let input = if t.padding { context.say("padding", "패딩").to_owned() } else { number(t.input) };
            let mut row = vec![place(t.at), input];
            row.extend([t.filter, t.product].into_iter().flatten().map(number));
            row
        })
        .collect();
    let mut close = |title: &str, value: f32| {
        let blanks = columns.len() - 2;
        let mut row = vec![title.to_owned()];
        row.extend(std::iter::repeat_n(String::new(), blanks));
        row.push(number(value));
        rows.push(row);
    };
    if let Some(bias) = cell.bias {
        close(context.say("bias", "편향"), bias);
    }
    close(if max { context.say("largest", "최댓값") } else { context.say("sum", "합") }, cell.value);
    let at = place(cell.at.map(|v| i64::try_from(v).unwrap_or(i64::MAX)));
    let shape = crate::array_text::shape(&cell.output_shape);
    let title = context.language.pick(
        format!("  {} {at} of the output {shape}:\n\n", cell.operator),
        format!("  {}의 출력 {shape} 가운데 {at}:\n\n", cell.operator),
    );
    title + &table(&columns, &rows)
}
