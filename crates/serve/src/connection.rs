//! Connections: taken within a limit, cut when they are too slow, ended when the server ends.

use crate::app::App;
use crate::options::Limits;
use crate::routes::router;
use crate::stream::Stream;
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tower::ServiceExt;

/// The longest head of a request.
const HEAD: usize = 32 << 10;
/// The most headers of a request.
const HEADERS: usize = 64;
/// So many connections beyond the limit are answered 503 at the same time; the others are closed without a word.
const REFUSALS: usize = 64;
/// How long such an answer may take.
const REFUSAL_TIME: Duration = Duration::from_secs(1);
/// After the grace, connections that the system has already accepted are still taken, for at most so long …
const LAST: Duration = Duration::from_millis(50);
/// … and until none has come for so long.
const QUIET: Duration = Duration::from_millis(1);
/// When connections are ended, an idle one gets so long: a request may be on its way.
const LATE: Duration = Duration::from_millis(200);
/// How long a new connection waits for the place of an idle one that gives way.
const CHANGE: Duration = Duration::from_secs(1);
/// How often it asks for one.
const AGAIN: Duration = Duration::from_millis(20);
/// An idle connection that gives way gets so long: a request may have come already.
const MOMENT: Duration = Duration::from_millis(5);
/// How long to wait before the next try when the system has no more sockets.
const PAUSE: Duration = Duration::from_millis(20);

/// Answers connections until the server is asked to stop; then waits for the open ones to end, until time is up.
pub async fn serve(listener: TcpListener, app: App) {
    let limits = app.backend.limits;
    let most = limits.connections.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
    let places = Arc::new(Semaphore::new(most));
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let service = router(&app);
    let stopped = app.stop.wait();
    tokio::pin!(stopped);
    let until = loop {
        tokio::select! {
            () = &mut stopped => break Instant::now(),
            taken = listener.accept() => take(taken, &places, &refusals, &service, &app).await,
        }
    };
    tracing::info!("stopping: not ready any more, answering what has been accepted");
    // A load balancer sees readiness fail while connections still work.
    let end = until + limits.ending;
    let grace = until + limits.grace.min(limits.ending);
    while let Ok(taken) = timeout_at(grace, listener.accept()).await {
        take(taken, &places, &refusals, &service, &app).await;
    }
    // Clients that the system has accepted by now count on an answer. The time is limited, since new ones may come
    // as fast as they are taken.
    let last = Instant::now() + LAST;
    while let Ok(taken) = timeout_at(last.min(Instant::now() + QUIET), listener.accept()).await {
        take(taken, &places, &refusals, &service, &app).await;
    }
    drop(listener);
    app.stop.finish();
    let all = u32::try_from(most).unwrap_or(u32::MAX);
    match timeout_at(end, places.acquire_many(all)).await {
        Ok(_) => tracing::info!("stopped: every accepted request is answered"),
        Err(_) => tracing::warn!(open = most - places.available_permits(), "stopped: some took too long"),
    }
}

async fn take(
    taken: std::io::Result<(TcpStream, std::net::SocketAddr)>,
    places: &Arc<Semaphore>,
    refusals: &Arc<Semaphore>,
    service: &Router,
    app: &App,
) {
    let (socket, peer) = match taken {
        Ok(taken) => taken,
        Err(error) => {
            // The client has gone, or there are no more file descriptors: that passes.
            tracing::warn!(%error, "a connection cannot be accepted");
            return sleep(PAUSE).await;
        }
    };
    let Ok(place) = Arc::clone(places).try_acquire_owned() else {
        if app.idle.give_way() {
            let (places, refusals) = (Arc::clone(places), Arc::clone(refusals));
            let (service, app) = (service.clone(), Arc::clone(app));
            tokio::spawn(async move {
                match place_of_another(places, &app).await {
                    Some(place) => connection(socket, place, service, app).await,
                    None => refused(socket, &refusals, &app).await,
                }
            });
            return;
        }
        app.backend.metrics.refused();
        tracing::debug!(%peer, "refused: too many connections");
        if let Ok(permit) = Arc::clone(refusals).try_acquire_owned() {
            tokio::spawn(refuse(socket, permit));
        }
        return;
    };
    tokio::spawn(connection(socket, place, service.clone(), Arc::clone(app)));
}

/// The place of a connection that gives way; `None` where none has for too long.
async fn place_of_another(places: Arc<Semaphore>, app: &App) -> Option<OwnedSemaphorePermit> {
    let until = Instant::now() + CHANGE;
    let place = places.acquire_owned();
    tokio::pin!(place);
    loop {
        tokio::select! {
            place = &mut place => return place.ok(),
            () = sleep(AGAIN) => {
                // Others may have come first to the places that became free.
                if Instant::now() > until || !app.idle.give_way() {
                    return None;
                }
            }
        }
    }
}

async fn refused(socket: TcpStream, refusals: &Arc<Semaphore>, app: &App) {
    app.backend.metrics.refused();
    if let Ok(permit) = Arc::clone(refusals).try_acquire_owned() {
        refuse(socket, permit).await;
    }
}

/// Answers 503 to a connection beyond the limit. Reads on for a moment: were the socket closed with bytes unread,
/// the client might lose the answer.
async fn refuse(mut socket: TcpStream, _permit: OwnedSemaphorePermit) {
    const TEXT: &str = "{\"error\":\"too many connections\"}";
    let refused = timeout(REFUSAL_TIME, async {
        let length = TEXT.len();
        let answer = format!(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
             connection: close\r\ncontent-length: {length}\r\n\r\n{TEXT}"
        );
        socket.write_all(answer.as_bytes()).await?;
        socket.shutdown().await?;
        let mut waste = [0; 1024];
        while socket.read(&mut waste).await? > 0 {}
        std::io::Result::Ok(())
    });
    // Whether the client heard it changes nothing.
    let _ = refused.await;
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(HEAD).max_headers(HEADERS);
    builder
}

async fn connection(socket: TcpStream, place: OwnedSemaphorePermit, service: Router, app: App) {
    let _place = place;
    app.backend.metrics.connected();
    let limits = app.backend.limits;
    // Small answers go out at once; where the system refuses that, they are only later.
    let _ = socket.set_nodelay(true);
    let own = Arc::new(app.idle.connection());
    let working = Arc::clone(&own);
    let answer = service_fn(move |request: hyper::Request<Incoming>| {
        let (working, service) = (Arc::clone(&working), service.clone());
        async move {
            working.works();
            let answer = service.oneshot(request.map(Body::new)).await;
            working.waits();
            answer
        }
    });
    let io = TokioIo::new(Stream::new(socket, limits.writing));
    let connection = builder(&limits).serve_connection(io, answer);
    tokio::pin!(connection);
    let finished = async {
        app.stop.wait_for_finish().await;
        // From now on every answer closes its connection.
        sleep(LATE).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = finished => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = own.gives_way() => {
            connection.as_mut().graceful_shutdown();
            match timeout(MOMENT, connection.as_mut()).await {
                Ok(ended) => ended,
                // A request came at the last moment: it is answered.
                Err(_) if own.is_working() => connection.await,
                Err(_) => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
    app.backend.metrics.disconnected();
}
