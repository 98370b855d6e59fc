//! What must not be found where it does not belong.

use prost::Message as _;
use proto::identity::v1::*;
use shared::caller::Role;
use shared::db::Kind;
use shared::testing;

use super::world::{PUPILS, World, bind_request, csv_file, new_id, totp};

const PERSONAL: [&str; 9] = [
    "王小明",
    "欧阳小红",
    "李雷",
    "13800138000",
    "13900139000",
    "JH20260001",
    "jh20260001",
    "o-parent",
    "萧子阳",
];

#[tokio::test]
async fn no_name_number_code_identity_or_secret_is_readable_in_the_files_of_the_database() {
    let world = World::on(Kind::Sqlite).await;
    let tree = world.tree().await;
    world.import_pupils(&tree.school, csv_file(PUPILS)).await.unwrap();
    let bad = PUPILS.replace("13800138000", "x13800138000") + "JH20260001,王小明,2,二年级1班,13800138000\n";
    world.import_pupils(&tree.school, csv_file(&bad)).await.unwrap();
    let (session, mut guardian) = world.guardian_with_phone("o-parent", "13800138000").await;
    guardian.bind_pupil(bind_request(&tree.school, "JH20260001")).await.unwrap();
    guardian.bind_pupil(bind_request(&tree.school, "JH20269999")).await.unwrap_err();
    let staff = "账号,姓名,角色,组织代码\njinhua.principal,萧子阳,principal,JH-S1\n";
    let request = ImportStaffRequest {
        request_id: new_id(),
        district_id: tree.district.id.clone(),
        file: Some(csv_file(staff)),
    };
    let first = world.operator().import_staff(request).await.unwrap().into_inner().credentials[0].clone();
    let request = SignInStaffRequest {
        login_name: first.login_name.clone(),
        password: first.password.clone(),
        totp_code: totp(&world, &first.totp_secret),
    };
    let staff_session = world.anonymous().sign_in_staff(request).await.unwrap().into_inner();
    let list = ListPupilsRequest { node_id: tree.school.id.clone(), ..ListPupilsRequest::default() };
    world.staff(Role::Principal, &tree.school.path).list_pupils(list).await.unwrap();

    let path = world.db.config().url.strip_prefix("sqlite://").unwrap().to_owned();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend(std::fs::read(format!("{path}-wal")).unwrap_or_default());

    let finds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(finds("金华示范小学"), "what is public is readable, or this test sees nothing");
    let secrets = [&session.session_token, &staff_session.session_token, &first.password, &first.totp_secret];
    for text in PERSONAL.into_iter().chain(secrets.into_iter().map(String::as_str)) {
        assert!(!finds(text), "{text}");
    }
}

#[tokio::test]
async fn events_carry_no_personal_data() {
    for world in World::each().await {
        let tree = world.tree().await;
        world.import_pupils(&tree.school, csv_file(PUPILS)).await.unwrap();
        let (_, mut guardian) = world.guardian_with_phone("o-parent", "13800138000").await;
        let pupil = guardian
            .bind_pupil(bind_request(&tree.school, "JH20260001"))
            .await
            .unwrap()
            .into_inner()
            .pupil
            .unwrap();
        guardian
            .withdraw_consent(WithdrawConsentRequest { request_id: new_id(), pupil_id: pupil.id })
            .await
            .unwrap();

        let told = testing::told::<Event>(&world.db).await;
        assert_eq!(told.len(), 8 + 3 + 2);
        for (name, _, event) in told {
            let bytes = event.encode_to_vec();
            for text in PERSONAL {
                assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{name}: {text}");
            }
        }
    }
}
