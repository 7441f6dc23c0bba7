//! Stable codes, by which machines, logs and manuals look things up.

/// Declares the code of every kind of something in one place: `code()` answers one kind's, `CODES` holds all, and a kind
/// without a code does not compile. Where no kind has content, `ALL` are the kinds. `&` before the type makes `code()`
/// borrow; what stands behind the list has the codes of other kinds.
#[macro_export]
macro_rules! stable_codes {
    ($type:ident { $($kind:path => $code:literal),+ $(,)? } $($other:pat => $theirs:expr)?) => {
        impl $type {
            /// Every kind that has a code of its own.
            pub const ALL: &'static [Self] = &[$($kind),+];
            /// Every stable code of its own.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// A stable code for machines, logs and the manual.
            pub fn code(self) -> &'static str {
                match self {
                    $($kind => $code,)+
                    $($other => $theirs,)?
                }
            }
        }
    };
    ($type:ident { $($kind:pat => $code:literal),+ $(,)? }) => {
        impl $type {
            /// Every stable code.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// A stable code for machines, logs and the manual.
            pub fn code(self) -> &'static str {
                match self { $($kind => $code),+ }
            }
        }
    };
    (&$type:ident { $($kind:pat => $code:literal),+ $(,)? }) => {
        impl $type {
            /// Every stable code.
            pub const CODES: &'static [&'static str] = &[$($code),+];

            /// A stable code for machines, logs and the manual.
            pub fn code(&self) -> &'static str {
                match self { $($kind => $code),+ }
            }
        }
    };
}
