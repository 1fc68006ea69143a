//! The options of `foveal serve`.

use clap::Args;
use std::net::IpAddr;

/// What `foveal serve --help` says at its end.
pub const EXAMPLES: &str = "\
A MODEL is a saved model (.safetensors) or a run folder. Requests call it by the name of its file or
folder, or by NAME. Without a model only the page is served.

The API: GET /v2, /v2/health/live, /v2/health/ready, /v2/models/NAME and
POST /v2/models/NAME/infer (the Open Inference Protocol), POST /predict?model=NAME (the body is a
picture, a DICOM slice or a text, whichever the model takes, or a .npy array, alone or as the file
of a form), GET /models,
GET /metrics (Prometheus). It has no passwords and no encryption: to serve a network, put a proxy
with both in front of it. ^C or SIGTERM ends it once accepted requests are answered.

Examples:
  foveal serve runs/lab
  foveal serve digits=runs/lab --port 9000 --json
  curl --data-binary @digit.png localhost:8080/predict
  curl -F file=@digit.png localhost:8080/predict
  curl --data-binary @slice.dcm localhost:8080/predict
  curl --data-binary 'It was funny.' localhost:8080/predict";

/// An address: `localhost` and `[::1]`, too.
fn address(text: &str) -> Result<IpAddr, String> {
    let bare = text.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(text);
    match text {
        "localhost" => Ok(std::net::Ipv4Addr::LOCALHOST.into()),
        _ => bare
            .parse()
            .map_err(|_| "give an address such as 127.0.0.1, [::1], localhost or 0.0.0.0".to_owned()),
    }
}

/// `foveal serve`
#[derive(Args, Debug)]
pub struct Serve {
    /// Models to predict with
    #[arg(value_name = "[NAME=]MODEL")]
    pub models: Vec<String>,
    /// Port to listen on; 0 lets the system choose
    #[arg(long, value_name = "N", default_value_t = 8080)]
    pub port: u16,
    /// Address to listen on; 0.0.0.0 lets the network in
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", value_parser = address)]
    pub host: IpAddr,
    /// A further name under which the server may be asked; on this machine alone it is localhost
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// Let this origin's pages read the answers, such as http://localhost:3000, or `*` for all
    #[arg(long, value_name = "ORIGIN")]
    pub cors: Vec<String>,
    /// Requests that may wait; more are answered 503
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub queue: u32,
    /// Connections at once; more are answered 503
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub connections: u32,
    /// Bytes of a request's body
    #[arg(long, value_name = "BYTES", default_value_t = 8 << 20, value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    pub max_body: u64,
    /// Pixels of a picture or slice
    #[arg(long, value_name = "N", default_value_t = 1 << 24, value_parser = clap::value_parser!(u64).range(1..=1 << 25))]
    pub max_pixels: u64,
    /// Seconds that a request's head, and then its body, may take to come
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub patience: u64,
    /// Write a line in the log for each request
    #[arg(long)]
    pub access_log: bool,
}
