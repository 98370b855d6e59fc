//! What is wrong in a table, cell by cell. If anything is, nothing of the table is taken.

/// Why a cell, a row or a whole file was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The header does not name a column that must be there, or names one twice.
    ColumnMissing,
    /// The text is not of the form the column has.
    ValueInvalid,
    /// An earlier row has the same node code.
    CodeDuplicate,
    /// There is no node with the parent's code, or more than one within reach.
    ParentUnknown,
    /// A node of this kind cannot stand there.
    KindMisplaced,
    /// The code is taken by a node with other content.
    NodeDiffers,
    /// The caller's role does not reach there.
    OutOfReach,
    /// There is no such policy pack or supplement.
    PackUnknown,
    /// The supplement belongs to another pack than the one that holds there.
    SupplementMisplaced,
    /// An earlier row has the same pupil code.
    PupilCodeDuplicate,
    /// The school has no such class, or several of that name.
    ClassUnknown,
    /// The class is of another grade.
    GradeDiffers,
    /// Not one or two mobile numbers of mainland China.
    PhoneInvalid,
    /// There is no such role.
    RoleUnknown,
    /// There is no node with the code.
    NodeUnknown,
    /// The role is not granted at a place of that kind.
    RoleMisplaced,
}

impl Reason {
    /// The word in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ColumnMissing => "COLUMN_MISSING",
            Self::ValueInvalid => "VALUE_INVALID",
            Self::CodeDuplicate => "CODE_DUPLICATE",
            Self::ParentUnknown => "PARENT_UNKNOWN",
            Self::KindMisplaced => "KIND_MISPLACED",
            Self::NodeDiffers => "NODE_DIFFERS",
            Self::OutOfReach => "OUT_OF_REACH",
            Self::PackUnknown => "PACK_UNKNOWN",
            Self::SupplementMisplaced => "SUPPLEMENT_MISPLACED",
            Self::PupilCodeDuplicate => "PUPIL_CODE_DUPLICATE",
            Self::ClassUnknown => "CLASS_UNKNOWN",
            Self::GradeDiffers => "GRADE_DIFFERS",
            Self::PhoneInvalid => "PHONE_INVALID",
            Self::RoleUnknown => "ROLE_UNKNOWN",
            Self::NodeUnknown => "NODE_UNKNOWN",
            Self::RoleMisplaced => "ROLE_MISPLACED",
        }
    }
}

/// One cell that kept a table from being taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The row as the person sees it, from 1 (the header) up.
    pub row: u32,
    /// The column's name; empty when the whole row is meant.
    pub column: String,
    /// Why.
    pub reason: Reason,
    /// The offending text; empty for names and phone numbers.
    pub value: String,
}

impl Fault {
    /// A fault of one cell.
    #[must_use]
    pub fn new(row: u32, column: &str, reason: Reason, value: impl Into<String>) -> Self {
        Self { row, column: column.to_owned(), reason, value: value.into() }
    }
}
