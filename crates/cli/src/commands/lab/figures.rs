//! The figures of the steps.

use super::steps::LectureStep;
use crate::array_text::map;
use crate::output::Context;
use foveal::view::{ColorMap, Figure, Panel, Scale, imshow, subplots};
use ndarray::{Array2, Array4};

/// All figures with their file names, in order.
pub fn all(steps: &[LectureStep], context: &Context) -> Vec<(&'static str, Figure)> {
    steps.iter().flat_map(|step| of(step, context)).collect()
}

/// The figures of a step with their file names.
pub fn of(step: &LectureStep, context: &Context) -> Vec<(&'static str, Figure)> {
    let draw = Draw { context };
    let Some(array) = &step.array else { return Vec::new() };
    let figures = match step.key {
        "toy" => vec![("01-toy-image", draw.toy(array))],
        "valid" => vec![("02-valid", draw.valid(step, array))],
        "same" => vec![("03-same", draw.same(step, array))],
        "three" => vec![
            ("04-three-filters", draw.three(array, Scale::PerPanel)),
            ("05-three-filters-one-scale", draw.three(array, Scale::Shared)),
        ],
        "pool" => vec![("06-max-pool", draw.pool(step, array, "VALID"))],
        "pool-same" => vec![("07-max-pool-same", draw.pool(step, array, "SAME"))],
        "pool-negative" => vec![("08-max-pool-negative", draw.pool(step, array, "SAME"))],
        "digit" => vec![("09-digit", draw.digit(array))],
        "digit-conv" => {
            vec![("10-five-filters", draw.filters(&step.from[0])), ("11-feature-maps", draw.maps(array))]
        }
        "digit-pool" => vec![("12-pooled-maps", draw.pooled(array))],
        _ => Vec::new(),
    };
    let language = context.language.into();
    figures.into_iter().map(|(name, figure)| (name, figure.language(language))).collect()
}

struct Draw<'a> {
    context: &'a Context,
}

impl Draw<'_> {
    fn say<'t>(&self, english: &'t str, korean: &'t str) -> &'t str {
        self.context.say(english, korean)
    }

    fn toy(&self, image: &Array4<f32>) -> Figure {
        let title = self.say("A toy image, shape (1, 3, 3, 1)", "장난감 이미지, 크기 (1, 3, 3, 1)");
        imshow(map(image.view(), 0, 0), title, ColorMap::Greys)
    }

    fn valid(&self, step: &LectureStep, y: &Array4<f32>) -> Figure {
        let filter = kernel(&step.from[1], 0);
        let panels = vec![
            self.panel(self.say("image", "이미지"), cells(&step.from[0])),
            self.panel(self.say("filter", "필터"), filter),
            self.panel(self.say("output", "출력"), cells(y)),
        ];
        let title = self.say("conv2d, padding VALID, stride 1", "conv2d, 패딩 VALID, 스트라이드 1");
        subplots(panels, title, ColorMap::Gray, Scale::PerPanel)
    }

    fn same(&self, step: &LectureStep, y: &Array4<f32>) -> Figure {
        let image = cells(&step.from[0]);
        let padded = Array2::from_shape_fn((4, 4), |at| image.get(at).copied().unwrap_or(0.0));
        let image = self.panel(self.say("image and its padding", "이미지와 패딩"), padded);
        let panels =
            vec![Panel { padding: [0, 1, 0, 1], ..image }, self.panel(self.say("output", "출력"), cells(y))];
        let title = self.say("conv2d, padding SAME, stride 1", "conv2d, 패딩 SAME, 스트라이드 1");
        subplots(panels, title, ColorMap::Gray, Scale::PerPanel)
    }

    fn three(&self, y: &Array4<f32>, scale: Scale) -> Figure {
        let panels = ["1", "10", "-1"]
            .iter()
            .enumerate()
            .map(|(o, value)| {
                let title = self
                    .context
                    .language
                    .pick(format!("filter of all {value}"), format!("값이 모두 {value}인 필터"));
                self.panel(&title, map(y.view(), 0, o).to_owned())
            })
            .collect();
        let title = self.say("Three filters, three feature maps", "필터 세 개, 특징 맵 세 장");
        let colors = if scale == Scale::Shared { ColorMap::Diverging } else { ColorMap::Gray };
        subplots(panels, title, colors, scale)
    }

    fn pool(&self, step: &LectureStep, y: &Array4<f32>, padding: &str) -> Figure {
        let panels = vec![
            self.panel(self.say("image", "이미지"), cells(&step.from[0])),
            self.panel(self.say("output", "출력"), cells(y)),
        ];
        let title = self.context.language.pick(
            format!("max_pool 2 x 2, padding {padding}, stride 1"),
            format!("max_pool 2 x 2, 패딩 {padding}, 스트라이드 1"),
        );
        subplots(panels, title, ColorMap::Viridis, Scale::Shared)
    }

    fn digit(&self, image: &Array4<f32>) -> Figure {
        let title = self.say("The first training image of MNIST", "MNIST의 첫 번째 훈련 이미지");
        imshow(map(image.view(), 0, 0), title, ColorMap::Gray)
    }

    fn filters(&self, filters: &Array4<f32>) -> Figure {
        let each = (0..filters.shape()[3]).map(|o| kernel(filters, o));
        let title = self.say("Five random filters, 3 x 3", "무작위 3 x 3 필터 다섯 개");
        let panels = self.numbered(self.say("filter", "필터"), each);
        subplots(panels, title, ColorMap::Diverging, Scale::Shared)
    }

    fn maps(&self, y: &Array4<f32>) -> Figure {
        let title = self.say(
            "Five feature maps, 14 x 14 (conv2d, stride 2, SAME)",
            "특징 맵 다섯 장, 14 x 14 (conv2d, 스트라이드 2, SAME)",
        );
        let panels = self.numbered(self.say("map", "맵"), channels(y));
        subplots(panels, title, ColorMap::Gray, Scale::PerPanel).columns(3)
    }

    fn pooled(&self, y: &Array4<f32>) -> Figure {
        let title = self.say(
            "The same maps after max pooling, 7 x 7 (2 x 2, stride 2)",
            "최대 풀링을 거친 같은 맵, 7 x 7 (2 x 2, 스트라이드 2)",
        );
        let panels = self.numbered(self.say("map", "맵"), channels(y));
        subplots(panels, title, ColorMap::Gray, Scale::PerPanel).columns(3)
    }

    fn panel(&self, title: &str, values: Array2<f32>) -> Panel {
        Panel::new(title, values)
    }

    fn numbered(&self, what: &str, each: impl Iterator<Item = Array2<f32>>) -> Vec<Panel> {
        each.enumerate().map(|(i, values)| self.panel(&format!("{what} {i}"), values)).collect()
    }
}

fn cells(x: &Array4<f32>) -> Array2<f32> {
    map(x.view(), 0, 0).to_owned()
}

fn channels(x: &Array4<f32>) -> impl Iterator<Item = Array2<f32>> + '_ {
    (0..x.shape()[3]).map(|c| map(x.view(), 0, c).to_owned())
}

/// Filter `o` on the first channel.
fn kernel(filters: &Array4<f32>, o: usize) -> Array2<f32> {
    Array2::from_shape_fn((filters.shape()[0], filters.shape()[1]), |(h, w)| filters[[h, w, 0, o]])
}
