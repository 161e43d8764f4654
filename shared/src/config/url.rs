//! What may be asked by HTTP: a URL, as far as its text alone tells.

/// Enough for every health check; the audit trail repeats it.
const LONGEST: usize = 1024;

/// Refuses what is no URL of http or https, and what holds a password, and says why.
pub(super) fn check(text: &str) -> Result<(), String> {
    let expected = |why: &str| Err(format!("expected {EXPECTED}, found `{text}`{why}"));
    let rest = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let Some(rest) = rest else { return expected("") };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Said without the text: it holds what must not be shown.
    if authority.contains('@') {
        return Err("a URL holds no user name and no password here: everybody who may read the \
                    config would know them"
            .to_owned());
    }
    if text.len() > LONGEST {
        return Err(format!("a URL has at most {LONGEST} characters here, found {}", text.len()));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return expected(": a space or a letter that a URL writes as `%20` and the like");
    }
    if text.contains('#') {
        return expected(": the part from `#` on is never sent");
    }
    match port(authority) {
        Some(host) if !host.is_empty() => Ok(()),
        _ => expected(": the host is missing, or the port is no number"),
    }
}

/// What a URL is, for "expected …".
pub(super) const EXPECTED: &str = "a URL that begins `https://` or `http://`";

/// The host of `HOST`, `HOST:PORT` or `[V6]:PORT`, where the port is one.
fn port(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (host, rest) = v6.split_once(']')?;
            (host, rest.strip_prefix(':').or(rest.is_empty().then_some("443"))?)
        }
        None => authority.split_once(':').unwrap_or((authority, "443")),
    };
    port.parse::<u16>().ok().filter(|port| *port > 0).map(|_| host)
}
