//! The district's tables of places and people, as far as whoever walks through the demonstration must know them.

use std::collections::BTreeMap;
use std::path::Path;

use policy::Packs;
use shared::table::Table;

use super::files;

/// The columns the loader itself reads.
const PACK: &str = "政策包";
const SUPPLEMENT: &str = "补充规定";
const CODE: &str = "代码";
const PARENT: &str = "上级代码";
const NAME: &str = "名称";
const LOGIN: &str = "账号";
const ROLE: &str = "角色";
const NODE: &str = "组织代码";
const PUPIL: &str = "学籍号";
const CLASS: &str = "班级";
const PHONES: &str = "监护人手机";

/// What is to be uploaded for `nodes.csv`, and the supplements left out of it.
pub(super) struct Nodes {
    /// The table.
    pub(super) content: Vec<u8>,
    /// Name of the supplement and of the pack it was named beside.
    pub(super) left_out: Vec<(String, String)>,
}

/// Reads `nodes.csv`. A supplement is one district's decision under one region: named beside another region's pack it
/// decides nothing there, and its cell is left empty. One that nobody knows stays, for the import to refuse.
pub(super) fn nodes(file: &Path, packs: &Packs) -> anyhow::Result<Nodes> {
    let table = files::table(file)?;
    let is_known =
        |name: &str| packs.current().any(|policy| policy.supplement().is_some_and(|known| known == name));
    let mut left_out = Vec::new();
    let mut rows = Vec::new();
    // Code → the pack that holds there: its own, else that of the place above, which stands in an earlier row.
    let mut holding: BTreeMap<&str, &str> = BTreeMap::new();
    for row in table.rows() {
        let (own, supplement) = (row.cell(PACK), row.cell(SUPPLEMENT));
        let above = holding.get(row.cell(PARENT)).copied().unwrap_or_default();
        let pack = if own.is_empty() { above } else { own };
        holding.insert(row.cell(CODE), pack);
        let is_foreign = is_known(supplement) && packs.policy(pack, Some(supplement)).is_none();
        if is_foreign {
            left_out.push((supplement.to_owned(), pack.to_owned()));
        }
        let cell = |column: &String| match column.as_str() {
            SUPPLEMENT if is_foreign => String::new(),
            column => row.cell(column).to_owned(),
        };
        rows.push(table.columns().iter().map(cell).collect());
    }
    let content =
        if left_out.is_empty() { std::fs::read(file)? } else { files::written(table.columns(), &rows)? };
    Ok(Nodes { content, left_out })
}

/// Role → the first account that has it, and class code → its class teacher's account.
pub(super) fn staff(table: &Table) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut roles, mut class_teachers) = (BTreeMap::new(), BTreeMap::new());
    for row in table.rows() {
        let (login, role) = (row.cell(LOGIN).to_owned(), row.cell(ROLE));
        if role == "class_teacher" {
            class_teachers.insert(row.cell(NODE).to_owned(), login.clone());
        }
        roles.entry(role.to_owned()).or_insert(login);
    }
    (roles, class_teachers)
}

/// What the walk knows of a school's pupils.
pub(super) struct Pupils {
    /// Pupil code → first phone number the school has on file: the walk's families answer to these numbers.
    pub(super) phones: BTreeMap<String, String>,
    /// Pupil code → the class teacher's account.
    pub(super) class_teachers: BTreeMap<String, String>,
}

/// Reads the pupils. `of_class` is class code → class teacher's account; `nodes` says which class has which code.
pub(super) fn pupils(table: &Table, nodes: &Table, of_class: &BTreeMap<String, String>) -> Pupils {
    let class_codes: BTreeMap<&str, &str> =
        nodes.rows().map(|row| (row.cell(NAME), row.cell(CODE))).collect();
    let first = |text: &str| text.split(';').next().unwrap_or_default().to_owned();
    let mut pupils = Pupils { phones: BTreeMap::new(), class_teachers: BTreeMap::new() };
    for row in table.rows() {
        let code = row.cell(PUPIL).to_owned();
        let teacher = class_codes.get(row.cell(CLASS)).and_then(|class| of_class.get(*class));
        pupils.class_teachers.extend(teacher.map(|login| (code.clone(), login.clone())));
        pupils.phones.insert(code, first(row.cell(PHONES)));
    }
    pupils
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const HEAD: &str = "类型,代码,上级代码,名称,学段,年级,政策包,补充规定\n";

    /// Two packs that say nothing, one with a supplement.
    fn packs(folder: &Path) -> Packs {
        let common = "pack_id = \"common\"\nname_zh = \"通行\"\ninferred = \"推定\"\nsource_files = []\n";
        let pack = |id: &str| format!("pack_id = \"{id}\"\nname_zh = \"{id}\"\nsource_files = []\n");
        let supplement = "supplement = \"own\"\npack_id = \"north\"\n\n[decision]\ndecided_by = \"局\"\n\
                          document = \"文\"\ndated = 2026-08-20\n\n[time.class_hour_minutes]\nvalue = 40\n";
        std::fs::create_dir(folder.join("supplements")).unwrap();
        let files = [
            ("common.toml", common.to_owned()),
            ("north.toml", pack("north")),
            ("south.toml", pack("south")),
            ("supplements/own.toml", supplement.to_owned()),
        ];
        for (name, text) in files {
            std::fs::write(folder.join(name), text).unwrap();
        }
        Packs::open(folder).unwrap()
    }

    fn read(rows: &str) -> (String, Vec<(String, String)>) {
        let folder = tempfile::tempdir().unwrap();
        let file: PathBuf = folder.path().join("nodes.csv");
        std::fs::write(&file, format!("{HEAD}{rows}")).unwrap();
        let nodes = nodes(&file, &packs(folder.path())).unwrap();
        (String::from_utf8(nodes.content).unwrap(), nodes.left_out)
    }

    #[test]
    fn a_supplement_stays_under_its_own_pack_and_is_left_out_under_another() {
        let rows = "区县,D,,某区,,,north,own\n";
        assert_eq!(read(rows), (format!("{HEAD}{rows}"), vec![]));

        let (content, left_out) = read("区县,D,,某区,,,south,own\n镇街,T,D,某镇,,,,own\n");
        assert_eq!(content, format!("{HEAD}区县,D,,某区,,,south,\n镇街,T,D,某镇,,,,\n"));
        let once = ("own".to_owned(), "south".to_owned());
        assert_eq!(left_out, [once.clone(), once]);
    }

    #[test]
    fn a_supplement_nobody_knows_stays_for_the_import_to_refuse() {
        let rows = "区县,D,,某区,,,south,unknown\n";

        assert_eq!(read(rows), (format!("{HEAD}{rows}"), vec![]));
    }
}
