//! The layers laid over each other by figment: code, the file, its profile, variables.

use figment::Figment;
use figment::value::{Tag, Value};

use super::code::{self, Code};
use super::place::{Place, Places};
use super::toml::{self, TomlFile};
use super::variables::{self, Names, Variables};
use super::{Profile, Sources};
use crate::origin::{Layer, Origin};
use crate::problem::Problem;

/// The merged values with the layer and place of each.
#[derive(Debug)]
pub(crate) struct Merged {
    figment: Figment,
    pub(crate) root: Value,
    pub(crate) places: Places,
}

impl Merged {
    /// Reads every source and lays the later over the earlier.
    pub(crate) fn read(sources: &Sources, problems: &mut Vec<Problem>) -> Self {
        Self::read_with(sources, Some(sources.profile), problems)
    }

    /// The same under another profile, or under none.
    pub(crate) fn read_with(
        sources: &Sources,
        profile: Option<Profile>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut places = Places::default();
        let code = Code::read(&sources.declarations, &mut places, problems);
        let file = sources.file.as_ref().map(|file| TomlFile::read(file, profile, &mut places, problems));
        let names = names(&code, file.as_ref());
        let variables = Variables::read(&sources.variables, &names, &mut places, problems);
        let mut figment = Figment::from(code);
        if let Some(file) = file {
            figment = figment.merge(file);
        }
        let figment = figment.merge(variables).select(sources.profile.as_str());
        let root =
            figment.find_value("").expect("these providers have no error, and the empty path is the root");
        Self { figment, root, places }
    }

    /// The layer that a value's tag stands for.
    pub(crate) fn layer(&self, tag: Tag) -> Layer {
        match self.figment.get_metadata(tag).map(|provider| provider.name.as_ref()) {
            Some(code::NAME) => Layer::Code,
            Some(variables::NAME) => Layer::Variable,
            // figment knows a tag's profile only by default and global: no name is one of the two profile tables.
            Some(toml::NAME) if tag.profile().is_none() => Layer::Profile,
            Some(toml::NAME) => Layer::File,
            _ => Layer::Default,
        }
    }

    /// Where `value`, which stands at `path`, is written.
    pub(crate) fn place(&self, path: &[String], value: &Value) -> Option<&Place> {
        if let Some(place) = self.places.get(self.layer(value.tag()), path) {
            return Some(place);
        }
        // A merged table has the tag of the last layer, which may hold only some of what is in it.
        let inner = value.as_dict()?;
        inner.values().find_map(|value| {
            let layers = leaf_tags(value).into_iter().map(|tag| self.layer(tag));
            layers.into_iter().find_map(|layer| self.places.get(layer, path))
        })
    }

    /// The place's origin for the key, or that nobody wrote it.
    pub(crate) fn key_origin(&self, path: &[String], value: &Value) -> Origin {
        self.place(path, value).map_or(Origin::Default, |place| place.key.clone())
    }

    /// The place's origin for the value, or that nobody wrote it.
    pub(crate) fn value_origin(&self, path: &[String], value: &Value) -> Origin {
        self.place(path, value).map_or(Origin::Default, |place| place.value.clone())
    }
}

fn leaf_tags(value: &Value) -> Vec<Tag> {
    match value {
        Value::Dict(tag, dict) if dict.is_empty() => vec![*tag],
        Value::Dict(_, dict) => dict.values().flat_map(leaf_tags).collect(),
        leaf => vec![leaf.tag()],
    }
}

/// The names that variables may speak of. The store `main` is always there.
fn names(code: &Code, file: Option<&TomlFile>) -> Names {
    let in_file = |table: &'static str| file.into_iter().flat_map(move |file| file.names(table));
    let mut policies: Vec<String> = code.names().chain(in_file("policies")).map(str::to_owned).collect();
    let mut stores: Vec<String> =
        std::iter::once("main").chain(in_file("stores")).map(str::to_owned).collect();
    for names in [&mut policies, &mut stores] {
        names.sort();
        names.dedup();
    }
    Names { policies, stores }
}
