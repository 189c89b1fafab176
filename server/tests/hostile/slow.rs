//! Those that say nothing, or as good as nothing, and those that do not listen.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::{
    Victim,
    frames::{END_HEADERS, END_STREAM, Kind, POST, PREFACE, frame, header},
    until_closed,
};

const CLOSED_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test]
async fn whoever_says_nothing_or_half_of_it_is_cut_off_within_ten_seconds() {
    let victim = Victim::start(&[]).await;
    let never_ending = frame(Kind::Headers, END_STREAM, 1, POST);
    let beginnings: [&[u8]; 6] = [
        b"",
        b"P",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n",
        b"GET /v1/shows HTTP/1.1\r\nHost: x\r\n",
        // These two are within HTTP/2: they do not answer when they are asked whether they are there.
        PREFACE,
        &[PREFACE, &never_ending].concat(),
    ];
    let each = beginnings.map(|begun| {
        let (begun, address) = (begun.to_vec(), victim.address);
        tokio::spawn(async move {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            stream.write_all(&begun).await.unwrap();
            until_closed(&mut stream, CLOSED_WITHIN + Duration::from_secs(2)).await;
        })
    });
    for one in each {
        one.await.unwrap();
    }
    victim.serves().await;
}

#[tokio::test]
async fn a_byte_at_a_time_is_too_slow() {
    let victim = Victim::start(&[("USHER_LIMITS__PATIENCE_MS", "1000")]).await;
    let headers = [PREFACE, &frame(Kind::Headers, 0, 1, POST)].concat();
    for text in [&b"GET /v1/shows HTTP/1.1\r\nHost: example.com\r\nX: 123456789012345\r\n\r\n"[..], &headers[..20]] {
        let (mut stream, begun) = (victim.connect().await, Instant::now());
        let (mut read, mut write) = stream.split();
        let dripped = async {
            for byte in text {
                if write.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let closed = async {
            let mut byte = [0; 64];
            while !matches!(read.read(&mut byte).await, Ok(0) | Err(_)) {}
        };
        tokio::select! { () = dripped => panic!("it was waited for"), () = closed => {} }
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    }
    victim.serves().await;
}

#[tokio::test]
async fn whoever_does_not_read_his_answers_is_cut_off() {
    let victim = Victim::start(&[("USHER_LIMITS__PATIENCE_MS", "1000")]).await;
    let before = victim.memory();
    let mut stream = victim.connect().await;
    let asked = async {
        loop {
            if stream.write_all(b"GET /v1/openapi.json HTTP/1.1\r\nHost: example.com\r\n\r\n").await.is_err() {
                return;
            }
        }
    };
    assert!(timeout(Duration::from_secs(20), asked).await.is_ok(), "it still writes");
    assert!(victim.memory() < before + (64 << 20));
    victim.serves().await;
}

#[tokio::test]
async fn a_deadline_in_the_past_or_a_message_that_does_not_come_ends_the_call() {
    let victim = Victim::start(&[("USHER_LIMITS__CALL_MS_MAX", "1000")]).await;
    answers_without_message(&victim, &header("grpc-timeout", "0n"), Duration::from_millis(900)).await;
    answers_without_message(&victim, &[], Duration::from_secs(5)).await;
    victim.serves().await;
}

#[tokio::test]
async fn calls_that_are_refused_before_they_end_leave_the_others_of_their_connection_alone() {
    const TOGETHER: u32 = 50;
    const GO_AWAY: u8 = 7;
    let victim = Victim::start(&[]).await;
    let mut stream = victim.connect().await;
    let call = [&[0x83, 0x86][..], &header(":path", "/usher.v1.Inventory/Nothing")].concat();
    stream.write_all(PREFACE).await.unwrap();
    for round in 0..6 {
        // Odd numbers are the client's.
        let numbers = (0..TOGETHER).map(|number| 2 * (round * TOGETHER + number) + 1);
        let begun: Vec<u8> =
            numbers.clone().flat_map(|number| frame(Kind::Headers, END_HEADERS, number, &call)).collect();
        stream.write_all(&begun).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let ended: Vec<u8> = numbers.flat_map(|number| frame(Kind::Data, END_STREAM, number, &[0; 5])).collect();
        stream.write_all(&ended).await.unwrap();
        let (mut answered, mut head) = (0, [0; 9]);
        while answered < TOGETHER {
            timeout(CLOSED_WITHIN, stream.read_exact(&mut head)).await.unwrap().unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let (kind, flags) = (head[3], head[4]);
            assert!(
                kind != GO_AWAY && kind != Kind::Reset as u8,
                "frame {kind} after {} calls",
                round * TOGETHER + answered
            );
            answered += u32::from(kind == Kind::Headers as u8 && flags & END_STREAM != 0);
            stream.read_exact(&mut vec![0; length as usize]).await.unwrap();
        }
    }
    victim.serves().await;
}

#[tokio::test]
async fn a_connection_on_which_nobody_asks_anything_ends_before_its_age() {
    let settings = [("USHER_LIMITS__CONNECTION_UNUSED_MS_MAX", "1000"), ("USHER_LIMITS__CONNECTION_GRACE_MS", "500")];
    let victim = Victim::start(&settings).await;
    let ask = |path: &str| {
        let headers = [&[0x83, 0x86][..], &header(":path", path), &header("content-type", "application/grpc")].concat();
        [frame(Kind::Headers, END_HEADERS, 1, &headers), frame(Kind::Data, END_STREAM, 1, &[0; 5])].concat()
    };
    // To ask how the server is takes no caller.
    let unused = [PREFACE.to_vec(), [PREFACE, &ask("/grpc.health.v1.Health/Check")].concat()];
    for begun in unused {
        let mut stream = victim.connect().await;
        stream.write_all(&begun).await.unwrap();
        until_closed(&mut stream, Duration::from_secs(4)).await;
    }
    let mut used = victim.connect().await;
    used.write_all(&[PREFACE, &ask("/usher.v1.Shows/ListShows")].concat()).await.unwrap();
    let until = Instant::now() + Duration::from_secs(3);
    while let Ok(read) = timeout(until.saturating_duration_since(Instant::now()), used.read(&mut [0; 1_024])).await {
        assert!(read.unwrap() > 0, "it was closed");
    }
    victim.serves().await;
}

/// Begins a call that has this header, sends no message, and waits for headers that end it.
async fn answers_without_message(victim: &Victim, with: &[u8], within: Duration) {
    let mut stream = victim.connect().await;
    let path = header(":path", "/usher.v1.Inventory/GetHold");
    let grpc = header("content-type", "application/grpc");
    let call = frame(Kind::Headers, END_HEADERS, 1, &[&[0x83, 0x86][..], &path, &grpc, with].concat());
    stream.write_all(&[PREFACE, &call].concat()).await.unwrap();
    let (mut answer, mut bytes): (Vec<u8>, _) = (Vec::new(), [0; 4_096]);
    let answered = async {
        while !answer.windows(6).any(|six| six == [1, END_HEADERS | END_STREAM, 0, 0, 0, 1]) {
            let count = stream.read(&mut bytes).await.unwrap();
            assert!(count > 0, "{answer:?}");
            answer.extend(&bytes[..count]);
        }
    };
    timeout(within, answered).await.unwrap();
}
