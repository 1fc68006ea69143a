//! A layer of a program's own, with images side by side. While training it needs the whole batch: the engine runs it
//! between two stages.

use super::places::{Parameter, Places, Placing};
use super::run::Run;
use super::scene::{Forward, Scene};
use super::wires::Wires;
use crate::Error;
use foveal_kernels::lanes::Frame;
use ndarray::{Array4, ArrayView4};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

/// Height, width, channels.
type Shape = [usize; 3];

/// Extents and numbers of each parameter.
pub type Params<'a> = [(&'a [usize], &'a [f32])];

/// The gradients of the inputs, and of the parameters.
pub type Slopes = (Vec<Array4<f32>>, Vec<Vec<f32>>);

/// What an own layer does to arrays; both check the shapes of what they give.
pub trait OwnLayer: Debug + Send + Sync {
    /// The output, of this shape.
    fn run(&self, x: &[ArrayView4<f32>], params: &Params<'_>, shape: Shape) -> Result<Array4<f32>, Error>;

    /// The gradients, from the output and its gradient.
    fn back(
        &self,
        x: &[ArrayView4<f32>],
        params: &Params<'_>,
        y: ArrayView4<f32>,
        d: ArrayView4<f32>,
    ) -> Result<Slopes, Error>;
}

/// An own layer with what it is given.
#[derive(Clone, Debug)]
pub struct Own {
    layer: Arc<dyn OwnLayer>,
    from: Vec<Shape>,
    to: Shape,
    /// The parameters and their extents.
    params: Vec<(Parameter, Vec<usize>)>,
    fault: Fault,
}

/// The first error of a layer; it waits here until the engine's caller asks for it.
#[derive(Clone, Debug, Default)]
pub struct Fault(Arc<Mutex<Option<Error>>>);

impl Fault {
    /// Takes note of an error; the numbers are then none.
    pub fn note(&self, error: Error) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// The error, once.
    pub fn take(&self) -> Option<Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Own {
    /// `shapes` are those of the parameters.
    pub fn new(place: &mut Placing<'_>, layer: Arc<dyn OwnLayer>, shapes: Vec<Vec<usize>>) -> Self {
        let params = place.params.iter().copied().zip(shapes).collect();
        Self { layer, from: place.from.to_vec(), to: place.to, params, fault: Fault::default() }
    }

    /// The first error since this was asked last.
    pub fn fault(&self) -> Option<Error> {
        self.fault.take()
    }

    fn numbers<'a>(&'a self, places: &Places, values: &'a [f32]) -> Vec<(&'a [usize], &'a [f32])> {
        let of = |(p, shape): &'a (Parameter, Vec<usize>)| {
            (&shape[..], &values[places.offsets[p.index]..][..p.count])
        };
        self.params.iter().map(of).collect()
    }

    /// The output of a batch whose inputs are given, image by image; no numbers where the layer fails.
    pub fn output(&self, places: &Places, values: &[f32], inputs: &[Vec<f32>], count: usize) -> Vec<f32> {
        let inputs = self.arrays(inputs, count);
        let views: Vec<ArrayView4<f32>> = inputs.iter().map(|x| x.view()).collect();
        match self.layer.run(&views, &self.numbers(places, values), self.to) {
            Ok(y) => in_order(&y),
            Err(error) => {
                self.fault.note(error);
                vec![f32::NAN; count * self.to.iter().product::<usize>()]
            }
        }
    }

    /// The gradients of the inputs, image by image, and of the parameters; `None` where the layer fails.
    pub fn slopes(
        &self,
        places: &Places,
        values: &[f32],
        [inputs, ends]: [&[Vec<f32>]; 2],
        count: usize,
    ) -> Option<[Vec<Vec<f32>>; 2]> {
        let inputs = self.arrays(inputs, count);
        let views: Vec<ArrayView4<f32>> = inputs.iter().map(|x| x.view()).collect();
        let [y, d] = [0, 1].map(|k| array(&ends[k], self.to, count));
        match self.layer.back(&views, &self.numbers(places, values), y.view(), d.view()) {
            Ok((inputs, params)) => Some([inputs.iter().map(in_order).collect(), params]),
            Err(error) => {
                self.fault.note(error);
                None
            }
        }
    }

    /// The parameters.
    pub fn params(&self) -> impl Iterator<Item = &Parameter> {
        self.params.iter().map(|(param, _)| param)
    }

    fn arrays(&self, inputs: &[Vec<f32>], count: usize) -> Vec<Array4<f32>> {
        inputs.iter().zip(&self.from).map(|(x, &shape)| array(x, shape, count)).collect()
    }
}

fn array(numbers: &[f32], [h, w, c]: Shape, count: usize) -> Array4<f32> {
    Array4::from_shape_vec((count, h, w, c), numbers.to_vec()).expect("as many numbers as the shape has")
}

fn in_order(array: &Array4<f32>) -> Vec<f32> {
    array.as_slice().map_or_else(|| array.iter().copied().collect(), <[f32]>::to_vec)
}

/// Adds the first `count` images of a frame to `rows`, each in the order height, width, channel.
pub fn take_images(frame: &Frame, lanes: usize, all: &[f32], count: usize, rows: &mut Vec<f32>) {
    for image in 0..count {
        for cell in cells(frame) {
            rows.push(all[cell * lanes + image]);
        }
    }
}

/// Writes images to a frame, or adds them; of lanes without an image nothing is left.
pub fn put_images(frame: &Frame, lanes: usize, all: &mut [f32], rows: &[f32], add: bool) {
    let size = frame.channels * frame.height * frame.width;
    for (at, cell) in cells(frame).enumerate() {
        for image in 0..lanes {
            let value = rows.get(image * size + at).copied().unwrap_or(0.0);
            let place = &mut all[cell * lanes + image];
            *place = if add { *place + value } else { value };
        }
    }
}

/// Where the cells of a frame lie, in the order height, width, channel.
fn cells(frame: &Frame) -> impl Iterator<Item = usize> {
    let f = *frame;
    let of = move |i: usize| {
        let (h, w, c) = (i / f.channels / f.width, i / f.channels % f.width, i % f.channels);
        c * f.plane() + f.origin() + h * f.row() + w
    };
    (0..f.channels * f.height * f.width).map(of)
}

impl Run for Own {
    const KERNEL: &'static str = "-";

    /// While training, the engine has run the layer on the whole batch.
    fn forward(&self, scene: &mut Scene<'_>, step: &Wires, mode: Forward) {
        if mode == Forward::Training {
            return;
        }
        let (places, count) = (scene.places, scene.kept.count);
        let lanes = places.images;
        let input = |value: usize| {
            let value = &places.values[value];
            let mut rows = Vec::new();
            take_images(&value.frame, lanes, &scene.arena[value.at.clone()], count, &mut rows);
            rows
        };
        let inputs: Vec<Vec<f32>> = step.inputs.iter().map(|i| input(i.value)).collect();
        let y = self.output(places, scene.values, &inputs, count);
        let value = &places.values[step.y];
        put_images(&value.frame, lanes, &mut scene.arena[value.at.clone()], &y, false);
    }

    /// The engine runs it on the whole batch.
    fn backward(&self, _: &mut Scene<'_>, _: &Wires) {}
}

/// An own layer that takes one image.
pub struct OwnSingle {
    pub layer: Arc<dyn OwnLayer>,
    pub from: Vec<Shape>,
    pub to: Shape,
    pub params: Vec<(usize, Vec<usize>)>,
    pub fault: Fault,
}

impl OwnSingle {
    pub fn run<'a, 'x>(
        &self,
        x: &impl Fn(usize) -> &'x [f32],
        param: &impl Fn(usize) -> &'a [f32],
        y: &mut [f32],
    ) {
        let inputs: Vec<Array4<f32>> =
            self.from.iter().enumerate().map(|(k, &shape)| array(x(k), shape, 1)).collect();
        let views: Vec<ArrayView4<f32>> = inputs.iter().map(|x| x.view()).collect();
        let params: Vec<(&[usize], &[f32])> =
            self.params.iter().map(|(p, shape)| (&shape[..], param(*p))).collect();
        match self.layer.run(&views, &params, self.to) {
            Ok(out) => y.copy_from_slice(&in_order(&out)),
            Err(error) => {
                self.fault.note(error);
                y.fill(f32::NAN);
            }
        }
    }
}
