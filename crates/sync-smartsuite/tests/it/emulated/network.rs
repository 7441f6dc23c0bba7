//! The same over real HTTP, where only the network makes a difference.

use std::time::Duration;

use smartsuite_emulator::{Fault, FaultKind, ProfileName, RouteKind, SharedEmulator, serve};
use sync_core::{
    error::CallErrorKind,
    port::{RecordFilter, RecordShape, RecordTarget},
};
use sync_smartsuite::SmartSuiteClient;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::world::{TABLE, World, builder, demo_options};

/// An emulator on a port of its own.
struct Served {
    emulator: SharedEmulator,
    client: SmartSuiteClient,
    shape: RecordShape,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Served {
    async fn new(profile: ProfileName) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut options = demo_options();
        options.base_url = format!("http://{}", listener.local_addr().unwrap());
        options.timeouts.bulk = Duration::from_secs(2);
        let builder = builder(profile).with(|profile| profile.list_lag_ms = 0);
        let emulator = SharedEmulator::new(builder.build().unwrap());
        let (stop, stopped) = oneshot::channel();
        let until = async { drop(stopped.await) };
        let task = tokio::spawn(serve(listener, emulator.clone(), until));
        let client = SmartSuiteClient::new(&options).unwrap();
        let structure = client.structure(TABLE).await.unwrap();
        let fields = ["sextid0001", "title"].map(|slug| structure.field(slug).unwrap().clone());
        let [external_id, _] = fields.clone();
        let shape = RecordShape {
            table: TABLE.to_owned(),
            external_id,
            fields: fields.to_vec(),
            on_create: Vec::new(),
            if_empty: Vec::new(),
        };
        Self { emulator, client, shape, stop, task }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn records_travel_over_real_http() {
    for profile in ProfileName::ALL {
        let served = Served::new(profile).await;
        let (client, shape) = (&served.client, &served.shape);
        let rows: Vec<_> = (0..25).map(|n| World::row(&format!("k{n}"), &[])).collect();
        let records = client.create(shape, &rows).await.unwrap().records;
        assert_eq!(records.len(), 25, "{profile}");
        let filter = RecordFilter::ExternalIds(vec!["k7".to_owned()]);
        let page = client.list(shape, &filter, 0, 25).await.unwrap();
        let found = &page.records[0];
        assert_eq!(found.external_id.as_deref(), Some("k7"), "{profile}");
        let items = [(found.id.clone(), rows[8].clone())];
        let updated = client.update(shape, &items).await.unwrap().records;
        assert_eq!(updated[0].external_id.as_deref(), Some("k8"), "{profile}");
        let named = client.delete(TABLE, std::slice::from_ref(&found.id)).await.unwrap();
        assert_eq!(named, std::slice::from_ref(&found.id), "{profile}");
        assert_eq!(client.get(shape, &found.id).await, Ok(None), "{profile}");
        served.stop().await;
    }
}

#[tokio::test]
async fn what_breaks_on_the_network_is_unanswered() {
    let served = Served::new(ProfileName::Default).await;
    for (n, (fault, expected)) in [
        (FaultKind::Reset, CallErrorKind::Broken),
        (FaultKind::Truncate(20), CallErrorKind::Broken),
        (FaultKind::Never, CallErrorKind::TimedOut),
        (FaultKind::Status(503), CallErrorKind::Server { status: 503 }),
    ]
    .into_iter()
    .enumerate()
    {
        let after = Fault::new(fault).on(&[RouteKind::BulkCreate]).after_the_effect();
        served.emulator.with(|emulator| emulator.add_fault(after));
        let id = format!("k{n}");
        let before = served.emulator.with(|emulator| emulator.counters().requests);
        let error = served.client.create(&served.shape, &[World::row(&id, &[])]).await.unwrap_err();
        assert_eq!(error.kind, expected, "{fault:?}");
        let after = served.emulator.with(|emulator| emulator.counters().requests);
        assert_eq!(after, before + 1, "{fault:?}: sent once");
        let filter = RecordFilter::ExternalIds(vec![id]);
        let page = served.client.list(&served.shape, &filter, 0, 25).await.unwrap();
        assert_eq!(page.records.len(), 1, "{fault:?}: the effect stayed");
    }
    served.stop().await;
}
