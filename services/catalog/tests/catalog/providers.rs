//! `RegisterProvider`, `ListOnWhitelist`, `SuspendProvider`, `ListProviders`.

use proto::catalog::v1::listing::State;
use proto::catalog::v1::*;
use shared::caller::Role;
use shared::testing;
use tonic::Code;

use crate::world::*;

#[tokio::test]
async fn a_credit_code_is_registered_once_however_many_try() {
    for world in worlds("town_lists", "").await {
        for round in 0..3 {
            let tasks: Vec<_> = (0..6)
                .map(|_| {
                    let mut officer = world.officer();
                    let request = RegisterProviderRequest {
                        request_id: request_id(),
                        name: "科学实践中心".to_owned(),
                        credit_code: credit_code(&format!("R{round}")).to_lowercase(),
                    };
                    tokio::spawn(async move { officer.register_provider(request).await })
                })
                .collect();
            let (mut registered, mut known) = (Vec::new(), Vec::new());
            for task in tasks {
                match task.await.unwrap() {
                    Ok(answer) => registered.push(answer.into_inner().provider.unwrap()),
                    Err(status) => {
                        known.push(fact(&status, "provider_id"));
                        assert_eq!(rule::<()>(Err(status)), "PROVIDER_EXISTS");
                    }
                }
            }
            let [provider] = registered.as_slice() else { panic!("{registered:?}") };
            assert_eq!(provider.credit_code, credit_code(&format!("R{round}")));
            assert_eq!(known, vec![provider.id.clone(); 5]);
        }
        let broken = RegisterProviderRequest {
            request_id: String::new(),
            name: "科".to_owned(),
            credit_code: "12345".to_owned(),
        };
        let fields = broken_fields(world.officer().register_provider(broken).await);
        assert_eq!(fields, ["request_id", "name", "credit_code"]);
        world.end().await;
    }
}

#[tokio::test]
async fn c20_a_list_is_kept_where_the_policy_says() {
    for (pack, right, wrong) in [("town_lists", TOWN, DISTRICT), ("district_lists", DISTRICT, TOWN)] {
        for world in worlds(pack, "").await {
            let provider = world.registered_provider("1").await;
            let refused = world.officer().list_on_whitelist(list_on(&provider, wrong)).await.unwrap_err();
            assert_eq!(fact(&refused, "key"), "whitelist_scope");
            assert_eq!(rule::<()>(Err(refused)), "WHITELIST_SCOPE", "{pack}");
            world.officer().list_on_whitelist(list_on(&provider, right)).await.unwrap();
            world.end().await;
        }
    }
}

#[tokio::test]
async fn c20_where_the_policy_names_no_level_both_count_and_a_suspension_on_either_stops() {
    for world in worlds("zhejiang_jinhua", "jinhua_demo").await {
        let town = world.listed_provider("1", TOWN).await;
        let district = world.listed_provider("2", DISTRICT).await;
        let both = world.listed_provider("3", TOWN).await;
        world.officer().list_on_whitelist(list_on(&both, DISTRICT)).await.unwrap();
        world.officer().suspend_provider(suspend(&both, TOWN)).await.unwrap();
        let table = [
            (&town, SCHOOL, None),
            (&town, OTHER_SCHOOL, Some("PROVIDER_LISTED_ELSEWHERE")),
            (&district, SCHOOL, None),
            (&district, OTHER_SCHOOL, None),
            (&both, SCHOOL, Some("PROVIDER_SUSPENDED")),
            (&both, OTHER_SCHOOL, None),
        ];
        for (provider, school, expected) in table {
            let submitted =
                world.provider(&provider.id).submit_course(submit_course(provider, school, "科学实验")).await;
            let reason = submitted.err().map(|status| refusal::<()>(Err(status)).1);
            assert_eq!(reason.as_deref(), expected, "{} {school}", provider.name);
        }
        world.end().await;
    }
}

#[tokio::test]
async fn c20_a_listing_is_renewed_by_other_days_and_a_suspension_lifted_by_later_ones() {
    for world in worlds("town_lists", "").await {
        let provider = world.listed_provider("1", TOWN).await;
        let mut office = world.town_office();
        let again =
            office.list_on_whitelist(list_on(&provider, TOWN)).await.unwrap().into_inner().provider.unwrap();
        assert_eq!(again, provider);

        let until = |last_day: &str| ListOnWhitelistRequest {
            last_day: last_day.to_owned(),
            ..list_on(&provider, TOWN)
        };
        let renewed =
            office.list_on_whitelist(until("2028-12-31")).await.unwrap().into_inner().provider.unwrap();
        assert_eq!(renewed.listings[0].last_day, "2028-12-31");

        let suspended =
            office.suspend_provider(suspend(&provider, TOWN)).await.unwrap().into_inner().provider.unwrap();
        let listing = &suspended.listings[0];
        assert_eq!((listing.state(), listing.suspension_reason.as_str()), (State::Suspended, "诱导校外培训"));
        let refused = office.list_on_whitelist(until("2029-12-31")).await.unwrap_err();
        assert_eq!(fact(&refused, "suspended_on"), "2026-08-20");
        assert_eq!(rule::<()>(Err(refused)), "PROVIDER_SUSPENDED");

        let anew = ListOnWhitelistRequest { first_day: "2026-08-21".to_owned(), ..until("2029-12-31") };
        let listed = office.list_on_whitelist(anew).await.unwrap().into_inner().provider.unwrap();
        assert_eq!(
            (listed.listings[0].state(), listed.listings[0].suspension_reason.as_str()),
            (State::Listed, "")
        );
        world.end().await;
    }
}

#[tokio::test]
async fn a_suspension_is_told_once_however_many_decide_it() {
    for world in worlds("town_lists", "").await {
        for round in 0..3 {
            let provider = world.listed_provider(&format!("S{round}"), TOWN).await;
            let tasks: Vec<_> = (0..6)
                .map(|_| {
                    let mut office = world.town_office();
                    let request = suspend(&provider, TOWN);
                    tokio::spawn(async move { office.suspend_provider(request).await })
                })
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            let told = testing::told::<Event>(&world.db).await;
            let about: Vec<_> =
                told.iter().filter(|(_, subject, _)| subject.to_string() == provider.id).collect();
            let [(name, _, event)] = about.as_slice() else { panic!("{about:?}") };
            assert_eq!(name, "provider_suspended");
            let Some(event::Kind::ProviderSuspended(suspended)) = &event.kind else { panic!("{event:?}") };
            assert_eq!(suspended.path, [DISTRICT, TOWN].map(|id| id.to_string()));
        }
        world.end().await;
    }
}

#[tokio::test]
async fn an_office_keeps_only_its_own_list() {
    for world in worlds("town_lists", "").await {
        let provider = world.listed_provider("1", OTHER_TOWN).await;
        let mut office = world.town_office();
        let not_there = (Code::NotFound, "NODE_NOT_FOUND".to_owned());

        assert_eq!(refusal(office.list_on_whitelist(list_on(&provider, OTHER_TOWN)).await), not_there);
        assert_eq!(refusal(office.suspend_provider(suspend(&provider, OTHER_TOWN)).await), not_there);
        // A school keeps no list.
        assert_eq!(refusal(world.officer().list_on_whitelist(list_on(&provider, SCHOOL)).await), not_there);
        let unlisted = refusal(world.officer().suspend_provider(suspend(&provider, TOWN)).await);
        assert_eq!(unlisted, (Code::NotFound, "LISTING_NOT_FOUND".to_owned()));
        let nobody = Provider { id: DISTRICT.to_string(), ..provider };
        let unknown = refusal(world.officer().list_on_whitelist(list_on(&nobody, TOWN)).await);
        assert_eq!(unknown, (Code::NotFound, "PROVIDER_NOT_FOUND".to_owned()));
        world.end().await;
    }
}

#[tokio::test]
async fn providers_are_listed_by_name_with_the_listings_that_concern_the_caller() {
    for world in worlds("town_lists", "").await {
        let one = world.listed_provider("1", TOWN).await;
        world.officer().list_on_whitelist(list_on(&one, OTHER_TOWN)).await.unwrap();
        let two = world.listed_provider("2", OTHER_TOWN).await;
        let list = |page_size, page_token: &str| ListProvidersRequest {
            page_size,
            page_token: page_token.to_owned(),
        };
        async fn seen(mut client: Client, request: ListProvidersRequest) -> (Vec<(String, usize)>, String) {
            let answer = client.list_providers(request).await.unwrap().into_inner();
            let counts =
                answer.providers.into_iter().map(|provider| (provider.name, provider.listings.len()));
            (counts.collect(), answer.next_page_token)
        }
        let of =
            |one_count, two_count| vec![("机构1".to_owned(), one_count), ("机构2".to_owned(), two_count)];

        assert_eq!(seen(world.officer(), list(0, "")).await.0, of(2, 1));
        assert_eq!(seen(world.town_office(), list(0, "")).await.0, of(1, 0));
        assert_eq!(seen(world.principal(), list(0, "")).await.0, of(1, 0));
        let elsewhere = world.staff(Role::Principal, &[DISTRICT, OTHER_TOWN, OTHER_SCHOOL]);
        assert_eq!(seen(elsewhere, list(0, "")).await.0, of(1, 1));
        assert_eq!(seen(world.provider(&two.id), list(0, "")).await.0, [("机构2".to_owned(), 1)]);

        let (first, token) = seen(world.officer(), list(1, "")).await;
        let (second, end) = seen(world.officer(), list(1, &token)).await;
        assert_eq!((first.len(), second.len(), end.as_str()), (1, 1, ""));
        assert_eq!((first[0].0.as_str(), second[0].0.as_str()), ("机构1", "机构2"));
        world.end().await;
    }
}
