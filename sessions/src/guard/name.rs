//! Names of roles and kinds as types: a type can hold no text, but it can spell one.

use std::marker::PhantomData;

/// The name of a role or a kind, as a type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a role or a kind",
    label = "not a name",
    note = "implement `sessions::guard::Name` for it, or spell the name as a `Word`"
)]
pub trait Name: Send + Sync + 'static {
    /// The name.
    const NAME: &'static str;
}

/// What follows the last letter of a [`Word`].
#[derive(Clone, Copy, Debug)]
pub enum End {}

impl Name for End {
    const NAME: &'static str = "";
}

/// The most bytes of a name that is spelt.
const LONGEST: usize = 1024;

/// A name while it is put together.
struct Spelt {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Spelt {
    /// The letters before the first NUL, and what follows them.
    const fn new(letters: &[char], rest: &str) -> Self {
        let mut spelt = Self { bytes: [0; LONGEST], length: 0 };
        let mut index = 0;
        while index < letters.len() && letters[index] != '\0' {
            let mut letter = [0; 4];
            spelt.push(letters[index].encode_utf8(&mut letter).as_bytes());
            index += 1;
        }
        spelt.push(rest.as_bytes());
        spelt
    }

    const fn push(&mut self, bytes: &[u8]) {
        let mut index = 0;
        while index < bytes.len() {
            self.bytes[self.length] = bytes[index];
            self.length += 1;
            index += 1;
        }
    }

    const fn as_str(&self) -> &str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

macro_rules! word {
    ($($letter:ident)*) => {
        /// A name, spelt letter by letter: `Word<'a', 'd', 'm', 'i', 'n'>` is "admin". It is what `role = "admin"` in
        /// [`#[session]`](macro@crate::session) becomes; a name of more than 32 letters goes on in another word.
        ///
        /// ```
        /// use sessions::guard::{Name, Word};
        /// assert_eq!(<Word<'a', 'd', 'm', 'i', 'n'>>::NAME, "admin");
        /// ```
        #[derive(Clone, Copy, Debug)]
        pub struct Word<$(const $letter: char = '\0',)* Rest = End>(PhantomData<fn() -> Rest>);

        impl<$(const $letter: char,)* Rest: Name> Word<$($letter,)* Rest> {
            const SPELT: &'static Spelt = &Spelt::new(&[$($letter),*], Rest::NAME);
        }

        impl<$(const $letter: char,)* Rest: Name> Name for Word<$($letter,)* Rest> {
            const NAME: &'static str = Self::SPELT.as_str();
        }
    };
}

word!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z AA AB AC AD AE AF);

#[cfg(test)]
mod tests {
    use super::*;

    type Long<Rest> = Word<
        'a',
        'b',
        'c',
        'd',
        'e',
        'f',
        'g',
        'h',
        'i',
        'j',
        'k',
        'l',
        'm',
        'n',
        'o',
        'p',
        'q',
        'r',
        's',
        't',
        'u',
        'v',
        'w',
        'x',
        'y',
        'z',
        '0',
        '1',
        '2',
        '3',
        '4',
        'é',
        Rest,
    >;

    #[test]
    fn a_word_is_what_its_letters_spell() {
        assert_eq!(<Word>::NAME, "");
        assert_eq!(<Word<'ö', 'l', '😀'>>::NAME, "öl😀");
        assert_eq!(<Long<End>>::NAME, "abcdefghijklmnopqrstuvwxyz01234é");
        assert_eq!(<Long<Word<'!'>>>::NAME, "abcdefghijklmnopqrstuvwxyz01234é!");
    }
}
