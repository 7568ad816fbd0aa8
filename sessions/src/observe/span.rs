//! Spans of the phases (feature `tracing`). No field of one holds more than a policy's name and a handle.

/// A phase's span: its name is a literal.
macro_rules! span {
    ($name:literal, $engine:expr) => {{
        #[cfg(feature = "tracing")]
        let span = tracing::debug_span!(
            target: "sessions",
            $name,
            policy = &*$engine.shared.name,
            handle = tracing::field::Empty
        );
        #[cfg(not(feature = "tracing"))]
        let span = $crate::observe::NoSpan;
        span
    }};
}

/// Is in a phase's span to the end of the block.
macro_rules! enter {
    ($name:literal, $engine:expr) => {
        #[cfg(feature = "tracing")]
        let _entered = $crate::observe::span!($name, $engine).entered();
    };
}

pub(crate) use {enter, span};

#[cfg(feature = "tracing")]
mod on {
    use tracing::{Instrument as _, Span, instrument::Instrumented};

    use crate::{soon::Soon, token::Handle};

    /// Names the session that the span is about.
    pub(crate) fn handle(handle: Handle) {
        Span::current().record("handle", tracing::field::display(handle));
    }

    /// Runs a future in a span.
    pub(crate) fn instrument<F: Future>(future: F, span: Span) -> Instrumented<F> {
        future.instrument(span)
    }

    /// Keeps a future that goes on by itself in the span that it was begun in.
    pub(crate) fn follow<F: Future>(future: F) -> Instrumented<F> {
        future.in_current_span()
    }

    impl<'a, T: Send + 'a> Soon<'a, T> {
        /// Begins in a span and goes on in it.
        pub(crate) fn within(span: Span, begin: impl FnOnce() -> Self) -> Self {
            let soon = span.in_scope(begin);
            match soon {
                Soon::Later(answer) if !span.is_disabled() => Soon::later(answer.instrument(span)),
                soon => soon,
            }
        }
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use crate::{soon::Soon, token::Handle};

    /// What a span is in a build without them.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct NoSpan;

    pub(crate) fn handle(_: Handle) {}

    pub(crate) fn instrument<F: Future>(future: F, _: NoSpan) -> F {
        future
    }

    pub(crate) fn follow<F: Future>(future: F) -> F {
        future
    }

    impl<T> Soon<'_, T> {
        pub(crate) fn within(_: NoSpan, begin: impl FnOnce() -> Self) -> Self {
            begin()
        }
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) use self::off::{NoSpan, follow, handle, instrument};
#[cfg(feature = "tracing")]
pub(crate) use self::on::{follow, handle, instrument};
