//! The tables of the feed.

pub mod event {
    use prost_types::Timestamp;
    use sea_orm::entity::prelude::*;

    use crate::db::Error;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "event")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub seq: i64,
        pub id: Uuid,
        pub district_id: Uuid,
        pub subject_id: Uuid,
        pub name: String,
        pub payload: Vec<u8>,
        pub created_at: ChronoDateTimeUtc,
        pub traceparent: String,
        pub position: Option<i64>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Model {
        /// The row as others see it.
        ///
        /// # Errors
        /// [`Error::Inconsistent`] when it has no position.
        pub fn into_message(self) -> Result<proto::feed::v1::Event, Error> {
            let position =
                self.position.ok_or_else(|| Error::inconsistent("event", self.seq, "has no position"))?;
            let nanos = i32::try_from(self.created_at.timestamp_subsec_nanos()).unwrap_or(0);
            Ok(proto::feed::v1::Event {
                id: self.id.to_string(),
                position,
                district_id: self.district_id.to_string(),
                subject_id: self.subject_id.to_string(),
                name: self.name,
                payload: self.payload,
                create_time: Some(Timestamp { seconds: self.created_at.timestamp(), nanos }),
                traceparent: self.traceparent,
            })
        }
    }
}

pub mod sequence {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "feed_sequence")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub last_position: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod cursor {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, DeriveEntityModel)]
    #[sea_orm(table_name = "feed_cursor")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub consumer: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub feed: String,
        pub position: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
