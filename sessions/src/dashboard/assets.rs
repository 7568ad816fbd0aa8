//! The style sheet, the icon and the script, under names that are digests of their content.

use std::sync::OnceLock;

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::{StatusCode, header};
use sha2::{Digest as _, Sha256};

use super::access::Operator;

/// A file that pages load.
pub(super) struct Asset {
    text: &'static str,
    kind: &'static str,
    extension: &'static str,
    digest: [u8; 32],
}

impl Asset {
    fn new(text: &'static str, kind: &'static str, extension: &'static str) -> Self {
        Self { text, kind, extension, digest: Sha256::digest(text).into() }
    }

    fn name(&self) -> String {
        format!("{}.{}", URL_SAFE_NO_PAD.encode(&self.digest[..12]), self.extension)
    }

    /// Its path within the dashboard.
    pub(super) fn path(&self) -> String {
        format!("/assets/{}", self.name())
    }

    /// What the browser checks it by (W3C Subresource Integrity).
    pub(super) fn integrity(&self) -> String {
        format!("sha256-{}", STANDARD.encode(self.digest))
    }
}

pub(super) fn style() -> &'static Asset {
    static STYLE: OnceLock<Asset> = OnceLock::new();
    STYLE.get_or_init(|| Asset::new(include_str!("style.css"), "text/css; charset=utf-8", "css"))
}

pub(super) fn icon() -> &'static Asset {
    static ICON: OnceLock<Asset> = OnceLock::new();
    ICON.get_or_init(|| Asset::new(include_str!("icon.svg"), "image/svg+xml", "svg"))
}

pub(super) fn script() -> &'static Asset {
    static SCRIPT: OnceLock<Asset> = OnceLock::new();
    SCRIPT.get_or_init(|| Asset::new(include_str!("live.js"), "text/javascript; charset=utf-8", "js"))
}

pub(super) async fn serve(_: Operator, Path(name): Path<String>) -> Response {
    let Some(asset) = [style(), icon(), script()].into_iter().find(|asset| asset.name() == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    ([(header::CONTENT_TYPE, asset.kind)], asset.text).into_response()
}
