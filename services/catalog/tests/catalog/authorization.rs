//! Who may call what: every method by every kind of caller.

use proto::catalog::v1::*;
use shared::caller::{Caller, Role};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::world::*;

/// Calls every method with a message that passes no further than the fields, and says who was stopped before them.
async fn answers(client: &mut Client) -> Vec<(&'static str, Result<(), Status>)> {
    macro_rules! call {
        ($($method:ident($request:expr)),* $(,)?) => {
            vec![$((stringify!($method), client.$method($request).await.map(|_| ()))),*]
        };
    }
    call![
        open_term(OpenTermRequest::default()),
        list_terms(ListTermsRequest::default()),
        add_slots(AddSlotsRequest::default()),
        list_slots(ListSlotsRequest::default()),
        create_course(CreateCourseRequest::default()),
        import_courses(ImportCoursesRequest::default()),
        submit_course(SubmitCourseRequest::default()),
        review_course(ReviewCourseRequest::default()),
        approve_course(ApproveCourseRequest::default()),
        list_courses(ListCoursesRequest { page_token: "?".to_owned(), ..ListCoursesRequest::default() }),
        arrange_section(ArrangeSectionRequest::default()),
        publish_sections(PublishSectionsRequest::default()),
        cancel_section(CancelSectionRequest::default()),
        get_menu(GetMenuRequest::default()),
        get_section(GetSectionRequest::default()),
        register_provider(RegisterProviderRequest::default()),
        list_on_whitelist(ListOnWhitelistRequest::default()),
        suspend_provider(SuspendProviderRequest::default()),
        list_providers(ListProvidersRequest {
            page_token: "?".to_owned(),
            ..ListProvidersRequest::default()
        }),
    ]
}

const ANYONE: &[&str] = &["list_terms", "list_slots", "get_menu"];
const ALL_STAFF: &[&str] = &["list_courses", "get_section", "list_providers"];
const SCHOOL_STAFF: &[&str] =
    &["open_term", "add_slots", "create_course", "import_courses", "arrange_section", "publish_sections"];
const PRINCIPAL: &[&str] = &["approve_course", "cancel_section"];
const PROVIDER: &[&str] = &["submit_course"];
const OFFICES: &[&str] = &["review_course", "register_provider", "list_on_whitelist", "suspend_provider"];

fn allowed(role: Role) -> Vec<&'static str> {
    let own: &[&[&str]] = match role {
        Role::TeachingOffice => &[SCHOOL_STAFF],
        Role::Principal => &[SCHOOL_STAFF, PRINCIPAL],
        Role::Provider => &[PROVIDER],
        Role::TownOffice | Role::BureauOfficer => &[OFFICES],
        Role::ClassTeacher
        | Role::MoralEducation
        | Role::SchoolFinance
        | Role::Instructor
        | Role::HotlineOperator
        | Role::Inspector
        | Role::Assessor
        | Role::BureauFinance
        | Role::PlatformOperator => &[],
    };
    [&[ANYONE, ALL_STAFF], own].concat().concat()
}

#[tokio::test]
async fn every_method_is_open_to_whom_the_contract_names_and_nobody_else() {
    let db = shared::testing::database::<catalog::Migrator>(shared::db::Kind::Sqlite).await;
    let world = World::begin(db, "town_lists", "").await;
    let mut callers: Vec<(String, Client, Vec<&str>, Code)> = vec![
        ("anonymous".to_owned(), world.client(&Caller::Anonymous), ANYONE.to_vec(), Code::Unauthenticated),
        ("guardian".to_owned(), world.client(&guardian()), ANYONE.to_vec(), Code::PermissionDenied),
        (
            "enrollment".to_owned(),
            Client::new(world.service_link("enrollment")),
            [ANYONE, &["get_section"]].concat(),
            Code::PermissionDenied,
        ),
    ];
    for role in Role::ALL {
        let path = match role {
            Role::Provider => vec![Uuid::from_u128(7)],
            _ => vec![DISTRICT, TOWN, SCHOOL],
        };
        callers.push((role.to_string(), world.staff(*role, &path), allowed(*role), Code::PermissionDenied));
    }

    for (name, mut client, allowed, stopped) in callers {
        let answers = answers(&mut client).await;
        assert_eq!(answers.len(), 19, "every method of the contract is called");
        for (method, answer) in answers {
            let code = answer.map_or_else(|status| status.code(), |()| Code::Ok);
            let expected = if allowed.contains(&method) { Code::InvalidArgument } else { stopped };
            assert_eq!(code, expected, "{method} by {name}");
        }
    }
    world.end().await;
}
