//! The settings of a policy as Rust tokens: `ttl = "20min", transport(cookie_samesite = "strict")`, and the spellings
//! that mean the same. It reads them and remembers where each token stands; what they mean is for the policy core.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Lit, LitStr, Token, braced, bracketed, parenthesized, token};

use crate::errors::Errors;
use crate::judge;
use crate::list::each_item;

/// One setting: a key of the table and what was written for it.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// The key's dotted path, such as `transport.cookie_samesite`.
    pub(crate) key: String,
    pub(crate) key_tokens: TokenStream,
    pub(crate) value: Value,
    pub(crate) value_tokens: TokenStream,
    /// Of a list, the tokens of each entry by its index, and of a table in it those of each text, such as `0.rule`.
    pub(crate) parts: Parts,
}

/// Tokens by their path in a list.
type Parts = Vec<(String, TokenStream)>;

/// What can be written for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Bool(bool),
    List(Vec<String>),
    /// A list of tables of texts, such as `allow` has.
    Tables(Vec<Vec<(String, String)>>),
}

/// Reads settings up to the end of `input`, below the table `table` (empty for a policy's own keys).
pub(crate) fn read_all(
    input: ParseStream<'_>,
    table: &str,
    settings: &mut Vec<Setting>,
    errors: &mut Errors,
) {
    each_item(input, errors, |input, errors| read(input, table, settings, errors));
}

/// Reads one setting, or one table of settings.
///
/// # Errors
/// - what stands there isn't a key with its value
pub(crate) fn read(
    input: ParseStream<'_>,
    table: &str,
    settings: &mut Vec<Setting>,
    errors: &mut Errors,
) -> syn::Result<()> {
    let (key, key_tokens) = read_key(input, table)?;
    if input.peek(token::Paren) {
        let inner;
        parenthesized!(inner in input);
        read_all(&inner, &key, settings, errors);
        return Ok(());
    }
    if !input.peek(token::Brace) {
        read_separator(input, &key)?;
    }
    if input.peek(token::Brace) {
        let inner;
        braced!(inner in input);
        read_all(&inner, &key, settings, errors);
        return Ok(());
    }
    let (value, value_tokens, parts) =
        if is_list_of_tables(input) { read_tables(input)? } else { read_value(input, &key)? };
    if let Value::Text(text) = &value
        && let Some(fix) = judge::in_its_table(&key, text)
    {
        errors.on(value_tokens, format!("`{key}` is a table of keys, not a value: write `{fix}`"));
        return Ok(());
    }
    if settings.iter().any(|setting| setting.key == key) {
        errors.on(key_tokens, format!("`{key}` is given twice"));
        return Ok(());
    }
    settings.push(Setting { key, key_tokens, value, value_tokens, parts });
    Ok(())
}

/// Reads a key, dotted or not, and puts its table before it.
fn read_key(input: ParseStream<'_>, table: &str) -> syn::Result<(String, TokenStream)> {
    let first = input.call(Ident::parse_any)?;
    let mut tokens = first.to_token_stream();
    let mut key = if table.is_empty() { first.to_string() } else { format!("{table}.{first}") };
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?.to_tokens(&mut tokens);
        let next = input.call(Ident::parse_any)?;
        key = format!("{key}.{next}");
        next.to_tokens(&mut tokens);
    }
    Ok((key, tokens))
}

/// Reads the `=` or `:` between a key and its value.
fn read_separator(input: ParseStream<'_>, key: &str) -> syn::Result<()> {
    if input.peek(Token![:]) {
        input.parse::<Token![:]>()?;
        return Ok(());
    }
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        return Ok(());
    }
    Err(input.error(format!("`{key}` needs a value: write `{key} = …`")))
}

/// Reads a literal or a list of texts.
fn read_value(input: ParseStream<'_>, key: &str) -> syn::Result<(Value, TokenStream, Parts)> {
    if input.peek(token::Bracket) {
        let inner;
        let tokens = input.fork().parse::<TokenTree>()?.into_token_stream();
        bracketed!(inner in input);
        let texts = inner.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])?;
        let parts = texts.iter().enumerate().map(|(index, text)| (index.to_string(), text.to_token_stream()));
        let parts = parts.collect();
        return Ok((Value::List(texts.iter().map(LitStr::value).collect()), tokens, parts));
    }
    if input.peek(Token![-]) {
        let minus: Token![-] = input.parse()?;
        let number: syn::LitInt = input.parse()?;
        refuse_unit(number.suffix(), &format!("-{number}"), number.span(), key)?;
        let value =
            format!("-{}", number.base10_digits()).parse().map_err(|_| too_large(number.span(), key))?;
        return Ok((Value::Integer(value), quote!(#minus #number), Parts::new()));
    }
    if input.peek(Ident::peek_any) && !input.peek(syn::LitBool) {
        let word = input.call(Ident::parse_any)?;
        if is_expression(&word, input) {
            return Err(syn::Error::new(
                word.span(),
                format!(
                    "`{key}` takes a literal, not an expression: the value is checked before anything is computed, \
                     so write it here"
                ),
            ));
        }
        return Err(syn::Error::new(
            word.span(),
            format!("a word is written in quotes: `{key} = \"{word}\"`"),
        ));
    }
    let literal: Lit = input.parse().map_err(|error| not_a_value(error.span(), key))?;
    let span = literal.span();
    let value = match &literal {
        Lit::Str(text) => Value::Text(text.value()),
        Lit::Int(number) => {
            refuse_unit(number.suffix(), &number.to_string(), span, key)?;
            Value::Integer(number.base10_parse().map_err(|_| too_large(span, key))?)
        }
        Lit::Float(number) => {
            refuse_unit(number.suffix(), &number.to_string(), span, key)?;
            return Err(not_a_value(span, key));
        }
        Lit::Bool(bool) => Value::Bool(bool.value),
        _ => return Err(not_a_value(span, key)),
    };
    Ok((value, literal.into_token_stream(), Parts::new()))
}

/// Refuses a duration or a size without quotes: its unit is a suffix to Rust, and would be lost.
///
/// # Errors
/// - the number has a suffix
fn refuse_unit(suffix: &str, written: &str, span: Span, key: &str) -> syn::Result<()> {
    if suffix.is_empty() {
        return Ok(());
    }
    Err(syn::Error::new(span, in_quotes(suffix, written, key)))
}

/// What to write for a number with a suffix.
pub(crate) fn in_quotes(suffix: &str, written: &str, key: &str) -> String {
    if RUST_SUFFIXES.contains(&suffix) {
        let digits = written.strip_suffix(suffix).unwrap_or(written).trim_end_matches('_');
        return format!("`{key}` takes a number without a suffix: write `{digits}`");
    }
    format!("a value with a unit is written in quotes: write `\"{written}\"`")
}

/// The suffixes that are a number's type.
const RUST_SUFFIXES: [&str; 14] =
    ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64"];

/// Whether a word begins an expression or names a constant.
fn is_expression(word: &Ident, rest: ParseStream<'_>) -> bool {
    let goes_on = !rest.is_empty() && !rest.peek(Token![,]);
    goes_on || word.to_string().starts_with(char::is_uppercase)
}

/// Whether `[{ … }]` stands next.
fn is_list_of_tables(input: ParseStream<'_>) -> bool {
    let read = |input: ParseStream<'_>| {
        let inner;
        bracketed!(inner in input);
        Ok(inner.peek(token::Brace))
    };
    input.peek(token::Bracket) && read(&input.fork()).unwrap_or(false)
}

/// Reads a list of tables of texts: `[{ rule = "SL010", reason = "…" }]`.
fn read_tables(input: ParseStream<'_>) -> syn::Result<(Value, TokenStream, Parts)> {
    let tokens = input.fork().parse::<TokenTree>()?.into_token_stream();
    let inner;
    bracketed!(inner in input);
    let mut tables = Vec::new();
    let mut parts = Parts::new();
    while !inner.is_empty() {
        let index = tables.len();
        let whole = inner.fork().parse::<TokenTree>()?.into_token_stream();
        let fields;
        braced!(fields in inner);
        let fields = fields.parse_terminated(read_field, Token![,])?;
        let paths = fields.iter().map(|(name, text)| (format!("{index}.{name}"), text.to_token_stream()));
        parts.extend(paths.chain([(index.to_string(), whole)]));
        tables.push(fields.into_iter().map(|(name, text)| (name, text.value())).collect());
        if !inner.is_empty() {
            inner.parse::<Token![,]>()?;
        }
    }
    Ok((Value::Tables(tables), tokens, parts))
}

/// Reads one text of a table: `rule = "SL010"`.
fn read_field(input: ParseStream<'_>) -> syn::Result<(String, LitStr)> {
    let name = input.call(Ident::parse_any)?.to_string();
    read_separator(input, &name)?;
    let text = input.parse();
    let text =
        text.map_err(|error| syn::Error::new(error.span(), format!("`{name}` takes a text in quotes")))?;
    Ok((name, text))
}

fn too_large(span: Span, key: &str) -> syn::Error {
    syn::Error::new(span, format!("the number for `{key}` is too large"))
}

fn not_a_value(span: Span, key: &str) -> syn::Error {
    syn::Error::new(
        span,
        format!("`{key}` takes a text, a whole number, `true` or `false`, or a list of texts `[\"…\", …]`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse::Parser as _;

    fn read_tokens(tokens: TokenStream) -> (Vec<Setting>, Vec<String>) {
        let (mut settings, mut errors) = (Vec::new(), Errors::default());
        let parser = |input: ParseStream<'_>| {
            read_all(input, "", &mut settings, &mut errors);
            Ok(())
        };
        parser.parse2(tokens).unwrap();
        (settings, errors.texts())
    }

    #[test]
    fn all_spellings_of_a_table_mean_the_same() {
        for tokens in [
            quote!(transport(adapter = "header")),
            quote!(transport: { adapter: "header" }),
            quote!(transport = { adapter = "header" }),
            quote!(transport.adapter = "header"),
            quote!(transport.adapter: "header",),
        ] {
            let (settings, errors) = read_tokens(tokens);
            assert_eq!(errors, [""; 0]);
            assert_eq!(settings[0].key, "transport.adapter");
            assert_eq!(settings[0].value, Value::Text("header".to_owned()));
        }
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let (settings, errors) = read_tokens(quote!(a = 1_000, b = -3, c = true, d = ["x", "y"], e = []));
        assert_eq!(errors, [""; 0]);
        let values: Vec<Value> = settings.into_iter().map(|setting| setting.value).collect();
        assert_eq!(
            values,
            [
                Value::Integer(1000),
                Value::Integer(-3),
                Value::Bool(true),
                Value::List(vec!["x".to_owned(), "y".to_owned()]),
                Value::List(Vec::new())
            ]
        );
    }

    #[test]
    fn a_mistake_does_not_hide_the_next() {
        let (settings, errors) =
            read_tokens(quote!(scope = device, ttl, ttl = "1h", transport(x = 1.5, y = b"z"), ttl = "2h"));
        assert_eq!(
            errors,
            [
                "a word is written in quotes: `scope = \"device\"`",
                "`ttl` needs a value: write `ttl = …`",
                "`transport.x` takes a text, a whole number, `true` or `false`, or a list of texts `[\"…\", …]`",
                "`transport.y` takes a text, a whole number, `true` or `false`, or a list of texts `[\"…\", …]`",
                "`ttl` is given twice",
            ]
        );
        assert_eq!(settings.len(), 1);
    }

    #[test]
    fn a_number_that_no_setting_can_hold_is_refused() {
        let (_, errors) = read_tokens(quote!(max_keys = 99999999999999999999));
        assert_eq!(errors, ["the number for `max_keys` is too large"]);
    }

    #[test]
    fn a_unit_without_quotes_is_kept() {
        let (settings, errors) = read_tokens(quote!(
            ttl = 15min,
            idle_timeout = 1h30min,
            max_bytes = 16KiB,
            touch_every = 1.5h,
            grace = -5s,
            max_keys = 3_u32
        ));
        assert!(settings.is_empty());
        let quoted = |text: &str| format!("a value with a unit is written in quotes: write `\"{text}\"`");
        let mut expected: Vec<String> = ["15min", "1h30min", "16KiB", "1.5h", "-5s"].map(quoted).to_vec();
        expected.push("`max_keys` takes a number without a suffix: write `3`".to_owned());
        assert_eq!(errors, expected);
    }

    #[test]
    fn an_expression_is_told_to_be_one() {
        let (_, errors) =
            read_tokens(quote!(a = TTL, b = concat!("1", "h"), c = crate::TTL, d = ttl(), e = word));
        assert_eq!(errors.len(), 5);
        assert!(errors[..4].iter().all(|error| error.contains("not an expression")), "{errors:#?}");
        assert!(errors[4].contains("in quotes"), "{errors:#?}");
    }

    #[test]
    fn each_entry_of_a_list_has_its_tokens() {
        let (settings, _) = read_tokens(quote!(allow = ["SL010", "SL011"]));
        let parts: Vec<String> =
            settings[0].parts.iter().map(|(path, tokens)| format!("{path} {tokens}")).collect();
        assert_eq!(parts, ["0 \"SL010\"", "1 \"SL011\""]);
    }
}
