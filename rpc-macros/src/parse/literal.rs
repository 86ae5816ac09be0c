//! The values in the attributes: versions, durations, names, paths. Each error underlines the literal.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Error, LitStr, Path, Result};

use crate::model::{Timeout, Version};

/// Reads `"2.5"`.
pub(crate) fn version(literal: &LitStr) -> Result<Version> {
    let text = literal.value();
    text.split_once('.')
        .and_then(|(major, minor)| {
            let (major, minor) = (number(major)?, number(minor)?);
            Some(Version { major, minor })
        })
        .ok_or_else(|| {
            let message = format!(
                "malformed version `{text}`: write major and minor, each 0 to {}, such as `2.5`",
                u16::MAX
            );
            Error::new(literal.span(), message)
        })
}

/// A number in its one spelling: `05` would be read as 5 by some and as 50 by others.
fn number(text: &str) -> Option<u16> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok())?
}

/// Reads `"10m"`, the time that a method may take.
pub(crate) fn timeout(literal: &LitStr) -> Result<Timeout> {
    let timeout = duration(literal, "timeout", "10m")?;
    match timeout.millis {
        0 => Err(Error::new(
            literal.span(),
            "a timeout of zero expires before anything is sent: write a longer one, or leave it out for the client's",
        )),
        _ => Ok(timeout),
    }
}

/// Reads `"60s"`, the time between heartbeats.
pub(crate) fn monitor(literal: &LitStr) -> Result<Timeout> {
    let monitor = duration(literal, "monitor", "60s")?;
    match monitor.millis {
        0..100 => Err(Error::new(
            literal.span(),
            "a server that is well may be silent for so long: write at least `100ms`",
        )),
        _ => Ok(monitor),
    }
}

fn duration(literal: &LitStr, what: &str, example: &str) -> Result<Timeout> {
    let text = literal.value();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (amount, unit) = text.split_at(digits);
    let unit_millis: Option<u64> = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let millis = unit_millis
        .zip(amount.parse::<u64>().ok())
        .and_then(|(unit, amount)| unit.checked_mul(amount));
    match millis {
        Some(millis) => Ok(Timeout {
            millis,
            text: format!("{amount} {unit}"),
        }),
        None => Err(Error::new(
            literal.span(),
            format!(
                "malformed {what} `{text}`: write a whole number and one of `ms`, `s`, `m`, `h`, such as `{example}`"
            ),
        )),
    }
}

/// The string that was probably meant by a literal that is none, and is not refused next: `10` is `10s` where a timeout
/// belongs, and `2` is `2.0` where a version does.
pub(crate) fn meant(key: &str, literal: &str, example: &str) -> String {
    let with = |unit: &str| LitStr::new(&format!("{literal}{unit}"), Span::call_site());
    let good = |literal: &LitStr| match key {
        "timeout" => timeout(literal).is_ok(),
        "monitor" => monitor(literal).is_ok(),
        "version" | "also" | "since" | "until" => version(literal).is_ok(),
        "crate" => krate(literal).is_ok(),
        _ => literal.value().chars().all(char::is_alphanumeric),
    };
    ["", "s", ".0"]
        .map(with)
        .iter()
        .find(|literal| good(literal))
        .map_or_else(|| example.to_owned(), LitStr::value)
}

/// Reads a name that must not be empty.
pub(crate) fn name(literal: &LitStr, what: &str) -> Result<String> {
    let text = literal.value();
    if text.is_empty() {
        return Err(Error::new(
            literal.span(),
            format!("the {what} is empty: write one, or leave the key out"),
        ));
    }
    Ok(text)
}

/// Reads the path of the support crate. It is used inside a generated module too, so it must mean the same there: a path
/// that starts with a crate's name gets its `::`.
pub(crate) fn krate(literal: &LitStr) -> Result<Path> {
    let mut path = literal.parse_with(Path::parse_mod_style).map_err(|_| {
        let message = format!(
            "malformed path `{}`: write one such as `my_crate::rpc_core`",
            literal.value()
        );
        Error::new(literal.span(), message)
    })?;
    let first = path.segments[0].ident.clone();
    if first == "self" || first == "super" {
        return Err(Error::new(
            literal.span(),
            format!(
                "`{}` means another thing in each module: write a path that starts with `crate` or with a crate's name",
                path.to_token_stream().to_string().replace(' ', "")
            ),
        ));
    }
    if first != "crate" && path.leading_colon.is_none() {
        path.leading_colon = Some(syn::Token![::](literal.span()));
    }
    Ok(path)
}
