//! A command of the program, with its words and events as calls of a Python function.

use crate::work;
use foveal::data::npy;
use foveal::data::npz::{Arrays, Cells, cells};
use foveal::train::{EpochReport, Event, Status};
use foveal_cli::embedded::{self, Failure, Listener, Surroundings};
use numpy::{PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// ^C is looked for this often.
const PAUSE: Duration = Duration::from_millis(50);
/// Of the steps of a training only so many are told of.
const BETWEEN: Duration = Duration::from_millis(80);

/// What a command has to say.
enum Message {
    Note(String),
    Print(String),
    Event(Event),
    End(Result<(), Failure>),
}

/// Hands everything on to the thread that holds Python.
struct Teller {
    to: Sender<Message>,
    told: Mutex<Option<Instant>>,
}

impl Teller {
    fn tell(&self, message: Message) {
        // Who was interrupted twice does not listen any more.
        let _ = self.to.send(message);
    }

    /// Whether a step is told of now.
    fn due(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let due = told.is_none_or(|told| told.elapsed() >= BETWEEN);
        if due {
            *told = Some(Instant::now());
        }
        due
    }
}

impl Listener for Teller {
    fn note(&self, line: &str) {
        self.tell(Message::Note(line.to_owned()));
    }

    fn print(&self, text: &str) {
        self.tell(Message::Print(text.to_owned()));
    }

    fn event(&self, event: &Event) {
        if !matches!(event, Event::Batch { .. }) || self.due() {
            self.tell(Message::Event(event.clone()));
        }
    }
}

/// Runs a command line of the program, without the program's name. `hear(kind, what)` is called with ("note", str),
/// ("print", str), ("started", dict), ("batch", dict), ("epoch", dict) and ("finished", dict). `arrays` is what the data
/// set `arrays` means: a dict of (samples, targets) under train, validation and test. Raises KeyboardInterrupt after ^C,
/// when what was done has been saved.
#[pyfunction]
fn command(
    py: Python<'_>,
    line: Vec<OsString>,
    arrays: Option<&Bound<'_, PyDict>>,
    hear: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let arrays = arrays.map(read).transpose()?;
    let (to, from) = channel();
    let stop = Arc::new(AtomicBool::new(false));
    let listener = Arc::new(Teller { to: to.clone(), told: Mutex::new(None) });
    let surroundings = Surroundings { listener, stop: Arc::clone(&stop), arrays: Mutex::new(arrays) };
    let work = move || {
        let run = || work::everyone(|| embedded::run(&line, surroundings));
        let ended = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
            Err(Failure::Failed("internal: this is a mistake in foveal, please report it".into()))
        });
        let _ = to.send(Message::End(ended));
    };
    let thread = std::thread::Builder::new().name("foveal-command".into()).spawn(work);
    thread.map_err(|e| PyRuntimeError::new_err(format!("no thread can be had: {e}")))?;
    listen(py, &Mutex::new(from), &stop, hear)
}

/// Hands on what the command says until it ends.
fn listen(
    py: Python<'_>,
    from: &Mutex<Receiver<Message>>,
    stop: &AtomicBool,
    hear: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let mut broken: Option<PyErr> = None;
    let mut looked = Instant::now();
    loop {
        let message = py.detach(|| from.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(PAUSE));
        let said = match message {
            Ok(Message::End(ended)) => return end(py, ended, broken),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err("internal: the command's thread is gone"));
            }
            Ok(_) if broken.is_some() => Ok(()),
            Ok(message) => told(py, &message, hear),
            Err(RecvTimeoutError::Timeout) => Ok(()),
        };
        let said = said.and_then(|()| {
            if looked.elapsed() < PAUSE {
                return Ok(());
            }
            looked = Instant::now();
            py.check_signals()
        });
        if let Err(error) = said {
            if broken.is_some() {
                // The second ^C: the work ends by itself, unheard.
                return Err(error);
            }
            stop.store(true, Ordering::Relaxed);
            broken = Some(error);
        }
    }
}

/// The end, as Python's.
fn end(py: Python<'_>, ended: Result<(), Failure>, broken: Option<PyErr>) -> PyResult<()> {
    if let Some(error) = broken {
        return Err(error);
    }
    py.check_signals()?;
    match ended {
        Ok(()) => Ok(()),
        Err(Failure::Usage(text)) => Err(PyValueError::new_err(first_line(&text))),
        Err(Failure::Interrupted) => Err(PyRuntimeError::new_err("interrupted")),
        Err(Failure::Failed(text)) => Err(PyValueError::new_err(crate::arguments::one_line(&text))),
    }
}

/// What clap says first, without `error: `.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

fn told(py: Python<'_>, message: &Message, hear: &Bound<'_, PyAny>) -> PyResult<()> {
    let facts = PyDict::new(py);
    let kind = match message {
        Message::Note(line) => return hear.call1(("note", line)).map(drop),
        Message::Print(text) => return hear.call1(("print", text)).map(drop),
        Message::End(_) => return Ok(()),
        Message::Event(Event::Started { epochs, batches, images: [train, validation] }) => {
            facts.set_item("epochs", epochs)?;
            facts.set_item("batches", batches)?;
            facts.set_item("train", train)?;
            facts.set_item("validation", validation)?;
            "started"
        }
        Message::Event(Event::Batch {
            epoch,
            epochs,
            batch,
            batches,
            images_per_second,
            loss,
            accuracy,
            ..
        }) => {
            facts.set_item("epoch", epoch)?;
            facts.set_item("epochs", epochs)?;
            facts.set_item("batch", batch)?;
            facts.set_item("batches", batches)?;
            facts.set_item("images_per_second", images_per_second)?;
            facts.set_item("loss", loss)?;
            facts.set_item("accuracy", accuracy)?;
            "batch"
        }
        Message::Event(Event::Epoch(report)) => {
            figures(&facts, report)?;
            "epoch"
        }
        Message::Event(Event::Finished(status)) => {
            let status = match status {
                Status::Finished => "finished",
                Status::EarlyStopped => "stopped early",
                Status::Interrupted => "interrupted",
                Status::NonFinite { .. } => "not finite",
            };
            facts.set_item("status", status)?;
            "finished"
        }
        Message::Event(_) => return Ok(()),
    };
    hear.call1((kind, facts)).map(drop)
}

/// An epoch's figures, under the names of `metrics.csv`.
fn figures(facts: &Bound<'_, PyDict>, report: &EpochReport) -> PyResult<()> {
    facts.set_item("epoch", report.epoch)?;
    facts.set_item("train_loss", report.train_loss)?;
    facts.set_item("train_accuracy", report.train_accuracy)?;
    facts.set_item("validation_loss", report.validation_loss)?;
    facts.set_item("validation_accuracy", report.validation_accuracy)?;
    facts.set_item("seconds", report.seconds)?;
    facts.set_item("images_per_second", report.images_per_second)?;
    facts.set_item("lr", report.lr)
}

/// The data set that was given as arrays. They are copied: the work goes on while others may change them.
fn read(given: &Bound<'_, PyDict>) -> PyResult<Arrays> {
    let part = |name: &str| given.get_item(name)?.map(|part| pair(name, &part)).transpose();
    let train = part("train")?.ok_or_else(|| PyValueError::new_err("arrays: there is no part `train`"))?;
    Ok(Arrays { train, validation: part("validation")?, test: part("test")? })
}

fn pair(name: &str, given: &Bound<'_, PyAny>) -> PyResult<(npy::Array, Cells)> {
    let (x, y): (Bound<'_, PyAny>, Bound<'_, PyAny>) = given.extract()?;
    let samples = if let Ok(x) = x.extract::<PyReadonlyArrayDyn<'_, u8>>() {
        npy::Array::U8(x.as_array().to_owned())
    } else {
        let x = x.cast::<PyArrayDyn<f32>>().map_err(|_| {
            PyTypeError::new_err(format!("{name}: samples must be an array of uint8 or float32"))
        })?;
        npy::Array::F32(
            x.try_readonly().map_err(|e| PyValueError::new_err(e.to_string()))?.as_array().to_owned(),
        )
    };
    let targets = match y.extract::<PyReadonlyArrayDyn<'_, f64>>() {
        Ok(y) => cells(&y.as_array().to_owned(), name).map_err(|e| PyValueError::new_err(e.to_string()))?,
        Err(_) => y.extract()?,
    };
    Ok((samples, targets))
}

pub fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(command, module)?)
}
