//! Commands in columns for several shows: they mean what they mean for each.

use usher_proto::v1::{self, command::Command};

use crate::{
    Session, batch,
    columns::{columns, said},
    common::{Clients, local::LocalServer, wire},
    confirm, hold, reason,
};

fn mixed(shows: &[&str], of: &[u32], commands: &[Command]) -> v1::SessionBatch {
    let columns = Some(v1::CommandColumns { shows: of.to_vec(), ..columns(commands) });
    let show_ids = shows.iter().map(|show| (*show).to_owned()).collect();
    v1::SessionBatch { show_ids, columns, tag: 7, ..Default::default() }
}

/// Commands for shows on several shards are answered in their places, and by show in their order; who asks for a show that there
/// is not learns it, and the others are served.
#[tokio::test]
async fn columns_for_several_shows_mean_what_they_mean_one_by_one() {
    let server = LocalServer::start(4).await;
    let mut clients = Clients::connect(server.address).await;
    let shows = ["a", "b", "nowhere", "c", "d", "e"];
    for show in shows.into_iter().filter(|show| *show != "nowhere") {
        clients.shows.create_show(wire::hall(show, 100, 0)).await.unwrap();
    }
    let (mut commands, mut of) = (Vec::new(), Vec::new());
    for id in 1..=200_u32 {
        for (show, _) in [0, 3, 2, 1, 5, 4, 3].into_iter().zip(0..2 + id % 6) {
            let own = show * 1_000 + id;
            let command = if id % 3 == 2 { confirm("", (own - 1).into()) } else { hold("", own.into(), &[own % 97]) };
            commands.push(command);
            of.push(show);
        }
    }
    let mixed = mixed(&shows, &of, &commands);
    let mut session = Session::open(&mut clients).await;
    session.send(vec![mixed.clone(), v1::SessionBatch { tag: 8, ..mixed }]).await;
    let mut received = session.receive(2).await;
    received.sort_by_key(|outcomes| outcomes.tag);
    let [first, again] = received.try_into().unwrap();
    // Each is asked again by itself: what was granted is told again, and what was refused is refused for the same reason.
    let mut others = first.columns.as_ref().unwrap().others.iter();
    let mut kinds = [0; 3];
    for ((code, show), command) in first.columns.as_ref().unwrap().codes.iter().zip(&of).zip(&commands) {
        kinds[usize::from(*code)] += 1;
        let show = shows[*show as usize];
        session.send(vec![batch(9, show, [command.clone()])]).await;
        let mut alone = session.receive(1).await.remove(0);
        let alone = alone.outcomes.pop().map(|outcome| said(&outcome.outcome.unwrap()));
        match (code, alone.as_deref()) {
            (0, Some(alone)) => assert!(!alone.contains("PLACES_TAKEN") && !alone.contains("UNKNOWN"), "{alone}"),
            (1, Some(alone)) => assert!(alone.contains("PLACES_TAKEN"), "{alone}"),
            (_, None) => assert!(said(others.next().unwrap().outcome.as_ref().unwrap()).starts_with("SHOW_UNKNOWN")),
            (_, Some(alone)) => assert_eq!(said(others.next().unwrap().outcome.as_ref().unwrap()), alone),
        }
    }
    assert!(kinds.iter().all(|count| *count > 20), "{kinds:?}");
    assert_eq!(again.columns.unwrap().codes.len(), commands.len());
    server.stop().await;
}

/// What does not belong together is refused as a whole, and says what.
#[tokio::test]
async fn whose_each_command_is_has_to_be_said_once() {
    let (server, mut clients) = LocalServer::with_show(wire::hall("a", 100, 0)).await;
    let mut session = Session::open(&mut clients).await;
    let mixed = mixed(&["a", "nowhere"], &[0, 1, 0], &[hold("", 1, &[1]), hold("", 2, &[2]), confirm("", 1)]);
    type Damage = fn(&mut v1::SessionBatch);
    let damages: [(&str, &str, Damage); 8] = [
        ("shows", "which has 2, one is 2", |batch| batch.columns.as_mut().unwrap().shows[1] = 2),
        ("shows", "must be as many as `kinds`", |batch| batch.columns.as_mut().unwrap().shows.truncate(2)),
        ("shows", "must be as many as `kinds`", |batch| batch.columns.as_mut().unwrap().shows.clear()),
        ("shows", "where there is a `show_id`", |batch| {
            batch.show_id = "a".to_owned();
            batch.show_ids.clear();
        }),
        ("show_ids", "where there is a `show_id`", |batch| batch.show_id = "a".to_owned()),
        ("show_ids", "where there are no `columns`", |batch| batch.columns = None),
        ("show_ids", "must be at most 4096", |batch| batch.show_ids = vec!["a".to_owned(); 4_097]),
        ("show_ids[0]", "show_ids[0]", |batch| batch.show_ids = vec!["no name".to_owned()]),
    ];
    for (field, problem, damage) in damages {
        let mut damaged = mixed.clone();
        damage(&mut damaged);
        session.send(vec![damaged]).await;
        let refused = session.receive(1).await.remove(0).refused.unwrap();
        assert_eq!(refused.metadata.keys().collect::<Vec<_>>(), [field], "{refused:?}");
        assert!(refused.message.contains(problem), "{refused:?}");
    }
    let nowhere = v1::SessionBatch { show_ids: vec!["nowhere".to_owned(); 2], ..mixed.clone() };
    session.send(vec![nowhere]).await;
    assert_eq!(reason(&session.receive(1).await[0]), "SHOW_UNKNOWN");
    session.send(vec![mixed]).await;
    assert_eq!(session.receive(1).await.remove(0).columns.unwrap().codes.to_vec(), [0, 2, 0]);
    server.stop().await;
}
