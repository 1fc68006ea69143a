//! Workers: they read bodies, put the numbers through the model and write the answers.

use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::model::{ModelInput, ServedModel};
use crate::options::Limits;
use crate::queue::{Answer, Job, Queue, Reply, Task};
use crate::{predict, protocol};
use axum::http::StatusCode;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use tokio::sync::oneshot;

/// The most requests that go through a model together.
const TOGETHER: usize = 64;

/// What the workers share.
pub struct Backend {
    pub models: Vec<ServedModel>,
    pub queue: Queue,
    pub limits: Limits,
    pub metrics: Metrics,
}

/// A request whose body has been read.
struct Pending {
    input: ModelInput,
    form: Option<protocol::Form>,
    reply: oneshot::Sender<Reply>,
}

impl Backend {
    /// Answers requests until the queue is closed and empty.
    pub fn work(&self) {
        while let Some(jobs) = self.queue.take(TOGETHER) {
            let Some(model) = jobs.first().and_then(|job| self.models.get(job.model)) else { continue };
            // A panic drops the senders of these requests, which are then answered 500.
            if catch_unwind(AssertUnwindSafe(|| self.answer(model, jobs))).is_err() {
                self.metrics.panicked();
                tracing::error!(model = model.name(), "a worker panicked; it goes on with the next requests");
            }
        }
    }

    fn answer(&self, model: &ServedModel, jobs: Vec<Job>) {
        let pending: Vec<Pending> = jobs.into_iter().filter_map(|job| self.read(model, job)).collect();
        if pending.is_empty() {
            return;
        }
        let started = Instant::now();
        let inputs: Vec<&ModelInput> = pending.iter().map(|a| &a.input).collect();
        let images = inputs.iter().map(|a| a.images).sum();
        let outputs = match model.predict(&inputs) {
            Ok(outputs) => outputs,
            Err(error) => {
                tracing::error!(model = model.name(), %error, "an engine cannot be made");
                pending.into_iter().for_each(|a| send(a.reply, Err(Failure::internal())));
                return;
            }
        };
        self.metrics.predicted(model.name(), inputs.len(), images, started.elapsed());
        for (pending, outputs) in pending.into_iter().zip(outputs) {
            let reply = match &pending.form {
                Some(form) => protocol::write(form, model, &outputs),
                None => predict::write(model, &outputs).map(Answer::from),
            };
            send(pending.reply, reply);
        }
    }

    /// Reads a job's body; what cannot be read is answered at once, and gives `None`.
    fn read(&self, model: &ServedModel, job: Job) -> Option<Pending> {
        let Job { task, body, json, since, reply, .. } = job;
        if reply.is_closed() {
            return None;
        }
        let waited = since.elapsed();
        self.metrics.waited(waited);
        if waited > self.limits.waiting {
            send(reply, Err(Failure::busy("the request has waited too long for its turn")));
            return None;
        }
        // A body that makes its reader panic fails alone; the requests beside it go on.
        let read = catch_unwind(AssertUnwindSafe(|| match task {
            Task::Infer => protocol::read(&body.bytes, json, model, &self.limits)
                .map(|(input, form)| (input, Some(form))),
            Task::Predict => predict::read(&body.bytes, model, &self.limits).map(|input| (input, None)),
        }));
        match read {
            Ok(Ok((input, form))) => Some(Pending { input, form, reply }),
            Ok(Err(failure)) => {
                send(reply, Err(failure));
                None
            }
            Err(_) => {
                self.metrics.panicked();
                tracing::error!(model = model.name(), "a reader panicked over a body");
                let message = "the body cannot be read; it is damaged";
                send(reply, Err(Failure::new(StatusCode::BAD_REQUEST, message)));
                None
            }
        }
    }
}

fn send(reply: oneshot::Sender<Reply>, answer: Reply) {
    // The client may have gone.
    let _ = reply.send(answer);
}
