//! An operation with the places of its numbers.

use super::group_norm::GroupNorm;
use super::layer_norm::LayerNorm;
use super::linear::Taps;
use super::rearrange::Table;
use super::response_norm::Response;
use super::{Grid, Method, Op};
use super::{binary, l2_normalize, reduce, scale, softmax};
use crate::dispatch::{Isa, TRAINING, WITHOUT};

/// An operation with the places of its numbers: tables are made here, so that a pass allocates nothing.
///
/// A pass runs on one thread and adds in one fixed order. The slices must be long enough for their grids, which
/// each pass checks; what the backward passes do not read ([`Op::reads_input`], [`Op::reads_output`]) may be
/// empty.
#[derive(Clone, Debug)]
pub struct Planned {
    op: Op,
    x: [Grid; 2],
    y: Grid,
    forward: Route,
    gradients: Option<Gradients>,
}

#[derive(Clone, Debug)]
struct Gradients {
    dx: [Grid; 2],
    dy: Grid,
    route: Route,
}

/// What was computed from extents alone.
#[derive(Clone, Debug)]
enum Route {
    Table(Table),
    Taps(Taps),
    None,
}

impl Route {
    fn new(op: &Op, x: &Grid, y: &Grid) -> Self {
        match op {
            Op::Rearrange { how, .. } => Route::Table(Table::new(how, x, y)),
            Op::Resize(r) => match r.method {
                Method::Nearest(round) => Route::Table(Table::new(&r.nearest(round, x), x, y)),
                Method::Linear => Route::Taps(Taps::new(r, x)),
            },
            _ => Route::None,
        }
    }
}

/// As many grids as inputs; the second of one is the first again.
fn pair(op: &Op, grids: &[Grid]) -> [Grid; 2] {
    assert_eq!(grids.len(), op.inputs(), "{}: {grids:?}", op.name());
    [grids[0], grids[grids.len() - 1]]
}

impl Planned {
    /// `op` from the inputs' grids to the output's.
    ///
    /// # Panics
    /// When the shapes are not those of [`Op::output_shape`], or the lanes differ: the planner's mistake.
    pub fn new(op: &Op, x: &[Grid], y: Grid) -> Self {
        let shapes: Vec<[usize; 3]> = x.iter().map(Grid::shape).collect();
        assert_eq!(op.output_shape(&shapes), Ok(y.shape()), "{}: {shapes:?}", op.name());
        assert!(x.iter().all(|x| x.lanes == y.lanes), "{}: {x:?} to {y:?}", op.name());
        let x = pair(op, x);
        [x[0], x[1], y].iter().for_each(|g| assert!(g.end() > 0));
        Self { op: op.clone(), x, y, forward: Route::new(op, &x[0], &y), gradients: None }
    }

    /// The same with gradients of the inputs and of the output.
    ///
    /// # Panics
    /// When their shapes or lanes are not those of inputs and output: the planner's mistake.
    #[must_use]
    pub fn with_gradients(mut self, dx: &[Grid], dy: Grid) -> Self {
        let dx = pair(&self.op, dx);
        for (d, g) in [(&dx[0], &self.x[0]), (&dx[1], &self.x[1]), (&dy, &self.y)] {
            assert_eq!((d.shape(), d.lanes), (g.shape(), g.lanes), "{}", self.op.name());
            assert!(d.end() > 0);
        }
        let route = Route::new(&self.op, &dx[0], &dy);
        self.gradients = Some(Gradients { dx, dy, route });
        self
    }

    /// The operation.
    pub fn op(&self) -> &Op {
        &self.op
    }

    /// Numbers of scratch that a pass needs; what is in it does not matter.
    pub fn scratch(&self) -> usize {
        let x = &self.x[0];
        if let Route::Taps(taps) = &self.forward {
            return taps.scratch();
        }
        match &self.op {
            &Op::GroupNorm { groups, epsilon } => GroupNorm { groups, epsilon }.scratch(x),
            Op::LayerNorm { .. } => LayerNorm::scratch(x),
            Op::LocalResponseNorm { .. } => Response::scratch(x),
            Op::L2Normalize { .. } => l2_normalize::scratch(x),
            Op::Softmax | Op::LogSoftmax => softmax::scratch(x),
            Op::Reduce { how, .. } => reduce::scratch(*how, &self.y),
            Op::Rearrange { .. } | Op::Resize(_) | Op::Binary(_) | Op::Scale | Op::Prelu => 0,
        }
    }

    /// `y = op(x)`: writes every inside cell of y and leaves its halo alone. There are as many inputs as
    /// [`Op::inputs`] says and as many parameters as [`Op::params`]; the others are empty.
    ///
    /// # Panics
    /// When a slice is too short: the planner's mistake.
    pub fn forward(&self, isa: Isa, x: [&[f32]; 2], params: [&[f32]; 2], y: &mut [f32], scratch: &mut [f32]) {
        self.check_inputs(x);
        self.check_params(params.map(<[f32]>::len));
        let ([gx, second], gy) = ([&self.x[0], &self.x[1]], &self.y);
        assert!(y.len() >= gy.end() && scratch.len() >= self.scratch(), "{}", self.op.name());
        let (of_x, to) = ((x[0], gx), (y, gy));
        match (&self.op, &self.forward) {
            (Op::Rearrange { fill, .. }, Route::Table(table)) => table.forward(isa, x[0], *fill, to.0),
            (_, Route::Table(table)) => table.forward(isa, x[0], 0.0, to.0),
            (_, Route::Taps(taps)) => taps.forward(isa, of_x, to, scratch),
            (Op::Binary(f), _) => binary::forward(*f, isa, [gx, second], x, to),
            (&Op::GroupNorm { groups, epsilon }, _) => {
                GroupNorm { groups, epsilon }.forward(isa, of_x, params, to, scratch);
            }
            (&Op::LayerNorm { epsilon }, _) => LayerNorm { epsilon }.forward(isa, of_x, params, to, scratch),
            (&Op::LocalResponseNorm { size, alpha, beta, bias }, _) => {
                Response { size, alpha, beta, bias }.forward(isa, of_x, to, scratch);
            }
            (Op::L2Normalize { epsilon }, _) => l2_normalize::forward(*epsilon, isa, of_x, to, scratch),
            (Op::Softmax, _) => softmax::forward(false, isa, of_x, to, scratch),
            (Op::LogSoftmax, _) => softmax::forward(true, isa, of_x, to, scratch),
            (Op::Reduce { how, .. }, _) => reduce::forward(*how, isa, of_x, to),
            (Op::Scale, _) => scale::forward(false, isa, of_x, params[0], to),
            (Op::Prelu, _) => scale::forward(true, isa, of_x, params[0], to),
            (Op::Rearrange { .. } | Op::Resize(_), Route::None) => unreachable!("routed by `new`"),
        }
    }

    /// Adds the gradient of input `k` to the inside cells of `dx`.
    ///
    /// # Panics
    /// When a slice is too short or there are no gradients' grids: the planner's mistake.
    pub fn backward_input(
        &self,
        isa: Isa,
        k: usize,
        x: [&[f32]; 2],
        params: [&[f32]; 2],
        y: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        scratch: &mut [f32],
    ) {
        if !TRAINING {
            panic!("{WITHOUT}");
        }
        let Gradients { dx: gdx, dy: gdy, route } = self.check_gradients(dy);
        let gdx = &gdx[k];
        let gx = &self.x[0];
        if self.op.reads_input() {
            self.check_inputs(x);
        }
        self.check_params(params.map(<[f32]>::len));
        assert!(!self.op.reads_output() || y.len() >= self.y.end(), "{}: y", self.op.name());
        assert!(dx.len() >= gdx.end() && scratch.len() >= self.scratch(), "{}", self.op.name());
        let (of_x, of_y, d, to) = ((x[0], gx), (y, &self.y), (dy, gdy), (dx, gdx));
        match (&self.op, route) {
            (_, Route::Table(table)) => table.backward(isa, dy, to.0),
            (_, Route::Taps(taps)) => taps.backward(isa, d, to, scratch),
            (Op::Binary(f), _) => binary::backward(*f, isa, k, [gx, &self.x[1]], x, d, to),
            (&Op::GroupNorm { groups, epsilon }, _) => {
                GroupNorm { groups, epsilon }.backward_input(isa, of_x, params[0], d, to, scratch);
            }
            (&Op::LayerNorm { epsilon }, _) => {
                LayerNorm { epsilon }.backward_input(isa, of_x, params[0], d, to, scratch);
            }
            (&Op::LocalResponseNorm { size, alpha, beta, bias }, _) => {
                Response { size, alpha, beta, bias }.backward(isa, of_x, d, to, scratch);
            }
            (Op::L2Normalize { epsilon }, _) => l2_normalize::backward(*epsilon, isa, of_x, d, to, scratch),
            (Op::Softmax, _) => softmax::backward(false, isa, of_y, d, to, scratch),
            (Op::LogSoftmax, _) => softmax::backward(true, isa, of_y, d, to, scratch),
            (Op::Reduce { how, .. }, _) => reduce::backward(*how, isa, of_x, d, to, scratch),
            (Op::Scale, _) => scale::backward_input(false, isa, of_x, params[0], d, to),
            (Op::Prelu, _) => scale::backward_input(true, isa, of_x, params[0], d, to),
            (Op::Rearrange { .. } | Op::Resize(_), Route::None) => unreachable!("routed by `new`"),
        }
    }

    /// Adds the parameters' gradients to `d`, summed over places and lanes. A lane without an image, whose `dy` is
    /// 0, adds nothing. Does nothing for an operation without parameters.
    ///
    /// # Panics
    /// When a slice is too short or there are no gradients' grids: the planner's mistake.
    pub fn backward_params(
        &self,
        isa: Isa,
        x: [&[f32]; 2],
        _params: [&[f32]; 2],
        dy: &[f32],
        d: [&mut [f32]; 2],
        scratch: &mut [f32],
    ) {
        if !TRAINING {
            panic!("{WITHOUT}");
        }
        let Gradients { dy: gdy, .. } = self.check_gradients(dy);
        if self.op.params(self.y.channels) == 0 {
            return;
        }
        self.check_inputs(x);
        self.check_params([d[0].len(), d[1].len()]);
        assert!(scratch.len() >= self.scratch(), "{}", self.op.name());
        let (of_x, of_dy) = ((x[0], &self.x[0]), (dy, gdy));
        match self.op {
            Op::GroupNorm { groups, epsilon } => {
                GroupNorm { groups, epsilon }.backward_params(isa, of_x, of_dy, d, scratch);
            }
            Op::LayerNorm { epsilon } => LayerNorm { epsilon }.backward_params(isa, of_x, of_dy, d, scratch),
            Op::Scale => scale::backward_params(false, isa, of_x, of_dy, d[0]),
            Op::Prelu => scale::backward_params(true, isa, of_x, of_dy, d[0]),
            _ => {}
        }
    }

    fn check_inputs(&self, x: [&[f32]; 2]) {
        for k in 0..self.op.inputs() {
            assert!(x[k].len() >= self.x[k].end(), "{}: input {k} of {} numbers", self.op.name(), x[k].len());
        }
    }

    fn check_params(&self, lengths: [usize; 2]) {
        let channels = self.y.channels;
        for (k, &n) in lengths.iter().enumerate().take(self.op.params(channels)) {
            let one = n == 1 && matches!(self.op, Op::Scale | Op::Prelu);
            assert!(n == channels || one, "{}: parameter {k} of {n} numbers", self.op.name());
        }
    }

    fn check_gradients(&self, dy: &[f32]) -> &Gradients {
        let gradients = self.gradients.as_ref().expect("planned with gradients");
        assert!(dy.len() >= gradients.dy.end(), "{}: dy of {} numbers", self.op.name(), dy.len());
        gradients
    }
}
