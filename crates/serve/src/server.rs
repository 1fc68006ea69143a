//! The server whole: models, workers, runtime, the way it ends.

use crate::body::Room;
use crate::connection;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::model::ServedModel;
use crate::options::Options;
use crate::page::Page;
use crate::queue::Queue;
use crate::routes::{App, Shared};
use crate::surround::Cors;
use crate::worker::Bench;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The most threads that read requests.
const READERS: usize = 8;
/// How long workers may take to end once nobody waits for them.
const LAST: Duration = Duration::from_millis(500);

/// How far the end is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// Not ready, and no connection lives beyond its next answer.
    Asked,
    /// Connections end as soon as they have been answered.
    Finishing,
}

/// Stops a server, from any thread: readiness fails at once, accepted requests are answered, then
/// [`Server::run`] comes back.
#[derive(Clone)]
pub struct Stop(Arc<watch::Sender<Phase>>);

impl Stop {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Phase::Running)))
    }

    /// Asks the server to stop.
    pub fn stop(&self) {
        self.raise(Phase::Asked);
    }

    fn raise(&self, to: Phase) {
        self.0.send_if_modified(|phase| {
            let later = to > *phase;
            *phase = to.max(*phase);
            later
        });
    }

    pub(crate) fn asked(&self) -> bool {
        *self.0.borrow() != Phase::Running
    }

    pub(crate) fn finish(&self) {
        self.raise(Phase::Finishing);
    }

    /// Comes back when the server is asked to stop.
    pub(crate) fn wait(&self) -> impl Future<Output = ()> + use<> {
        self.wait_until(Phase::Asked)
    }

    /// Comes back when connections are to end.
    pub(crate) fn wait_for_finish(&self) -> impl Future<Output = ()> + use<> {
        self.wait_until(Phase::Finishing)
    }

    fn wait_until(&self, wanted: Phase) -> impl Future<Output = ()> + use<> {
        let mut phase = self.0.subscribe();
        async move {
            // The sender lives in the server's state; were it gone, there would be nobody to serve.
            let _ = phase.wait_for(|phase| *phase >= wanted).await;
        }
    }
}

/// Models and a page, ready to be served.
pub struct Server {
    app: App,
    threads: usize,
}

impl Server {
    /// Makes ready what is to be served.
    ///
    /// # Errors
    /// When two models have one name, or an origin is none.
    pub fn new(mut models: Vec<ServedModel>, page: Page, options: Options) -> Result<Self, Error> {
        let threads = options.threads.max(1);
        let mut names = BTreeSet::new();
        for model in &mut models {
            if !names.insert(model.name().to_owned()) {
                let problem = "stands for two models";
                return Err(Error::Name { name: model.name().into(), problem });
            }
            model.prepare(threads)?;
        }
        let limits = options.limits;
        let queue = Queue::new(limits.queue, threads);
        let bench = Arc::new(Bench { models, queue, limits, metrics: Metrics::default() });
        let app = Arc::new(Shared {
            bench,
            page,
            cors: Cors::new(&options.cors)?,
            room: Room::new(&limits),
            stop: Stop::new(),
            access_log: options.access_log,
        });
        Ok(Self { app, threads })
    }

    /// What stops it.
    pub fn stop(&self) -> Stop {
        self.app.stop.clone()
    }

    /// Serves on `listener` until [`Stop::stop`] is called and accepted requests are answered, or
    /// [`Limits::ending`](crate::Limits::ending) has passed.
    ///
    /// # Errors
    /// When the system gives no threads or the socket cannot be used.
    pub fn run(&self, listener: TcpListener) -> Result<(), Error> {
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(self.threads.min(READERS))
            .thread_name("foveal-http")
            .enable_io()
            .enable_time()
            .build()?;
        let workers = self.workers()?;
        let app = Arc::clone(&self.app);
        let served = runtime.block_on(async move {
            connection::serve(tokio::net::TcpListener::from_std(listener)?, app).await;
            std::io::Result::Ok(())
        });
        self.app.bench.queue.close();
        runtime.shutdown_timeout(LAST);
        // A worker in the middle of what nobody waits for any more is left behind.
        for worker in workers.into_iter().filter(|w| w.is_finished()) {
            let _ = worker.join();
        }
        Ok(served?)
    }

    fn workers(&self) -> Result<Vec<std::thread::JoinHandle<()>>, Error> {
        let one = |i| {
            let bench = Arc::clone(&self.app.bench);
            std::thread::Builder::new().name(format!("foveal-worker-{i}")).spawn(move || bench.work())
        };
        // Those that were had end when the queue does.
        let all: std::io::Result<_> = (0..self.threads).map(one).collect();
        Ok(all.inspect_err(|_| self.app.bench.queue.close())?)
    }
}
