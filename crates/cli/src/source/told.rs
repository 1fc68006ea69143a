//! What the program has told about data by itself: said before training, kept in the model, shown in its report.

use crate::output::{Context, count};
use foveal::data::npz::Layout;
use foveal::data::scale::Range;
use foveal::data::targets::How;
use foveal::data::{Dataset, Scale, Targets};
use foveal::train::PictureFit;
use std::path::Path;

/// So many classes and columns are named.
const NAMED: usize = 5;

/// Aspect ratios that differ by this factor are worth a word.
const APART: f64 = 1.3;

/// One thing that was told, in English and in Korean.
pub type Said = [String; 2];

/// What was told about data, and how to overrule it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told(pub Said);

/// Says what was told.
pub fn tell(told: &[Told], context: &Context) {
    for Told([english, korean]) in told {
        context.note(context.say(english, korean));
    }
}

impl Told {
    /// What is learnt from `samples` samples, and how that was told. Nothing where the caller said so, or a model.
    pub fn targets(how: How, targets: &Targets, samples: usize, titles: &[String]) -> Option<Self> {
        let [why, why_ko] = match how {
            How::Asked => return None,
            How::Folders => ["a folder each", "폴더마다 하나"],
            How::Words => ["the targets are words", "타깃이 단어임"],
            How::Labels => ["the targets are whole numbers of few values", "타깃이 몇 가지뿐인 정수임"],
            How::WholeNumbers => {
                ["the targets are whole numbers of many values", "타깃이 여러 가지인 정수임"]
            }
            How::Fractions => ["the targets are numbers with fractions", "타깃이 소수임"],
            How::Several => ["several columns of numbers", "숫자 열이 여럿임"],
            How::OneHot => ["columns of 0 with a single 1 (one-hot)", "1이 하나뿐인 0의 열들(원-핫)"],
            How::MultiLabel => ["some have several, or none", "여럿이거나 없는 샘플이 있음"],
            _ => ["by the targets", "타깃으로 판단"],
        };
        let of = if titles.is_empty() { String::new() } else { format!(" {}", names(titles)) };
        Some(Self(match targets {
            Targets::Classes { names: classes, .. } => {
                let (k, list) = (count(classes.len() as u64), names(classes));
                let mut said = [
                    format!("classification{of}: {k} classes ({list}); {why}"),
                    format!("분류{of}: 클래스 {k}개({list}). {why_ko}"),
                ];
                if how != How::Folders {
                    said[0] += "; --task regression learns numbers";
                    said[1] += ". --task regression이면 숫자로 학습";
                }
                if samples < 2 * classes.len() {
                    said[0] += "; warning: hardly more than one sample a class";
                    said[1] += ". 주의: 클래스마다 샘플이 하나 정도뿐임";
                }
                said
            }
            Targets::Labels { names: labels, values } => {
                let (k, list) = (count(labels.len() as u64), names(labels));
                let each = values.iter().sum::<f64>() / samples.max(1) as f64;
                [
                    format!(
                        "several labels a sample: {k} labels ({list}), {each:.2} a sample on average; {why}; --task \
                         classification makes one class of each target"
                    ),
                    format!(
                        "샘플마다 여러 레이블: 레이블 {k}개({list}), 샘플마다 평균 {each:.2}개. {why_ko}. --task \
                         classification이면 타깃마다 클래스 하나로 봄"
                    ),
                ]
            }
            Targets::Values { names: columns, .. } => {
                let of = if of.is_empty() { format!(" of {}", names(columns)) } else { format!(" of{of}") };
                [
                    format!("regression{of}; {why}; --task classification makes classes of them"),
                    format!("회귀{}. {why_ko}. --task classification이면 클래스로 봄", &of[3..]),
                ]
            }
        }))
    }

    /// The order of the axes.
    pub fn layout(layout: Layout, asked: bool, [h, w, c]: [usize; 3]) -> Self {
        let (name, order, order_ko, other) = match layout {
            Layout::Nhwc => ("nhwc", "last", "마지막", "nchw"),
            Layout::Nchw => ("nchw", "first", "처음", "nhwc"),
        };
        let mut said = [
            format!("layout {name}: channels {order}, images of {h}x{w} with {c} channel(s)"),
            format!("레이아웃 {name}: 채널이 {order_ko} 축, 이미지 {h}x{w}, 채널 {c}개"),
        ];
        if !asked {
            said[0] += &format!("; --layout {other} overrules it");
            said[1] += &format!(". --layout {other}이면 바꿈");
        }
        Self(said)
    }

    /// Pictures of 16 bits.
    pub fn deep() -> Self {
        Self([
            "pictures of 16 bits, which are kept (--scale bytes cuts them to 8)".into(),
            "16비트 이미지를 그대로 읽음 (--scale bytes면 8비트로 줄임)".into(),
        ])
    }

    /// The scale of an array's numbers.
    pub fn scale(scale: Scale, range: Range, asked: bool) -> Self {
        let (name, low, high) = (scale.name(), range.low, range.high);
        let mut said = [
            format!("numbers from {low} to {high}: scale {name}"),
            format!("값의 범위 {low} ~ {high}: 스케일 {name}"),
        ];
        if scale == Scale::Other {
            said[0] += ", no pixels: the model will take arrays and no pictures";
            said[1] += ". 픽셀이 아니므로 모델은 이미지가 아니라 배열을 받음";
        }
        if !asked {
            said[0] += "; --scale overrules it";
            said[1] += ". --scale로 바꿀 수 있음";
        }
        Self(said)
    }

    /// Numbers that were put on the scale that a model learnt from.
    pub fn converted(from: Scale, to: Scale) -> Self {
        let (from, to) = (from.name(), to.name());
        Self([
            format!("numbers put from scale {from} on {to}, which the model learnt from"),
            format!("값을 {from} 스케일에서 모델이 학습한 {to} 스케일로 바꿈"),
        ])
    }

    /// Sizes and aspect ratios of pictures, where they differ.
    pub fn sizes(sizes: &[[usize; 2]], to: [usize; 2], fit: PictureFit, asked: bool) -> Option<Self> {
        let side = |axis: usize| {
            let sides = sizes.iter().map(|size| size[axis]);
            (sides.clone().min().unwrap_or(0), sides.max().unwrap_or(0))
        };
        let ratio = |size: &[usize; 2]| size[1] as f64 / size[0].max(1) as f64;
        let mut ratios: Vec<f64> = sizes.iter().map(ratio).chain([ratio(&to)]).collect();
        ratios.sort_by(f64::total_cmp);
        let (narrow, wide) = (*ratios.first()?, *ratios.last()?);
        if sizes.iter().all(|size| *size == sizes[0]) && wide < narrow * APART {
            return None;
        }
        let ([h0, h1], [w0, w1]) = (<[usize; 2]>::from(side(0)), <[usize; 2]>::from(side(1)));
        let [h, w] = to;
        let mut said = [
            format!("pictures of {h0}x{w0} to {h1}x{w1}, width / height {narrow:.2} to {wide:.2}"),
            format!("이미지 크기 {h0}x{w0} ~ {h1}x{w1}, 가로/세로 {narrow:.2} ~ {wide:.2}"),
        ];
        let (how, how_ko) = match fit {
            PictureFit::Pad => ("padded", "여백을 붙임"),
            PictureFit::Crop => ("cropped", "가운데를 자름"),
            _ => ("stretched", "늘이거나 줄임"),
        };
        said[0] += &format!(": {how} to {h}x{w}");
        said[1] += &format!(": {h}x{w}에 맞춰 {how_ko}");
        if !asked && wide >= narrow * APART {
            said[0] +=
                "; their shapes differ much: --fit pad keeps them, --fit crop cuts off what is too much";
            said[1] += ". 모양이 많이 다름: --fit pad면 비율을 지키고, --fit crop이면 남는 부분을 자름";
        }
        Some(Self(said))
    }

    /// Classes of which no sample is left to learn from.
    pub fn lost(data: &Dataset) -> Option<Self> {
        let counts = data.class_counts();
        let lost: Vec<String> = data
            .classes()?
            .iter()
            .zip(&counts)
            .filter(|(_, n)| **n == 0)
            .map(|(name, _)| name.clone())
            .collect();
        let list = names(&lost);
        (!lost.is_empty()).then(|| {
            Self([
                format!("warning: no sample of class {list} is left to learn from"),
                format!("주의: 클래스 {list}에 학습할 표본이 하나도 남지 않음"),
            ])
        })
    }

    /// Pictures of several frames.
    pub fn frames(n: usize) -> Option<Self> {
        (n > 0).then(|| {
            let n = count(n as u64);
            Self([
                format!("{n} GIF pictures: of several frames the first is read"),
                format!("GIF 이미지 {n}장: 프레임이 여럿이면 첫 장만 읽음"),
            ])
        })
    }

    /// Names without the extension that their files have.
    pub fn extended(n: usize, first: Option<&Path>) -> Option<Self> {
        let extension = first?.extension()?.to_string_lossy().into_owned();
        let n = count(n as u64);
        Some(Self([
            format!(
                "{n} names have no extension: their files are found with one, the first with .{extension}"
            ),
            format!("확장자 없는 이름 {n}개: 확장자를 붙여 파일을 찾음 (첫 파일은 .{extension})"),
        ]))
    }

    /// Columns that are not read.
    pub fn unread(columns: &[String]) -> Option<Self> {
        let list = names(columns);
        (!columns.is_empty()).then(|| {
            Self([
                format!("columns that are not read: {list}; --target COLUMN learns one"),
                format!("읽지 않는 열: {list}. --target 열이름이면 학습"),
            ])
        })
    }
}

/// The first names, and how many more there are.
pub fn names(all: &[String]) -> String {
    let first: Vec<String> = all.iter().take(NAMED).map(|name| name.escape_debug().to_string()).collect();
    let more = if all.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", first.join(", "))
}
