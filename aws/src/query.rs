//! Services of which one question is needed and that speak the query protocol: a form is sent, XML
//! comes back.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use aws_types::SdkConfig;

use crate::Refusal;
use crate::call::call;

/// A service that speaks the query protocol.
#[derive(Debug, Clone)]
pub(crate) struct QueryService {
    pub(crate) config: SdkConfig,
    /// Its signing name, which its host begins with.
    pub(crate) name: &'static str,
    /// The API's version, a date.
    pub(crate) version: &'static str,
}

/// An answer's text.
#[derive(Debug)]
pub(crate) struct Xml(String);

impl QueryService {
    /// Asks; `action` is the operation as IAM writes it, `resource` what it is asked about.
    pub(crate) async fn call(
        &self,
        action: &'static str,
        resource: &str,
        input: &[(String, String)],
    ) -> Result<Xml, Refusal> {
        let (_, operation) = action.split_once(':').unwrap_or(("", action));
        let request = request(operation, self.version, input);
        let refused = |error| Refusal::of(action, resource)(error);
        call(&self.config, self.name, operation, request, answer).await.map_err(refused)
    }
}

impl Xml {
    /// The elements at `path` below the result, each as the texts of these members; a member that is
    /// left out is empty.
    pub(crate) fn records<const N: usize>(
        &self,
        path: &[&str],
        members: [&str; N],
    ) -> Vec<[String; N]> {
        let mut found = Vec::new();
        let mut document = Document::new(&self.0);
        // <ActionResponse><ActionResult>…
        if let Ok(mut root) = document.root_element()
            && let Some(mut result) = root.next_tag()
        {
            collect(&mut result, path, members, &mut found);
        }
        found
    }
}

fn collect<const N: usize>(
    within: &mut ScopedDecoder<'_, '_>,
    path: &[&str],
    members: [&str; N],
    found: &mut Vec<[String; N]>,
) {
    let Some((first, rest)) = path.split_first() else {
        found.push(record(within, members));
        return;
    };
    while let Some(mut element) = within.next_tag() {
        if element.start_el().local() == *first {
            collect(&mut element, rest, members, found);
        }
    }
}

fn record<const N: usize>(element: &mut ScopedDecoder<'_, '_>, members: [&str; N]) -> [String; N] {
    let mut record = [const { String::new() }; N];
    while let Some(mut member) = element.next_tag() {
        let at = members.iter().position(|name| member.start_el().local() == *name);
        if let Some(at) = at
            && let Ok(text) = try_data(&mut member)
        {
            record[at] = text.into_owned();
        }
    }
    record
}

fn request(
    operation: &str,
    version: &str,
    input: &[(String, String)],
) -> Result<HttpRequest, BoxError> {
    let own = [("Action".to_owned(), operation.to_owned()), ("Version".to_owned(), version.into())];
    let pair = |(name, value): &(String, String)| format!("{name}={}", escaped(value));
    let body = own.iter().chain(input).map(pair).collect::<Vec<_>>().join("&");
    let length = body.len().to_string();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
    request.headers_mut().insert("content-length", length);
    Ok(request)
}

/// A form's value: everything but unreserved characters by its bytes.
fn escaped(value: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(byte).collect()
}

/// `%7B%22Version%22…` as policies come; what is no escape stays as it is.
pub(crate) fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let escape = hex.filter(|_| *first == b'%').and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(escape.unwrap_or(*first));
        rest = if escape.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn answer(response: &HttpResponse) -> Result<Xml, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    let text = String::from_utf8_lossy(body).into_owned();
    if response.status().is_success() {
        return Ok(Xml(text));
    }
    // <ErrorResponse><Error>…
    let [code, message] = Xml(text).records(&[], ["Code", "Message"]).pop().unwrap_or_default();
    let refused = ErrorMetadata::builder().code(code).message(message).build();
    Err(OrchestratorError::operation(refused))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RefusalKind;
    use crate::fake::{Fake, config};

    const ANSWER: &str = "<R xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Result>\
        <Other><member><Name>no</Name></member></Other>\
        <All><member><Name>a&amp;b</Name><Nested><member><Name>x</Name></member></Nested></member>\
        <member><Kind>k</Kind></member></All></Result></R>";

    #[tokio::test]
    async fn a_form_is_sent_and_records_are_read() {
        let fake = Fake::new();
        fake.answer(200, ANSWER);
        let config = config(&fake);
        let iam = QueryService { config, name: "iam", version: "2010-05-08" };
        let input = [("RoleName".to_owned(), "a/b c".to_owned())];
        let answer = iam.call("iam:GetRole", "a/b c", &input).await.unwrap();
        let records = answer.records(&["All", "member"], ["Name", "Kind"]);
        assert_eq!(records, [["a&b", ""], ["", "k"]]);
        let [request] = &fake.requests()[..] else { panic!("one call") };
        assert_eq!(request.uri, "https://iam.amazonaws.com/");
        assert_eq!(request.body, "Action=GetRole&Version=2010-05-08&RoleName=a%2Fb%20c");
    }

    #[tokio::test]
    async fn a_refusal_is_read_from_xml() {
        let fake = Fake::new();
        let body = "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code>\
            <Message>no role</Message></Error></ErrorResponse>";
        fake.answer(404, body);
        let config = config(&fake);
        let iam = QueryService { config, name: "iam", version: "2010-05-08" };
        let refused = iam.call("iam:GetRole", "a", &[]).await.unwrap_err();
        assert_eq!(refused.kind, RefusalKind::NotFound);
        assert_eq!(refused.to_string(), "iam:GetRole on a: NoSuchEntity: no role");
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(unescaped("%7B%22a%22%3A+100%%7d"), "{\"a\":+100%}");
    }
}
