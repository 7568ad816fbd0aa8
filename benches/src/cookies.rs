//! The cookies of many sessions in one piece of memory that is taken before any session is stored, so that they do not
//! count as a session's memory.

use crate::Outcome;

/// Cookies by number, each in a row of its own.
#[derive(Debug)]
pub(crate) struct Cookies {
    bytes: Vec<u8>,
    width: usize,
}

impl Cookies {
    /// Room for so many cookies as long as this one, or a little longer.
    pub(crate) fn like(sample: &str, count: usize) -> Self {
        let width = sample.len() + 8;
        // Written and not only reserved: memory counts once it is touched.
        Self { bytes: vec![b' '; width * count], width }
    }

    pub(crate) fn put(&mut self, index: usize, cookie: &str) -> Outcome<()> {
        let begin = index * self.width;
        let row = self.bytes.get_mut(begin..begin + self.width).ok_or("more cookies than sessions")?;
        let place = row.get_mut(..cookie.len()).ok_or("a cookie is longer than the others")?;
        place.copy_from_slice(cookie.as_bytes());
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len().checked_div(self.width).unwrap_or(0)
    }

    /// A cookie; empty if there are none.
    pub(crate) fn get(&self, index: usize) -> &[u8] {
        self.bytes.get(index * self.width..(index + 1) * self.width).unwrap_or_default().trim_ascii_end()
    }
}

/// The `Cookie` header that a client sends after these `Set-Cookie` headers.
pub(crate) fn pairs<'a>(set: impl Iterator<Item = &'a [u8]>) -> Outcome<String> {
    let mut line = String::new();
    for value in set {
        let pair = value.split(|&byte| byte == b';').next().unwrap_or_default();
        if !line.is_empty() {
            line.push_str("; ");
        }
        line.push_str(std::str::from_utf8(pair)?);
    }
    if line.is_empty() { Err("no cookie came back".into()) } else { Ok(line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_comes_back_as_it_went_in() {
        let mut cookies = Cookies::like("id=abc", 2);
        cookies.put(0, "id=abcd").unwrap();
        cookies.put(1, "id=x").unwrap();
        assert_eq!((cookies.get(0), cookies.get(1)), (&b"id=abcd"[..], &b"id=x"[..]));
        assert!(cookies.put(2, "id=x").is_err() && cookies.put(0, &"x".repeat(99)).is_err());
    }

    #[test]
    fn a_client_sends_pairs_without_their_attributes() {
        let set = [&b"a=1; Path=/"[..], b"b=2"];
        assert_eq!(pairs(set.into_iter()).unwrap(), "a=1; b=2");
        assert!(pairs([].into_iter()).is_err());
    }
}
