//! Calling a person whose page is closed: what a call says, and how a browser wants to be called.

/// What a call says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// A search has found a person.
    SomeoneCame,
    /// There is something unread.
    NewMessage,
    /// The partner has left.
    PartnerLeft,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SomeoneCame, Self::NewMessage, Self::PartnerLeft];

    /// As the service worker reads it. The push service sees neither this nor its length.
    pub fn word(self) -> &'static str {
        match self {
            Self::SomeoneCame => "someone",
            Self::NewMessage => "message",
            Self::PartnerLeft => "left",
        }
    }
}

/// How one browser is called, as its push service told it: texts that nothing was looked at of. It is a secret:
/// with it that browser can be called.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The browser's address at its push service.
    pub endpoint: String,
    /// Its public key.
    pub p256dh: String,
    /// What it and the sender alone know.
    pub auth: String,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Subscription")
    }
}
