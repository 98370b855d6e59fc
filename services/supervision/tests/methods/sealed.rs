//! What people write, and who wished to stay unknown, is nowhere in the files.

use std::path::Path;

use proto::supervision::v1::SubmitTicketRequest;
use shared::db::Kind;

use crate::support::{TEXT, World};

#[tokio::test]
async fn no_word_of_anybody_stands_in_the_database_file() {
    let world = World::start(Kind::Sqlite).await;
    let guardian = world.uuid();
    let request =
        SubmitTicketRequest { anonymous: true, contact: "13800001234".to_owned(), ..world.submission() };
    let answer = world.guardian(guardian).submit_ticket(request).await.unwrap().into_inner();
    let (ticket, receipt) = (answer.ticket.unwrap(), answer.receipt_code);
    world.operator().accept_ticket(world.acceptance(&ticket)).await.unwrap();
    world.operator().assign_ticket(world.assignment(&ticket)).await.unwrap();
    world.principal().return_ticket(world.returning(&ticket)).await.unwrap();
    world.operator().assign_ticket(world.assignment(&ticket)).await.unwrap();
    world.principal().reply_ticket(world.answering(&ticket)).await.unwrap();
    world.nobody().rate_ticket(world.rating(&ticket, &receipt, true)).await.unwrap();

    let path = world.db.config().url.trim_start_matches("sqlite://").to_owned();
    let files = std::fs::read_dir(Path::new(&path).parent().unwrap()).unwrap();
    let bytes: Vec<u8> = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);

    assert!(holds(ticket.number.as_bytes()), "the rows are there");
    let words = [
        TEXT,
        "13800001234",
        "请三日内核实。",
        "收费问题应由学校财务答复。",
        "已核实，今后一律自愿报名。",
        "感谢回复。",
    ];
    for word in words {
        assert!(!holds(word.as_bytes()), "{word}");
    }
    for code in [receipt.clone(), receipt.replace('-', "")] {
        assert!(!holds(code.as_bytes()), "the receipt");
    }
    assert!(!holds(guardian.as_bytes()) && !holds(guardian.to_string().as_bytes()), "the complainant");
}
