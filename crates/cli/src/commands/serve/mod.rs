//! `foveal serve`

mod log;

use super::model;
use crate::args::Serve;
use crate::interrupt;
use crate::output::Context;
use crate::paths::Shown;
use anyhow::{Context as _, Result, bail};
use foveal::view::short;
use foveal_serve::{Limits, Options, Page, ServedModel, Server, Stop};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

// `FILES`, the files of the page, written by build.rs.
include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// Serves models and the page until it is interrupted.
pub fn run(args: &Serve, context: &Context) -> Result<()> {
    let models: Vec<ServedModel> =
        args.models.iter().map(|given| named_model(given)).collect::<Result<_>>()?;
    let page = page();
    let started = Started::new(&models, &page);
    log::start(context, args.access_log)?;
    let server = Server::new(models, page, options(args, context))?;
    let address = SocketAddr::new(args.host, args.port);
    let listener = listen(address)?;
    let url = format!("http://{}/", listener.local_addr()?);
    stop_on_interrupt(server.stop())?;
    started.print(&url, context)?;
    if !args.host.is_loopback() {
        context.note(context.say(
            "note: whoever reaches this address can use it; there are no passwords and no encryption",
            "참고: 이 주소로 접속할 수 있으면 누구나 쓸 수 있습니다. 인증도 암호화도 없습니다",
        ));
    }
    server.run(listener).with_context(|| url)
}

/// The page, with the digits that it shows and trains on. A part of the digits is unpacked when it is first asked for.
fn page() -> Page {
    #[allow(unused_mut, reason = "digits are added where they are built in")]
    let mut page = Page::new(FILES.iter().copied());
    #[cfg(feature = "mnist")]
    if page.is_built() {
        for name in foveal_mnist::PARTS {
            page.add(&format!("digits/{name}.bin"), move || foveal_mnist::part(name).unwrap_or_default());
        }
    }
    page
}

fn options(args: &Serve, context: &Context) -> Options {
    let patience = Duration::from_secs(args.patience);
    let body = usize::try_from(args.max_body).unwrap_or(usize::MAX);
    let fixed = Limits::default();
    Options {
        threads: context.threads,
        cors: args.cors.clone(),
        // Whoever serves a network knows its names; on this machine alone there are no others.
        hosts: (args.host.is_loopback() || !args.allow_host.is_empty()).then(|| args.allow_host.clone()),
        access_log: args.access_log,
        limits: Limits {
            body,
            bodies: fixed.bodies.max(body.saturating_mul(2)),
            pixels: args.max_pixels,
            queue: args.queue as usize,
            connections: args.connections as usize,
            head: patience,
            reading: patience,
            writing: patience,
            ..fixed
        },
    }
}

/// The model that `[NAME=]MODEL` names.
fn named_model(given: &str) -> Result<ServedModel> {
    let whole = Path::new(given);
    let (name, path) = match given.split_once('=') {
        Some((name, path)) if !whole.exists() => (Some(name), Path::new(path)),
        _ => (None, whole),
    };
    let saved = model::saved(path)?;
    let stem = || {
        // `.` and `..` have no name of their own: the full path has one.
        let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let name = if full.is_dir() { full.file_name() } else { full.file_stem() };
        name.unwrap_or_default().to_string_lossy().into_owned()
    };
    let name = name.map_or_else(stem, str::to_owned);
    ServedModel::new(&name, saved).with_context(|| path.shown())
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).or_else(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => "something else listens there; choose another port with --port",
            std::io::ErrorKind::PermissionDenied => "you may not; choose a port from 1024 with --port",
            std::io::ErrorKind::AddrNotAvailable => "this machine has no such address; choose another --host",
            _ => bail!("cannot listen on {address}: {error}"),
        };
        bail!("cannot listen on {address}: {hint}")
    })
}

/// The first signal lets the server answer what it has accepted, the second ends it at once.
fn stop_on_interrupt(stop: Stop) -> Result<()> {
    interrupt::first(move || stop.stop())
}

/// What is printed when the server starts.
struct Started {
    models: Vec<String>,
    page: bool,
}

impl Started {
    fn new(models: &[ServedModel], page: &Page) -> Self {
        Self { models: models.iter().map(|m| m.name().to_owned()).collect(), page: page.is_built() }
    }

    fn print(&self, url: &str, context: &Context) -> Result<()> {
        if context.json {
            let Self { models, page } = self;
            return context.print_json(&serde_json::json!({ "url": url, "models": models, "page": page }));
        }
        let mut text = format!("{url}\n");
        text += &if self.models.is_empty() {
            let english = "no model: the API has nothing to predict with; `foveal serve MODEL` gives it one";
            let korean =
                "모델 없음: API로 예측할 모델이 없습니다. `foveal serve MODEL`처럼 모델을 지정하세요";
            format!("{}\n", context.say(english, korean))
        } else {
            format!(
                "{}: {}\n",
                context.say("models", "모델"),
                self.models.iter().map(|m| short(m)).collect::<Vec<_>>().join(", ")
            )
        };
        if !self.page {
            let english = "no page in this program: `make page`, then build it again";
            let korean = "이 프로그램에는 페이지가 없습니다. `make page`를 실행한 뒤 다시 빌드하세요";
            text += &format!("{}\n", context.say(english, korean));
        }
        text += context.say("^C ends it\n", "^C를 누르면 끝납니다\n");
        context.print(&text)
    }
}
