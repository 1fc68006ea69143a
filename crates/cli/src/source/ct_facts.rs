//! What a data set of CT holds, for `foveal data check` and for the user who trains.

use crate::output::{Context, count};
use foveal::data::Window;
use serde::Serialize;

/// What a data set of CT holds.
#[derive(Serialize, Clone)]
pub struct CtFacts {
    pub patients: usize,
    /// Slices whose files name no patient.
    pub without_patient: usize,
    pub series: usize,
    pub slices: usize,
    /// Rows and columns, the least and the greatest of each.
    pub rows: [usize; 2],
    pub columns: [usize; 2],
    /// Millimetres between pixels, the least and the greatest.
    pub spacing: [f64; 2],
    /// Millimetres between neighbouring slices, the least and the greatest; none where no two are neighbours.
    pub distance: Option<[f64; 2]>,
    /// The least and the greatest Hounsfield value.
    pub hounsfield: Option<[f32; 2]>,
    /// Centre and width.
    pub window: [f32; 2],
    /// Whether the slices have labels.
    pub labelled: bool,
    /// Patients (or studies, or series, where files name no patient) for training, validation and test.
    pub split: [usize; 3],
    /// What deserves a look, in both languages.
    pub odd: Vec<[String; 2]>,
}

impl CtFacts {
    /// In words.
    pub fn lines(&self, context: &Context) -> Vec<[String; 2]> {
        let whole = |[a, b]: [usize; 2]| if a == b { a.to_string() } else { format!("{a}–{b}") };
        let mm = |[a, b]: [f64; 2]| {
            let [a, b] = [a, b].map(|v| (v * 1000.0).round() / 1000.0);
            if a == b { format!("{a} mm") } else { format!("{a}–{b} mm") }
        };
        let to = |[a, b]: [f32; 2]| context.language.pick(format!("{a} to {b} HU"), format!("{a} ~ {b} HU"));
        let [centre, width] = self.window;
        let name = Window::PRESETS.iter().find(|(_, w)| [w.centre(), w.width()] == self.window);
        let name = name.map_or(String::new(), |(name, _)| format!(" ({name})"));
        let mut lines = vec![
            (context.say("patients", "환자"), count(self.patients as u64)),
            (context.say("series", "시리즈"), count(self.series as u64)),
            (context.say("slices", "단면"), count(self.slices as u64)),
            (context.say("rows", "행"), whole(self.rows)),
            (context.say("columns", "열"), whole(self.columns)),
            (context.say("pixel spacing", "픽셀 간격"), mm(self.spacing)),
        ];
        if self.without_patient > 0 {
            let title = context.say("slices without a patient", "환자 ID가 없는 단면");
            lines.insert(1, (title, count(self.without_patient as u64)));
        }
        lines.extend(self.distance.map(|d| (context.say("slice distance", "단면 간격"), mm(d))));
        lines.extend(self.hounsfield.map(|range| (context.say("values", "값"), to(range))));
        lines.push((context.say("window", "창"), format!("{centre},{width}{name}")));
        lines.into_iter().map(|(title, value)| [title.to_owned(), value]).collect()
    }
}
