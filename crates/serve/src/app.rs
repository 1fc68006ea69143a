//! What all requests share.

use crate::body::BodyMemory;
use crate::cors::Cors;
use crate::failure::Failure;
use crate::hosts::Hosts;
use crate::idle::Idle;
use crate::page::Page;
use crate::stop::Stop;
use crate::worker::Backend;
use axum::http::StatusCode;
use std::sync::Arc;

pub type App = Arc<Shared>;

pub struct Shared {
    pub backend: Arc<Backend>,
    pub page: Page,
    pub cors: Cors,
    pub hosts: Hosts,
    pub idle: Idle,
    pub memory: BodyMemory,
    pub stop: Stop,
    pub access_log: bool,
}

impl Drop for Shared {
    /// Nobody can ask any more: the workers end.
    fn drop(&mut self) {
        self.backend.queue.close();
    }
}

impl Shared {
    /// The place of the model of this name.
    pub fn find(&self, name: &str) -> Result<usize, Failure> {
        let found = self.backend.models.iter().position(|m| m.name() == name);
        found.ok_or_else(|| {
            let given: String = name.chars().take(60).collect();
            Failure::new(StatusCode::NOT_FOUND, format!("there is no model {given:?}; {}", self.names()))
        })
    }

    /// Which models there are, for messages.
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.backend.models.iter().map(|m| m.name()).collect();
        match names.is_empty() {
            true => "none is served: start the server with `foveal serve MODEL`".into(),
            false => format!("there is {}", names.join(", ")),
        }
    }
}
