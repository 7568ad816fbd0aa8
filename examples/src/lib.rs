//! The programs of this package are in its `examples` targets: start one with `cargo run --example NAME`.
