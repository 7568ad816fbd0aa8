//! The promises of the library, each as a test through the engine: what must hold on every store.

mod dead;
mod failure;
mod identity;
mod lifecycle;
mod limits;
mod login;
mod principals;
mod rotation;
mod time;
mod updates;
