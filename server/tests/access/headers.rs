//! Whoever says twice who calls has not said it.

use super::*;

#[tokio::test]
async fn two_headers_that_say_who_calls_are_refused_over_grpc_and_http() {
    let mut callers = Callers::new();
    let key = format!("Bearer {}", callers.key(grant(Scope::Read, None, &[])).reveal());
    callers.write();
    let server = start(&callers).await;
    let mut shows = ShowsClient::new(Clients::connect(server.address).await.channel);
    let mut request = Request::new(v1::ListShowsRequest::default());
    request.metadata_mut().append("authorization", key.parse().unwrap());
    shows.list_shows(request).await.unwrap();
    for other in [&key, "Bearer hello", "Basic aGVsbG8="] {
        let mut request = Request::new(v1::ListShowsRequest::default());
        request.metadata_mut().append("authorization", key.parse().unwrap());
        request.metadata_mut().append("authorization", other.parse().unwrap());
        let refused = shows.list_shows(request).await.unwrap_err();
        assert_eq!(reason(&refused).as_deref(), Some("CREDENTIALS_INVALID"), "{other}");
        assert!(refused.message().contains("two `authorization` headers"), "{refused}");
    }
    let address = server.address;
    let http = move || {
        let headers = [("authorization", &*key), ("authorization", "Bearer hello")];
        let http = Http::to(address);
        assert_eq!(http.send("GET", "/v1/shows", &headers[..1], "").status, 200);
        let refused = http.send("GET", "/v1/shows", &headers, "").problem(401, "CREDENTIALS_INVALID");
        assert!(refused.to_string().contains("two `authorization` headers"), "{refused}");
    };
    tokio::task::spawn_blocking(http).await.unwrap();
    server.stop().await;
}
