//! The samples that a model is scored on.

use crate::args::Eval;
use crate::output::{Context, count};
use crate::source::{self, Kind, Opened, ReadOptions, Whole, drawn_before};
use anyhow::{Result, anyhow, bail};
use foveal::data::{Dataset, TrainTest};
use foveal::train::SavedModel;

/// The samples that a model is scored on.
pub struct Test {
    pub data: Dataset,
    /// The file of each sample, where samples are files.
    files: Option<Vec<String>>,
}

impl Test {
    /// Opens them.
    pub fn open(args: &Eval, saved: &SavedModel, context: &Context) -> Result<Self> {
        let options = ReadOptions {
            labels: args.labels.as_deref(),
            layout: args.layout.map(Into::into),
            scale: args.scale,
            ..ReadOptions::for_model(saved, args.strict).with_tables(&args.tables)
        };
        if args.data == source::MNIST {
            options.check(source::MNIST, Kind::Pictures)?;
            return Ok(Self { data: source::test_digits()?, files: None });
        }
        let opened = source::open(&args.data, &options, context)?;
        if opened.ct.is_none() && args.labels.is_some() && opened.source.train.several().is_none() {
            bail!(
                "{}: --labels is for folders of DICOM slices and tables of several labels; leave it out",
                args.data
            );
        }
        source::tell(&opened.told, context);
        let drawn = drawn(args, saved, &opened)?;
        let files = opened.files.map(|[train, test]| if opened.source.test.is_some() { test } else { train });
        if let Some(indices) = drawn {
            let n = count(indices.len() as u64);
            context.note(&context.language.pick(
                format!("the test part that the training drew from these data: {n} samples"),
                format!("훈련이 이 데이터에서 뽑아 둔 테스트 데이터: 표본 {n}개"),
            ));
            let places: Vec<usize> = indices.iter().map(|&i| i as usize).collect();
            let files = files.map(|files| places.iter().map(|&i| files[i].clone()).collect());
            return Ok(Self { data: opened.source.train.select(&places), files });
        }
        let data = whole(opened.source, context);
        let data = data.ok_or_else(|| anyhow!("{}: there is no sample to score a model on", args.data))?;
        Ok(Self { data, files })
    }

    /// What sample `i` is called: its file, or its number.
    pub fn name(&self, i: usize) -> String {
        self.files.as_ref().and_then(|files| files.get(i)).map_or_else(|| i.to_string(), String::clone)
    }
}

/// The test part that the training drew from these data.
fn drawn(args: &Eval, saved: &SavedModel, opened: &Opened) -> Result<Option<Vec<u32>>> {
    let Some(division) = &saved.training.division else { return Ok(None) };
    let set = &opened.source;
    let whole = Whole {
        data: &set.train,
        shown: &args.data,
        held: set.validation,
        tested: set.test.is_some(),
        test: 0.0,
        groups: opened.groups.as_ref(),
    };
    drawn_before(&whole, division)
}

/// The test part, or all samples where there is none.
fn whole(source: TrainTest, context: &Context) -> Option<Dataset> {
    if source.test.is_none() {
        context.note(context.say(
            "there is no test part: all samples count, also those a model may have been trained on",
            "테스트 데이터가 없어 전체 데이터로 평가함. 훈련에 쓴 표본이 섞였을 수 있음",
        ));
    }
    source.test.or(Some(source.train)).filter(|data| !data.is_empty())
}
