//! A connection of the load generator: HTTP/1.1 as plain bytes, one request at a time, kept open.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{Outcome, cookies, request::Route};

/// A connection that is kept open from request to request.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

/// An answer as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    head: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, request: Vec::with_capacity(1024), answer: Vec::with_capacity(4096) })
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn exchange(&mut self, route: Route, cookie: &[u8]) -> Outcome<Answer<'_>> {
        let request = &mut self.request;
        request.clear();
        request.extend_from_slice(route.method.as_str().as_bytes());
        for part in [b" ", route.path.as_bytes(), b" HTTP/1.1\r\nhost: localhost\r\n"] {
            request.extend_from_slice(part);
        }
        if !cookie.is_empty() {
            for part in [b"cookie: ", cookie, b"\r\n"] {
                request.extend_from_slice(part);
            }
        }
        if route.method == "POST" {
            request.extend_from_slice(b"content-length: 0\r\n");
        }
        request.extend_from_slice(b"\r\n");
        self.stream.write_all(request).await?;
        self.answer.clear();
        loop {
            if self.stream.read_buf(&mut self.answer).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if let Some((end, length)) = whole(&self.answer)? {
                let (head, body) = self.answer.split_at(end);
                return Ok(Answer { head, body: &body[..length] });
            }
        }
    }
}

impl Answer<'_> {
    pub(crate) fn is_success(self) -> bool {
        self.head.starts_with(b"HTTP/1.1 2")
    }

    /// The cookies that the client sends from now on, if the answer set any.
    pub(crate) fn cookies(self) -> Option<String> {
        let lines = self.head.split(|&byte| byte == b'\n');
        let set = lines.filter_map(|line| value_of(line.trim_ascii(), b"set-cookie:"));
        cookies::pairs(set).ok()
    }
}

/// Where the body of an answer begins and how long it is, once all of it is there.
fn whole(answer: &[u8]) -> Outcome<Option<(usize, usize)>> {
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let mut lines = answer[..end].split(|&byte| byte == b'\n');
    let length = lines.find_map(|line| value_of(line.trim_ascii(), b"content-length:"));
    let length: usize = std::str::from_utf8(length.ok_or("an answer without its length")?)?.trim().parse()?;
    Ok((answer.len() >= end + 4 + length).then_some((end + 4, length)))
}

/// What stands behind a name, whose case does not count.
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (begin, value) = line.split_at_checked(name.len())?;
    begin.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nContent-Length: 2\r\n\r\nok";

    #[test]
    fn an_answer_is_whole_when_its_body_is_there() {
        let end = ANSWER.len() - 2;
        assert_eq!(whole(ANSWER).unwrap(), Some((end, 2)));
        assert_eq!(whole(&ANSWER[..=end]).unwrap(), None);
        assert_eq!(whole(&ANSWER[..end - 1]).unwrap(), None);
        assert!(whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn an_answer_tells_success_and_cookies() {
        let answer = |head| Answer { head, body: b"" };
        assert!(answer(ANSWER).is_success() && !answer(b"HTTP/1.1 401 Unauthorized").is_success());
        assert_eq!(answer(ANSWER).cookies().as_deref(), Some("a=1"));
        assert_eq!(answer(b"HTTP/1.1 200 OK\r\n").cookies(), None);
    }
}
