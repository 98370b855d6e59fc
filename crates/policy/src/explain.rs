//! The clause behind a key, for people.

use serde::Serialize;

use crate::policy::Policy;
use crate::value::{Clause, Phrase};

/// What a policy says on a key, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// In Chinese and in English, one sentence each.
    pub text: Phrase,
    /// The clause; nothing when the policy is silent.
    pub clause: Option<Clause>,
}

/// Explains a key, such as `每天收费上限：≤ 10.00 元/天：《…》第74行“每天不超过 10 元”`.
///
/// Gives nothing when the schema has no such key.
#[must_use]
pub fn explain(policy: &Policy, key: &str) -> Option<Explanation> {
    let known = Policy::keys().into_iter().find(|known| known.name == key)?;
    let explanation = match policy.clause(key)? {
        Ok(clause) => Explanation { text: clause.say(), clause: Some(clause) },
        Err(silent) => Explanation {
            text: Phrase::new(
                format!("{}：{}的文件没有规定，须由教育局书面决定后补充", known.zh, policy.name_zh()),
                format!(
                    "{}: no document of {} says it; the bureau must decide it in a supplement",
                    known.en, silent.pack_id
                ),
            ),
            clause: None,
        },
    };
    Some(explanation)
}
