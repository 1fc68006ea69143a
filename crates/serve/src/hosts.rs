//! Which names the server answers to. A page from elsewhere must not reach a server on this machine: neither by a name
//! of its own that it lets point here (DNS rebinding), which `Host` gives away, nor straight, which `Origin` gives away.

use crate::cors::Cors;
use crate::failure::Failure;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use std::net::IpAddr;

/// Names that are this server's, or all.
pub struct Hosts(Option<Vec<String>>);

impl Hosts {
    /// `None` lets in whatever is said.
    pub fn new(hosts: Option<&[String]>) -> Self {
        Self(hosts.map(|all| all.iter().map(|host| host.to_ascii_lowercase()).collect()))
    }

    /// Refuses a request to a foreign name, and one of a foreign page that CORS does not let read answers.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap, cors: &Cors) -> Result<(), Failure> {
        let Some(own) = &self.0 else { return Ok(()) };
        // A client that says no host is no browser.
        let said = headers
            .get(header::HOST)
            .and_then(|v| v.to_str().ok())
            .or_else(|| uri.authority().map(|a| a.as_str()));
        if let Some(said) = said.filter(|said| !is_own(own, said)) {
            let host = shown(name(said));
            return Err(forbidden(format!(
                "{host} is no name of this server's; start it with --allow-host {host} if it should be"
            )));
        }
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        if cors.allowed(Some(origin)).is_some() || is_same(origin, said) {
            return Ok(());
        }
        let origin = shown(origin.to_str().unwrap_or("null"));
        Err(forbidden(format!(
            "pages of {origin} may not ask this server; start it with --cors {origin} if they may"
        )))
    }
}

fn forbidden(message: String) -> Failure {
    Failure::new(StatusCode::FORBIDDEN, message)
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !foveal::view::steers(*c)).take(100).collect()
}

/// Whether `host`, perhaps with a port, is `localhost`, an address of this machine alone, or one of `own`.
fn is_own(own: &[String], host: &str) -> bool {
    let name = name(host).to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    let bare = name.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(name);
    name == "localhost"
        || name.ends_with(".localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        || own.iter().any(|own| own == name || own == bare || *own == host.to_ascii_lowercase())
}

/// A host without its port.
fn name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    }
}

/// Whether a page of this origin was given by the host that it asks.
fn is_same(origin: &HeaderValue, host: Option<&str>) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    let of = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    matches!((of, host), (Some(of), Some(host)) if of.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(own: &[&str], cors: &[&str], host: &str, origin: Option<&str>) -> bool {
        let own: Vec<String> = own.iter().map(|s| s.to_string()).collect();
        let cors = Cors::new(&cors.iter().map(|s| s.to_string()).collect::<Vec<_>>()).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        Hosts::new(Some(&own)).check(&Uri::from_static("/predict"), &headers, &cors).is_ok()
    }

    #[test]
    fn this_machines_names_are_answered_and_foreign_ones_not() {
        for host in [
            "localhost",
            "localhost:8080",
            "LOCALHOST:80",
            "localhost.",
            "127.0.0.1:8080",
            "127.9.9.9",
            "[::1]:8080",
            "[::1]",
            "app.localhost:3000",
        ] {
            assert!(answer(&[], &[], host, None), "{host}");
        }
        for host in [
            "evil.test",
            "evil.test:8080",
            "localhost.evil.test",
            "notlocalhost",
            "127.0.0.1.evil.test",
            "8.8.8.8",
            "[2001:db8::1]:80",
            "0.0.0.0:8080",
            "localhost:8080@evil.test",
            "",
            ":8080",
        ] {
            assert!(!answer(&[], &[], host, None), "{host}");
        }
        assert!(answer(&["Models.test"], &[], "models.test:8080", None));
        assert!(!answer(&["models.test"], &[], "other.models.test", None));
    }

    #[test]
    fn pages_of_other_origins_are_answered_only_by_name() {
        let same = [("http://localhost:8080", "localhost:8080"), ("http://127.0.0.1:9", "127.0.0.1:9")];
        for (origin, host) in same {
            assert!(answer(&[], &[], host, Some(origin)), "{origin}");
        }
        for origin in ["http://localhost:3000", "http://evil.test", "null", "file://", "https://localhost"] {
            assert!(!answer(&[], &[], "localhost:8080", Some(origin)), "{origin}");
        }
        assert!(answer(&[], &["http://localhost:3000"], "localhost:8080", Some("http://localhost:3000")));
        assert!(answer(&[], &["*"], "localhost:8080", Some("http://any.test")));
        assert!(!answer(&[], &["*"], "evil.test", Some("http://any.test")));
    }
}
