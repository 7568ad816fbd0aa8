//! Tests of the store in files.
