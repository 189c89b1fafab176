//! As whom a client calls.

use std::fmt;

use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

/// A channel on which every call says who calls.
pub(crate) type Calling = InterceptedService<Channel, Bearer>;

/// An API key or a token, sent with every call; nothing by default. It is never shown.
#[derive(Clone, Default)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

/// The text has characters that no key or token has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no key and no token: it has characters that neither has")]
pub struct NoBearer;

impl Bearer {
    /// Of a key or token; blanks around it do not count.
    ///
    /// # Errors
    /// When it cannot be sent in a header. The error does not show it.
    pub fn new(text: &str) -> Result<Self, NoBearer> {
        let mut value: MetadataValue<Ascii> = format!("Bearer {}", text.trim()).parse().map_err(|_| NoBearer)?;
        value.set_sensitive(true);
        Ok(Self(Some(value)))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(bearer) = &self.0 {
            request.metadata_mut().insert("authorization", bearer.clone());
        }
        Ok(request)
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Bearer(…)" } else { "Bearer(none)" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sent_and_never_shown() {
        let mut bearer = Bearer::new(" usher_1_secret\n").unwrap();
        let sent = bearer.call(Request::new(())).unwrap();
        assert_eq!(sent.metadata().get("authorization").unwrap(), "Bearer usher_1_secret");
        assert!(!format!("{bearer:?}{sent:?}").contains("secret"));
        assert_eq!(Bearer::new("two\nlines").unwrap_err(), NoBearer);
    }
}
