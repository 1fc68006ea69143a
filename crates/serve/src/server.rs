//! The server: its models, its workers, the runtime, and how it ends.

use crate::app::{App, Shared};
use crate::body::BodyMemory;
use crate::connection;
use crate::cors::Cors;
use crate::error::Error;
use crate::hosts::Hosts;
use crate::idle::Idle;
use crate::metrics::Metrics;
use crate::model::ServedModel;
use crate::options::Options;
use crate::page::Page;
use crate::queue::Queue;
use crate::routes;
use crate::stop::Stop;
use crate::worker::Backend;
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The most threads that read requests.
const READERS: usize = 8;
/// How long workers may take to end once nobody waits for them.
const LAST: Duration = Duration::from_millis(500);

/// Models and a page, ready to be served.
pub struct Server {
    app: App,
    threads: usize,
    /// The workers of [`Server::router`] have been started.
    started: Mutex<bool>,
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
            idle: Idle::default(),
            hosts: Hosts::new(options.hosts.as_deref()),
            memory: BodyMemory::new(&limits),
            stop: Stop::new(),
            access_log: options.access_log,
        });
        Ok(Self { app, threads, started: Mutex::new(false) })
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

    /// [`Server::run`] within a runtime of the caller's, which must have tokio's I/O and timers.
    ///
    /// # Errors
    /// When the system gives no threads.
    ///
    /// ```no_run
    /// # async fn example(server: foveal_serve::Server) -> Result<(), Box<dyn std::error::Error>> {
    /// let (stop, listener) = (server.stop(), tokio::net::TcpListener::bind("127.0.0.1:8080").await?);
    /// let served = tokio::spawn(server.serve(listener));
    /// stop.stop();
    /// served.await??;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn serve(self, listener: tokio::net::TcpListener) -> Result<(), Error> {
        let workers = self.workers()?;
        connection::serve(listener, Arc::clone(&self.app)).await;
        self.app.backend.queue.close();
        // They hold nothing that must be waited for.
        drop(workers);
        Ok(())
    }

    /// The routes, as a service for a program's own axum or tower: nest them under a path. The limits on bodies, images
    /// and waiting hold; those on connections, heads and slow clients are the program's own server's. The first call
    /// starts the workers, which end when the last router of this server is dropped.
    ///
    /// # Errors
    /// When the system gives no threads.
    ///
    /// ```
    /// use foveal::nn::Sequential;
    /// use foveal::train::{PictureFit, Preprocess, SavedModel, Training};
    /// use foveal_serve::{Options, Page, ServedModel, Server, axum};
    ///
    /// let model = Sequential::new([8, 8, 1]).flatten().dense(2).build(0)?;
    /// let preprocess = Preprocess::unit(1, PictureFit::Resize);
    /// let classes = vec!["no".to_owned(), "yes".to_owned()];
    /// let saved = SavedModel { model, preprocess, classes, training: Training::default() };
    /// let server = Server::new(vec![ServedModel::new("own", saved)?], Page::default(), Options::default())?;
    /// let app: axum::Router = axum::Router::new()
    ///     .route("/", axum::routing::get(|| async { "a program of its own" }))
    ///     .nest("/models", server.router()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn router(&self) -> Result<axum::Router, Error> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if !*started {
            self.workers()?;
            *started = true;
        }
        Ok(routes::router(&self.app))
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

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("models", &self.app.names()).finish_non_exhaustive()
    }
}
