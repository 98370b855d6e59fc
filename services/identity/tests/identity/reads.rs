//! Reading pupils: whose, how much of the name, and what is noted.

use proto::identity::v1::*;
use sea_orm::{ConnectionTrait as _, Statement};
use shared::caller::Role;
use tonic::Code;

use super::world::{PUPILS, World, csv_file, new_id, reason};

#[tokio::test]
async fn c101_names_are_whole_at_the_school_and_masked_further_away() {
    for world in World::each().await {
        let tree = world.tree().await;
        world.import_pupils(&tree.school, csv_file(PUPILS)).await.unwrap();
        let list = |id: &str| ListPupilsRequest { node_id: id.to_owned(), ..ListPupilsRequest::default() };
        let town = tree.school.path[..2].to_vec();
        let table = [
            (Role::Principal, &tree.school.path, "王小明"),
            (Role::ClassTeacher, &tree.classes[0].path, "王小明"),
            (Role::TownOffice, &town, "王*明"),
            (Role::BureauOfficer, &tree.district.path, "王*明"),
            (Role::PlatformOperator, &Vec::new(), "王*明"),
        ];
        for (role, path, name) in table {
            let pupils = world
                .staff(role, path)
                .list_pupils(list(&tree.classes[0].id))
                .await
                .unwrap()
                .into_inner()
                .pupils;
            assert_eq!(pupils.iter().map(|pupil| pupil.name.as_str()).collect::<Vec<_>>(), [name], "{role}");
        }

        let mut teacher = world.staff(Role::ClassTeacher, &tree.classes[0].path);
        for id in [&tree.school.id, &tree.classes[1].id, &tree.district.id, &new_id()] {
            assert_eq!(reason(&teacher.list_pupils(list(id)).await.unwrap_err()), "NODE_NOT_FOUND");
        }
        assert_eq!(
            world.anonymous().list_pupils(list(&tree.school.id)).await.unwrap_err().code(),
            Code::Unauthenticated
        );
        let mut provider = world.staff(Role::Provider, &[new_id()]);
        assert_eq!(reason(&provider.list_pupils(list(&tree.school.id)).await.unwrap_err()), "NODE_NOT_FOUND");
    }
}

#[tokio::test]
async fn c106_each_reading_of_a_list_is_noted_for_good() {
    for world in World::each().await {
        let tree = world.tree().await;
        world.import_pupils(&tree.school, csv_file(PUPILS)).await.unwrap();
        let mut principal = world.staff(Role::Principal, &tree.school.path);
        let mut request =
            ListPupilsRequest { node_id: tree.school.id.clone(), page_size: 2, page_token: String::new() };
        let mut seen = Vec::new();
        loop {
            let page = principal.list_pupils(request.clone()).await.unwrap().into_inner();
            seen.extend(page.pupils.iter().map(|pupil| pupil.id.clone()));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(seen.len(), 3);

        let backend = world.db.read().get_database_backend();
        let query =
            "select actor, subject_count from audit where action = 'list_pupils' order by subject_count desc";
        let rows = world.db.read().query_all_raw(Statement::from_string(backend, query)).await.unwrap();
        let counts: Vec<i32> = rows.iter().map(|row| row.try_get_by("subject_count").unwrap()).collect();
        assert_eq!(counts, [2, 1]);
        let actor: String = rows[0].try_get_by("actor").unwrap();
        assert!(actor.starts_with("staff:"));
        for change in ["update audit set subject_count = 0", "delete from audit"] {
            let tx = world.db.begin().await.unwrap();
            assert!(tx.execute_unprepared(change).await.is_err(), "{change}");
        }
    }
}

#[tokio::test]
async fn names_for_rosters_are_for_services() {
    for world in World::each().await {
        let tree = world.tree().await;
        world.import_pupils(&tree.school, csv_file(PUPILS)).await.unwrap();
        let list = ListPupilsRequest { node_id: tree.school.id.clone(), ..ListPupilsRequest::default() };
        let mut principal = world.staff(Role::Principal, &tree.school.path);
        let pupils = principal.list_pupils(list).await.unwrap().into_inner().pupils;
        let ids = vec![pupils[2].id.clone(), new_id(), pupils[0].id.clone()];
        let request = BatchGetPupilsRequest { pupil_ids: ids.clone() };

        let found = world.billing().batch_get_pupils(request.clone()).await.unwrap().into_inner().pupils;
        assert_eq!(found, [pupils[2].clone(), pupils[0].clone()]);
        assert_eq!(reason(&principal.batch_get_pupils(request.clone()).await.unwrap_err()), "SERVICE_ONLY");
        assert_eq!(reason(&world.gateway().batch_get_pupils(request).await.unwrap_err()), "SERVICE_ONLY");
        let many = BatchGetPupilsRequest { pupil_ids: (0..501).map(|_| new_id()).collect() };
        assert_eq!(world.billing().batch_get_pupils(many).await.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn the_terms_are_for_anyone() {
    let world = World::on(shared::db::Kind::Sqlite).await;
    let terms = world.anonymous().get_consent_terms(GetConsentTermsRequest {}).await.unwrap().into_inner();
    assert_eq!(terms.version, "2026-09");
    assert!(terms.text.contains("撤回"));
}

#[tokio::test]
async fn the_database_keeps_its_promises() {
    for world in World::each().await {
        let tree = world.tree().await;
        world.import_pupils(&tree.school, csv_file(PUPILS)).await.unwrap();
        identity::bootstrap(&world.db, &world.clock, &world.vault).await.unwrap();

        let checked = identity::check(&world.db).await.unwrap();
        assert!(checked.iter().all(|checked| checked.broken.is_empty()), "{checked:?}");
        assert_eq!(checked[0].looked_at, 8);

        let tx = world.db.begin().await.unwrap();
        tx.execute_unprepared("delete from staff_grant").await.unwrap();
        tx.commit().await.unwrap();
        let broken: Vec<_> = identity::check(&world.db)
            .await
            .unwrap()
            .into_iter()
            .filter(|checked| !checked.broken.is_empty())
            .collect();
        assert_eq!(broken.len(), 1);
    }
}
