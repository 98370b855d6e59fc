//! What the stories share: a platform of their own and people who use it.
