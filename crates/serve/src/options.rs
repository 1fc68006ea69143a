use std::time::Duration;

/// How a server works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads that read and predict; the answers do not depend on it.
    pub threads: usize,
    /// Origins whose pages may read the answers (`http://host:port`), or `*`; none by default.
    pub cors: Vec<String>,
    /// Names, beside `localhost` and this machine's own addresses, under which the server may be asked: others are answered
    /// 403, and so are pages of other origins that `cors` does not name. `None`, the default, lets all in: the program
    /// around it, or a proxy, knows its names.
    pub hosts: Option<Vec<String>>,
    /// Whether each request is written to the log.
    pub access_log: bool,
    /// Limits on requests, bodies, connections and times.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self { threads: 1, cors: Vec::new(), hosts: None, access_log: false, limits: Limits::default() }
    }
}

/// Limits on requests, bodies, connections and times.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// Bytes of all bodies that are held at once; what comes beyond them is answered 503.
    pub bodies: usize,
    /// Pixels of a picture.
    pub pixels: u64,
    /// Images of one request.
    pub images: usize,
    /// Requests that wait for a worker; what comes beyond them is answered 503.
    pub queue: usize,
    /// How long a request may wait for a worker until it is answered 503.
    pub waiting: Duration,
    /// Connections at once; what comes beyond them is answered 503.
    pub connections: usize,
    /// How long a request's head may take to come, from the end of the answer before.
    pub head: Duration,
    /// How long a request's body may take to come.
    pub reading: Duration,
    /// How long a client may take none of an answer's bytes.
    pub writing: Duration,
    /// From the signal to stop, how long new connections are still taken while readiness says no.
    pub grace: Duration,
    /// From the signal to stop, how long until the server ends, whatever is open.
    pub ending: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 8 << 20,
            bodies: 64 << 20,
            pixels: 1 << 24,
            images: 1024,
            queue: 256,
            waiting: Duration::from_secs(5),
            connections: 512,
            head: Duration::from_secs(10),
            reading: Duration::from_secs(10),
            writing: Duration::from_secs(10),
            grace: Duration::from_millis(500),
            ending: Duration::from_secs(8),
        }
    }
}
