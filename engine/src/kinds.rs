//! Names for the variants of an enum, for whoever counts them: without what the variants carry.

/// Makes an enum of the kinds of another one, all of them in [`ALL`](Self::ALL), and a method of the other one that tells
/// which it is.
macro_rules! kinds {
    ($(#[$doc:meta])* $kind:ident of $of:ident { $($variant:ident => $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $kind {
            $(#[doc = concat!("Of `", stringify!($variant), "`.")] $variant,)*
        }

        impl $kind {
            /// Each once, at the position that it has as a number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, which never changes.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl $of {
            /// Which one it is.
            #[must_use]
            pub fn kind(&self) -> $kind {
                match self { $(Self::$variant { .. } => $kind::$variant,)* }
            }
        }
    };
}
pub(crate) use kinds;
