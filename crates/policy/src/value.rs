//! What a key holds, where it comes from, and how that is said.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::Serialize;

/// The same words twice: for people who read Chinese and for people who read English.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Phrase {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Phrase {
    /// Puts the two together.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

/// How a value binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// This and nothing else.
    Exact,
    /// At most this (不超过, 不高于).
    Ceiling,
    /// At least this (不低于, 不少于, 不早于).
    Floor,
    /// This on average over all pupils (生均).
    Average,
    /// This as a rule (原则上): deviation is possible and must be justified.
    Principle,
    /// To be worked towards; blocks nothing.
    Target,
}

impl Binding {
    /// What stands before a value that binds like this.
    fn mark(self) -> Phrase {
        match self {
            Self::Exact => Phrase::default(),
            Self::Ceiling => Phrase::new("≤ ", "≤ "),
            Self::Floor => Phrase::new("≥ ", "≥ "),
            Self::Average => Phrase::new("平均 ", "on average "),
            Self::Principle => Phrase::new("原则上 ", "in principle "),
            Self::Target => Phrase::new("目标 ", "target: "),
        }
    }
}

/// The place in a document a value was taken from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Source {
    /// The document's file name.
    pub file: String,
    /// The document's own title.
    pub title_zh: String,
    /// The line in that file, from 1.
    pub line: u32,
    /// The exact words.
    pub words_zh: String,
}

/// A district's own decision on what its documents leave silent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Decision {
    /// Who decided.
    pub decided_by: String,
    /// The document that says so.
    pub document: String,
    /// The day of that document.
    pub dated: NaiveDate,
    /// The supplement's file.
    pub file: String,
}

/// What a clause rests on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A region's document.
    Document(Source),
    /// A district's decision.
    Decision(Decision),
}

/// One rule as it stands: who says it, what, how it binds, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Clause {
    /// The pack whose document or supplement says it; for an inherited value, the ancestor.
    pub pack_id: String,
    /// The key, such as `parent_fee_cap_fen_per_day`.
    pub key: &'static str,
    /// How it binds.
    pub binding: Binding,
    /// What the key is called.
    pub name: Phrase,
    /// The value with its unit, such as `10.00 元/天`.
    pub value: Phrase,
    /// Where it is written.
    pub basis: Basis,
    /// How the words were read, where they allow more than one reading.
    pub note: Option<String>,
}

impl Clause {
    /// Says it in both languages, such as `≤ 10.00 元/天：《…》第74行“每天不超过 10 元”`.
    #[must_use]
    pub fn say(&self) -> Phrase {
        let mark = self.binding.mark();
        let (basis_zh, basis_en) = match &self.basis {
            Basis::Document(source) => (
                format!("《{}》第{}行“{}”", source.title_zh, source.line, source.words_zh),
                format!("《{}》 line {}: “{}”", source.title_zh, source.line, source.words_zh),
            ),
            Basis::Decision(decision) => (
                format!("{}《{}》（{}）", decision.decided_by, decision.document, decision.dated),
                format!("{}, 《{}》 of {}", decision.decided_by, decision.document, decision.dated),
            ),
        };
        let (note_zh, note_en) = match &self.note {
            Some(note) => (format!("（{note}）"), format!(" ({note})")),
            None => (String::new(), String::new()),
        };
        Phrase {
            zh: format!("{}：{}{}：{basis_zh}{note_zh}", self.name.zh, mark.zh, self.value.zh),
            en: format!("{}: {}{}: {basis_en}{note_en}", self.name.en, mark.en, self.value.en),
        }
    }
}

/// No document and no supplement says it. Not 0, not false, not an empty list: the request that needs it is refused
/// (`POLICY_SILENT`) until the district writes a supplement.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, thiserror::Error)]
#[error("{pack_id} is silent on {key}")]
pub struct Silent {
    /// The pack that was asked.
    pub pack_id: String,
    /// The key that was needed.
    pub key: &'static str,
}

/// Where a key's value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held<T> {
    /// The region's own document says it.
    Stated {
        /// The value.
        value: T,
        /// How it binds.
        binding: Binding,
        /// Where it is written.
        source: Source,
        /// How the words were read.
        note: Option<String>,
    },
    /// A document of a region above says it.
    Inherited {
        /// The value.
        value: T,
        /// How it binds.
        binding: Binding,
        /// Where it is written.
        source: Source,
        /// How the words were read.
        note: Option<String>,
        /// The pack that says it.
        from: String,
    },
    /// The district decided it in a supplement.
    Supplemented {
        /// The value.
        value: T,
        /// How it binds.
        binding: Binding,
        /// The decision.
        decision: Decision,
        /// What the decision was meant to say.
        note: Option<String>,
    },
    /// Nobody says it.
    Silent,
}

/// A key of the schema.
#[derive(Debug, PartialEq, Eq)]
pub struct Key {
    /// The group it is written in, such as `fee`.
    pub group: &'static str,
    /// Its name, such as `parent_fee_cap_fen_per_day`.
    pub name: &'static str,
    pub(crate) zh: &'static str,
    pub(crate) en: &'static str,
    pub(crate) unit_zh: &'static str,
    pub(crate) unit_en: &'static str,
}

/// A key of one pack and what it holds there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value<T> {
    pub(crate) pack_id: Arc<str>,
    pub(crate) key: &'static Key,
    pub(crate) held: Held<T>,
}

impl<T> Value<T> {
    pub(crate) fn silent(pack_id: Arc<str>, key: &'static Key) -> Self {
        Self { pack_id, key, held: Held::Silent }
    }

    /// Gives where the value stands.
    #[must_use]
    pub fn held(&self) -> &Held<T> {
        &self.held
    }

    /// Gives the value, or nothing when silent.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        match &self.held {
            Held::Stated { value, .. } | Held::Inherited { value, .. } | Held::Supplemented { value, .. } => {
                Some(value)
            }
            Held::Silent => None,
        }
    }

    /// Gives the value.
    ///
    /// # Errors
    /// [`Silent`] when nobody says it.
    pub fn require(&self) -> Result<&T, Silent> {
        self.get().ok_or_else(|| self.silence())
    }

    /// Names the key and the pack, for a refusal.
    #[must_use]
    pub fn silence(&self) -> Silent {
        Silent { pack_id: self.pack_id.to_string(), key: self.key.name }
    }

    /// Gives how it binds, or nothing when silent.
    #[must_use]
    pub fn binding(&self) -> Option<Binding> {
        match &self.held {
            Held::Stated { binding, .. }
            | Held::Inherited { binding, .. }
            | Held::Supplemented { binding, .. } => Some(*binding),
            Held::Silent => None,
        }
    }
}

impl<T: Clone> Value<T> {
    /// The same key as a pack below sees it.
    pub(crate) fn handed_down(&self, to: Arc<str>) -> Self {
        let held = match &self.held {
            Held::Stated { value, binding, source, note } => Held::Inherited {
                value: value.clone(),
                binding: *binding,
                source: source.clone(),
                note: note.clone(),
                from: self.pack_id.to_string(),
            },
            Held::Inherited { .. } | Held::Supplemented { .. } | Held::Silent => self.held.clone(),
        };
        Self { pack_id: to, key: self.key, held }
    }
}

/// Something a clause can say.
pub trait Say {
    /// Says it, without unit.
    fn say(&self) -> Phrase;
}

impl<T: Say> Value<T> {
    /// Gives the clause the value rests on, or nothing when silent.
    #[must_use]
    pub fn clause(&self) -> Option<Clause> {
        let (value, binding, pack_id, basis, note) = match &self.held {
            Held::Stated { value, binding, source, note } => {
                (value, binding, self.pack_id.to_string(), Basis::Document(source.clone()), note)
            }
            Held::Inherited { value, binding, source, note, from } => {
                (value, binding, from.clone(), Basis::Document(source.clone()), note)
            }
            Held::Supplemented { value, binding, decision, note } => {
                (value, binding, self.pack_id.to_string(), Basis::Decision(decision.clone()), note)
            }
            Held::Silent => return None,
        };
        let said = value.say();
        Some(Clause {
            pack_id,
            key: self.key.name,
            binding: *binding,
            name: Phrase::new(self.key.zh, self.key.en),
            value: Phrase {
                zh: format!("{}{}", said.zh, self.key.unit_zh),
                en: format!("{}{}", said.en, self.key.unit_en),
            },
            basis,
            note: note.clone(),
        })
    }

    /// Gives the value and the clause it rests on, or nothing when silent.
    #[must_use]
    pub fn known(&self) -> Option<(&T, Clause)> {
        Some((self.get()?, self.clause()?))
    }

    /// Gives the value and the clause it rests on.
    ///
    /// # Errors
    /// [`Silent`] when nobody says it.
    pub fn demand(&self) -> Result<(&T, Clause), Silent> {
        self.known().ok_or_else(|| self.silence())
    }
}
