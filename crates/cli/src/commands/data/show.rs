//! `foveal data show`: a sheet of samples, and what augmentation makes of them.

use crate::args::ShowData;
use crate::array_text::{number, shape};
use crate::commands::show::Kind;
use crate::files;
use crate::output::{Context, count};
use crate::paths::Shown;
use crate::sheet::{self, Picture};
use crate::source::{self, ReadOptions};
use crate::table::{Side, table};
use anyhow::{Result, bail};
use foveal::data::augment::{Augment, Key, Scratch};
use foveal::data::shuffle::epoch_order;
use foveal::data::{Dataset, Fault, Sample};
use foveal::view::{ColorMap, Panel, Scale, subplots};
use serde_json::json;

/// How many samples a sheet shows, without augmentation and with it.
const SAMPLES: usize = 40;
const AUGMENTED: usize = 10;
/// Panels in a row; with augmentation these are the sample and one variant for each epoch.
const COLUMNS: usize = 8;

/// Shows or writes the sheet.
pub fn run(args: &ShowData, context: &Context) -> Result<()> {
    let kind = args.output.as_deref().map(|path| Kind::of(path, &[Kind::Png, Kind::Svg])).transpose()?;
    let options = ReadOptions { unlabelled: true, ..ReadOptions::from_args(&args.reading) };
    let opened = source::open(&args.data, &options, context)?;
    opened.window(&args.data, &options)?;
    let data = &opened.source.train;
    if data.is_empty() || data.sample_len() == 0 {
        bail!("{}: there are no samples to show", args.data);
    }
    let augment = args.augment.filter(|augment| !augment.is_none());
    let most = args.count.map_or(if augment.is_some() { AUGMENTED } else { SAMPLES }, usize::from);
    let suspects = if args.suspects { suspects(data, most, context) } else { Vec::new() };
    if args.suspects && suspects.is_empty() {
        context.note(context.say(
            "nothing to show: foveal data check names no sample",
            "보일 것이 없음: foveal data check가 짚은 표본이 없음",
        ));
        return Ok(());
    }
    let chosen = match args.suspects {
        true => suspects.iter().map(|(i, _)| *i).collect(),
        false => chosen(data, most, context.seed),
    };
    if context.json {
        print_json(args, data, &chosen, context)?;
    }
    if kind.is_none() && (context.json || !context.graphics.any()) {
        return if context.json { Ok(()) } else { context.print(&listed(data, &chosen, context)) };
    }
    let mut panels = panels(data, &chosen, augment, context);
    for (panel, (i, why)) in panels.iter_mut().zip(&suspects) {
        let picture = Picture::of(data, *i);
        let colors = picture.colors(data.shape(), picture.range());
        *panel = Panel::picture(format!("{} #{i}: {why}", title(data, *i)), colors);
    }
    let name = source::name(&args.data);
    let title = match augment {
        Some(augment) => format!("{name}: {augment}"),
        None => name,
    };
    let figure = subplots(panels, title, ColorMap::Gray, Scale::Shared)
        .columns(COLUMNS)
        .cell(sheet::cell(data.shape()))
        .language(context.language.into())
        .bare()
        .compact();
    let drawing = figure.draw()?;
    if let (Some(path), Some(kind)) = (&args.output, kind) {
        files::write(path, &kind.bytes(&drawing, &args.data)?)?;
        context.note(&format!("{} {}", context.say("wrote", "저장:"), path.shown()));
        return Ok(());
    }
    context.print_drawn(&context.graphics.show(&drawing)?)
}

/// The samples that a check names, each with the reason; some of each reason.
fn suspects(data: &Dataset, most: usize, context: &Context) -> Vec<(usize, &'static str)> {
    let faults = data.check().faults;
    let each = (most / faults.iter().filter(|fault| fault.count() > 0).count().max(1)).max(2);
    let why = |fault: &Fault| match fault {
        Fault::SingleSample { .. } => context.language.pick("alone in its class", "클래스에 하나뿐"),
        Fault::AlikeClasses { .. } => context.language.pick("spelled alike", "비슷한 철자"),
        Fault::OutlyingTargets { .. } => context.language.pick("far off", "동떨어짐"),
        Fault::NotFinite { .. } => "NaN",
        Fault::Blank { .. } => context.language.pick("blank", "비어 있음"),
        Fault::Contradictions { .. } => context.language.pick("equal, other class", "같은데 클래스가 다름"),
        _ => context.language.pick("equal", "똑같음"),
    };
    let some = |fault: &Fault| -> Vec<(usize, &'static str)> {
        fault.samples().into_iter().take(each).map(|i| (i, why(fault))).collect()
    };
    let mut all: Vec<(usize, &'static str)> = faults.iter().flat_map(some).collect();
    all.truncate(most);
    all
}

/// Samples drawn with the seed, from each class in turn, so that small classes are seen, too.
fn chosen(data: &Dataset, most: usize, seed: u64) -> Vec<usize> {
    let all: Vec<u32> = (0..data.len() as u32).collect();
    let order = epoch_order(&all, seed, 0);
    let Some(labels) = data.labels() else {
        return order.into_iter().take(most).map(|i| i as usize).collect();
    };
    let mut seen = vec![0usize; data.classes().map_or(0, <[String]>::len)];
    let mut placed: Vec<(usize, u32, u32)> = order
        .into_iter()
        .map(|i| {
            let label = labels[i as usize];
            seen[label as usize] += 1;
            (seen[label as usize], label, i)
        })
        .collect();
    placed.sort_unstable();
    placed.truncate(most);
    placed.into_iter().map(|(_, _, i)| i as usize).collect()
}

/// The title of a sample: its class or its values.
fn title(data: &Dataset, i: usize) -> String {
    match (data.classes(), data.label(i), data.values(i)) {
        (Some(names), Some(label), _) => names[label as usize].clone(),
        (_, _, Some(values)) => values.iter().map(|&v| number(v as f32)).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    }
}

fn panels(data: &Dataset, chosen: &[usize], augment: Option<Augment>, context: &Context) -> Vec<Panel> {
    let mut panels = Vec::new();
    for &i in chosen {
        let own = Picture::of(data, i);
        let range = own.range();
        panels.push(Panel::picture(title(data, i), own.colors(data.shape(), range)));
        for epoch in (1..COLUMNS as u64).take_while(|_| augment.is_some()) {
            let augment = augment.unwrap_or_default();
            let (picture, other) = variant(data, i, augment, context.seed, epoch);
            // A share of the other sample that cannot be seen is not worth a title.
            let mixed = other.filter(|(_, share)| *share < 0.995);
            let title = mixed.map(|(j, share)| format!("{:.0} % + {}", 100.0 * share, title(data, j)));
            panels.push(Panel::picture(title.unwrap_or_default(), picture.colors(data.shape(), range)));
        }
    }
    panels
}

/// What training sees of sample `i` in `epoch`; if it is mixed with another sample: which one, and the share that
/// sample `i` keeps.
fn variant(
    data: &Dataset,
    i: usize,
    augment: Augment,
    seed: u64,
    epoch: u64,
) -> (Picture, Option<(usize, f32)>) {
    let key = |i: usize| Key::new(seed, epoch, i as u64);
    let other = augment.partner(key(i), data.len());
    let shape = data.shape();
    let (picture, share) = match (data.sample(i), data.sample(other)) {
        (Sample::U8(a), Sample::U8(b)) => {
            let (mut out, mut room) = (Vec::new(), Scratch::default());
            let share = augment.apply(shape, (key(i), &a[..]), (key(other), &b[..]), &mut out, &mut room);
            (Picture::U8(out), share)
        }
        (Sample::F32(a), Sample::F32(b)) => {
            let (mut out, mut room) = (Vec::new(), Scratch::default());
            let share = augment.apply(shape, (key(i), a), (key(other), b), &mut out, &mut room);
            (Picture::F32(out), share)
        }
        _ => unreachable!("the samples of a data set are of one kind"),
    };
    (picture, (share < 1.0).then_some((other, share)))
}

fn listed(data: &Dataset, chosen: &[usize], context: &Context) -> String {
    let columns = [(context.say("sample", "표본"), Side::Right), (context.say("target", "정답"), Side::Left)];
    let rows: Vec<Vec<String>> = chosen.iter().map(|&i| vec![i.to_string(), title(data, i)]).collect();
    let n = count(data.len() as u64);
    let size = shape(&data.shape());
    let head = context.language.pick(
        format!("{size}, {n} training samples; -o sheet.png draws these:"),
        format!("{size}, 훈련 표본 {n}개; -o sheet.png로 다음 표본을 그립니다:"),
    );
    format!("{head}\n\n{}", table(&columns, &rows))
}

fn print_json(args: &ShowData, data: &Dataset, chosen: &[usize], context: &Context) -> Result<()> {
    let samples = chosen.iter().map(|&i| json!({ "index": i, "target": title(data, i) }));
    context.print_json(&json!({
        "dataset": source::name(&args.data),
        "shape": data.shape(),
        "augment": args.augment.unwrap_or_default().to_string(),
        "samples": samples.collect::<Vec<_>>(),
    }))
}
