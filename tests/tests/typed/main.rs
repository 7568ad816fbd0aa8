//! Typed data: what happens to it when the struct changes from one deployment to the next, and that states keep apart.

#![allow(
    clippy::unwrap_used,
    clippy::assigning_clones,
    reason = "what fails in a test's helper fails the test"
)]

mod apart;
mod evolution;
mod nested;

use std::sync::{Arc, Mutex};

use http::{HeaderValue, Request, Response, header};
use sessions::{Declared, Registered, Registry, Session, SessionError};
use sessions_tests::Spy;
use tower::{ServiceExt, service_fn};
use tower_layer::Layer;

const FILE: &str = "[stores.main]\nkind = \"custom\"\n";

/// A deployment of a program: its registry on the store that all deployments share.
async fn deployment<D: Declared>(store: &Spy) -> Registry<D> {
    deployment_with(store, &[]).await
}

/// The same with these variables.
async fn deployment_with<D: Declared>(store: &Spy, variables: &[(&str, &str)]) -> Registry<D> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let registry = Registry::<D>::builder().with_settings(Some(FILE), variables).store("main", store.clone());
    registry.load().await.unwrap()
}

/// A browser with its one cookie.
#[derive(Default)]
struct Browser {
    cookie: Option<HeaderValue>,
}

impl Browser {
    /// One request, whose handler does something with the session.
    async fn visit<P: Registered, T: Send + 'static>(
        &mut self,
        registry: &Registry<P::Declared>,
        handler: impl Fn(&mut Session<P>) -> T + Clone + Send + 'static,
    ) -> T {
        let answer = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&answer);
        let service = service_fn(move |request: Request<()>| {
            let (handler, kept) = (handler.clone(), Arc::clone(&kept));
            async move {
                let mut session = Session::<P>::open(&request.into_parts().0).await?;
                *kept.lock().unwrap() = Some(handler(&mut session));
                Ok::<_, SessionError>(Response::new(String::new()))
            }
        });
        let mut request = Request::new(());
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(header::COOKIE, cookie.clone());
        }
        let response = registry.layer().layer(service).oneshot(request).await.unwrap();
        assert!(response.status().is_success(), "{}", response.body());
        if let Some(line) = response.headers().get(header::SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(HeaderValue::from_str(pair).unwrap());
        }
        let answer = answer.lock().unwrap().take();
        answer.unwrap()
    }
}
