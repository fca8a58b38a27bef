//! The encoder on several threads: chunks are tokenised ahead of their turn, blocks are coded in order.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::LOOK_AHEAD;
use super::block::MAX_TOKENS;
use super::chain::Chains;
use super::chunk::{BEFORE, Chunk, Tokenised};
use super::encoder::Output;
use super::parser::State;
use super::token::Token;

const CHUNK: usize = 1 << 20;
/// Chunks that wait or are worked on, for each thread.
const IN_FLIGHT: u64 = 2;

/// Compresses what is written to it on several threads, with the bytes of [`super::Encoder`].
///
/// The caller's thread works too, and threads of rayon's pool help it as they are free, so nothing waits for a pool
/// that is busy. Memory is bounded, about 12 MiB a thread. [`ParallelEncoder::finish`] must be called; a dropped
/// encoder leaves a truncated member.
pub struct ParallelEncoder<W> {
    output: Output<W>,
    chunk: Chunk,
    /// The number of the chunk that is being filled, and of the one whose turn it is.
    filling: u64,
    turn: u64,
    threads: u64,
    chunk_size: usize,
    shared: Arc<Shared>,
    /// Made when this thread tokenises for the first time.
    chains: Option<Chains>,
    spare: Vec<(Vec<u8>, Vec<Token>)>,
    state: State,
    /// Tokens that fill no block yet.
    tokens: Vec<Token>,
    crc: crc32fast::Hasher,
}

impl<W: Write> ParallelEncoder<W> {
    /// Compresses into `writer` with at most `threads` threads, the caller's among them.
    pub fn new(writer: W, threads: usize) -> Self {
        Self {
            output: Output::new(writer),
            chunk: Chunk { buffer: Vec::new(), origin: 0, start: 0, end: 0, is_last: false, tokens: Vec::new() },
            filling: 0,
            turn: 0,
            threads: threads.max(1) as u64,
            chunk_size: CHUNK,
            shared: Arc::default(),
            chains: None,
            spare: Vec::new(),
            state: State::default(),
            tokens: Vec::new(),
            crc: crc32fast::Hasher::new(),
        }
    }

    /// Ends the member and gives back the writer.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.chunk.is_last = true;
        let length = self.chunk.origin + self.chunk.buffer.len() as u64;
        let chunk = self.next_chunk(length);
        let last = self.filling;
        self.submit(chunk);
        while self.turn <= last {
            self.advance(true)?;
        }
        let (bytes, origin) = (&self.chunk.buffer, self.chunk.origin);
        self.output.close_block(&self.tokens, bytes, origin)?;
        self.output.finish(self.crc.finalize(), length)
    }

    /// Takes the chunk that ends at `end` and starts the next one with what it needs of it.
    fn next_chunk(&mut self, end: u64) -> Chunk {
        let (mut buffer, tokens) = self.spare.pop().unwrap_or_default();
        let origin = end.saturating_sub(BEFORE as u64);
        buffer.extend_from_slice(&self.chunk.buffer[(origin - self.chunk.origin) as usize..]);
        let next = Chunk { buffer, origin, start: end, end, is_last: false, tokens };
        Chunk { end, ..std::mem::replace(&mut self.chunk, next) }
    }

    /// Queues a chunk, and asks for a helper if there may be one more.
    fn submit(&mut self, chunk: Chunk) {
        let mut queue = self.shared.lock();
        queue.chunks.push_back((self.filling, chunk));
        self.filling += 1;
        if queue.helpers + 1 < self.threads {
            queue.helpers += 1;
            let shared = Arc::clone(&self.shared);
            rayon::spawn(move || shared.help());
        }
    }

    /// Does something useful: codes the next chunk if it is ready, else tokenises one that waits, else sleeps until
    /// a helper is done. Returns at once if nothing is ready and `must` is false.
    fn advance(&mut self, must: bool) -> io::Result<bool> {
        let shared = Arc::clone(&self.shared);
        let mut queue = shared.lock();
        loop {
            if let Some(done) = queue.done.remove(&self.turn) {
                drop(queue);
                match done {
                    Ok(tokenised) => self.take(*tokenised)?,
                    Err(panic) => resume_unwind(panic),
                }
                return Ok(true);
            }
            if !must {
                return Ok(false);
            }
            if let Some((number, chunk)) = queue.chunks.pop_front() {
                drop(queue);
                let tokenised = chunk.tokenise(self.chains.get_or_insert_with(Chains::new));
                shared.lock().done.insert(number, Ok(Box::new(tokenised)));
                return Ok(true);
            }
            queue = shared.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Settles the chunk whose turn it is and codes the blocks that it fills.
    fn take(&mut self, mut tokenised: Tokenised) -> io::Result<()> {
        self.state = tokenised.settle(self.state, self.chains.get_or_insert_with(Chains::new));
        self.crc.combine(tokenised.crc());
        self.turn += 1;
        let (bytes, origin) = tokenised.bytes();
        let mut tokens = tokenised.tokens();
        while self.tokens.len() + tokens.len() >= MAX_TOKENS {
            let (head, tail) = tokens.split_at(MAX_TOKENS - self.tokens.len());
            tokens = tail;
            if self.tokens.is_empty() {
                self.output.close_block(head, bytes, origin)?;
                continue;
            }
            self.tokens.extend_from_slice(head);
            self.output.close_block(&self.tokens, bytes, origin)?;
            self.tokens.clear();
        }
        self.tokens.extend_from_slice(tokens);
        let (mut buffer, mut tokens) = tokenised.into_parts();
        buffer.clear();
        tokens.clear();
        self.spare.push((buffer, tokens));
        Ok(())
    }
}

impl<W: Write> Write for ParallelEncoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let full = (self.chunk.start - self.chunk.origin) as usize + self.chunk_size + LOOK_AHEAD;
        let taken = bytes.len().min(full - self.chunk.buffer.len());
        self.chunk.buffer.extend_from_slice(&bytes[..taken]);
        if self.chunk.buffer.len() == full {
            let chunk = self.next_chunk(self.chunk.start + self.chunk_size as u64);
            self.submit(chunk);
            while self.advance(self.filling - self.turn >= IN_FLIGHT * self.threads)? {}
        }
        Ok(taken)
    }

    /// Does nothing: a flush inside the stream would change its bytes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Panic = Box<dyn Any + Send>;

/// What the caller's thread and its helpers share.
#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
}

#[derive(Default)]
struct Queue {
    chunks: VecDeque<(u64, Chunk)>,
    done: BTreeMap<u64, Result<Box<Tokenised>, Panic>>,
    helpers: u64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tokenises chunks until none waits.
    fn help(&self) {
        let mut chains = Chains::new();
        loop {
            let mut queue = self.lock();
            let Some((number, chunk)) = queue.chunks.pop_front() else {
                queue.helpers -= 1;
                return;
            };
            drop(queue);
            let done = catch_unwind(AssertUnwindSafe(|| Box::new(chunk.tokenise(&mut chains))));
            self.lock().done.insert(number, done);
            self.ready.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layer::gzip::Encoder;

    fn compress(input: &[u8], chunk_size: usize) -> Vec<u8> {
        let mut encoder = ParallelEncoder { chunk_size, ..ParallelEncoder::new(Vec::new(), 2) };
        encoder.write_all(input).unwrap();
        encoder.finish().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn chunks_of_any_size_give_the_same_bytes(
            parts in prop::collection::vec((any::<u8>(), 1_usize..40, 1_usize..9_000), 1..40),
            chunk_size in 300_usize..50_000,
        ) {
            // Runs, repetitions of short units, and a byte that changes now and then.
            let input: Vec<u8> = parts.iter().flat_map(|&(byte, period, length)| {
                (0..length).map(move |i| byte ^ (i % period) as u8 ^ u8::from(i % 1021 == 0))
            }).collect();
            let mut sequential = Encoder::new(Vec::new());
            sequential.write_all(&input).unwrap();
            prop_assert!(compress(&input, chunk_size) == sequential.finish().unwrap());
        }
    }
}
