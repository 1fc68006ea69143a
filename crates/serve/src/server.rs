//! The server: its models, its workers, the runtime, and how it ends.

use crate::app::{App, Shared};
use crate::body::BodyMemory;
use crate::connection;
use crate::cors::Cors;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::model::ServedModel;
use crate::options::Options;
use crate::page::Page;
use crate::queue::Queue;
use crate::stop::Stop;
use crate::worker::Backend;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// The most threads that read requests.
const READERS: usize = 8;
/// How long workers may take to end once nobody waits for them.
const LAST: Duration = Duration::from_millis(500);

/// Models and a page, ready to be served.
pub struct Server {
    app: App,
    threads: usize,
}

impl Server {
    /// Prepares the models and the page; nothing listens yet.
    ///
    /// # Errors
    /// When two models have the same name, or one of [`Options::cors`] is not an origin.
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
        let backend = Arc::new(Backend { models, queue, limits, metrics: Metrics::default() });
        let app = Arc::new(Shared {
            backend,
            page,
            cors: Cors::new(&options.cors)?,
            memory: BodyMemory::new(&limits),
            stop: Stop::new(),
            access_log: options.access_log,
        });
        Ok(Self { app, threads })
    }

    /// A handle that stops the server, usable from any thread.
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
        self.app.backend.queue.close();
        runtime.shutdown_timeout(LAST);
        // A worker may still be busy with a request that nobody waits for any more: it is not waited for.
        for worker in workers.into_iter().filter(|w| w.is_finished()) {
            let _ = worker.join();
        }
        Ok(served?)
    }

    fn workers(&self) -> Result<Vec<std::thread::JoinHandle<()>>, Error> {
        let one = |i| {
            let backend = Arc::clone(&self.app.backend);
            std::thread::Builder::new().name(format!("foveal-worker-{i}")).spawn(move || backend.work())
        };
        // If the system refuses a thread, the workers already started end as soon as the queue is closed.
        let all: std::io::Result<_> = (0..self.threads).map(one).collect();
        Ok(all.inspect_err(|_| self.app.backend.queue.close())?)
    }
}
