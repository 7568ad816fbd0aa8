//! Files of variables: a line `NAME=VALUE` each, as services and containers are given them.

/// The variables of a file, or the line that is none.
///
/// Blank lines and lines that begin with `#` are left out, and so is `export` before a name. One pair of quotes around
/// a value is taken off; nothing is expanded.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, String)>, usize> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| variable(line).ok_or(number)).collect()
}

fn variable(line: &str) -> Option<(String, String)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    (!name.is_empty() && name.chars().all(is_name))
        .then(|| (name.to_owned(), unquoted(value.trim()).to_owned()))
}

fn unquoted(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_variable() {
        let text = "# staging\n\nSESSIONS_PROFILE=production\nexport A = \"two words\"\nB='x=y'\nC=\n";
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = vec![
            pair("SESSIONS_PROFILE", "production"),
            pair("A", "two words"),
            pair("B", "x=y"),
            pair("C", ""),
        ];
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn what_is_no_variable_is_named_by_its_line() {
        assert_eq!(parse("A=1\n\nnonsense\n"), Err(3));
        assert_eq!(parse("=1"), Err(1));
        assert_eq!(parse("A B=1"), Err(1));
    }
}
