//! Where each key of each layer stands: figment keeps a value's layer, this keeps its place.

use std::collections::BTreeMap;

use crate::origin::{Layer, Origin};

/// Where a key and its value stand.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) key: Origin,
    pub(crate) value: Origin,
    /// Grows along the source; places of code come after those of the file.
    pub(crate) order: usize,
}

/// The places of all layers, by layer and path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(BTreeMap<(Layer, Vec<String>), Place>);

impl Places {
    /// The first place of a path wins, as a table may be opened more than once.
    pub(crate) fn insert(&mut self, layer: Layer, path: &[String], place: Place) {
        self.0.entry((layer, path.to_vec())).or_insert(place);
    }

    pub(crate) fn get(&self, layer: Layer, path: &[String]) -> Option<&Place> {
        self.0.get(&(layer, path.to_vec()))
    }

    /// The place of `path` in the earliest layer that has it: where it is declared.
    pub(crate) fn declared(&self, path: &[String]) -> Option<&Place> {
        [Layer::File, Layer::Code, Layer::Profile].into_iter().find_map(|layer| self.get(layer, path))
    }
}
