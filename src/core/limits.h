// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>

/// Every limit of Fiducia, with its unit, its reason and the error it raises. "Hostile" limits
/// end in `malformed`: no honest writer comes near them. "Big" limits end in `limit.reached`.
namespace fiducia::limits {

// --- dicom: the reader ---------------------------------------------------------------------
/// Sequences inside sequences. The deepest honest objects (structured reports, functional
/// groups) stay below 20; the peers crash between 242 and 8,000. Hostile: malformed.nesting.
inline constexpr std::uint32_t nesting_depth_max = 64;
/// Elements in one data set, all depths. A 10,000-frame enhanced object has about 2 million.
/// Big: limit.reached. One parsed element costs 64 bytes, so this bounds memory to 256 MiB.
inline constexpr std::uint32_t elements_max = 4'000'000;
/// Items in one data set, all depths. Big: limit.reached.
inline constexpr std::uint32_t items_max = 2'000'000;
/// Bytes an inflated data set may have in memory. Big: limit.reached.
inline constexpr std::uint64_t inflated_bytes_max = 1ULL << 30;
/// Inflating may always yield this much: a segmentation of 500 frames of 512 x 512 bytes, which
/// may be blank and so deflate a thousandfold ...
inline constexpr std::uint64_t inflate_free_bytes = 128ULL << 20;
/// ... and past it at most this many times the input. A blank image reaches 1,000 and is small;
/// a bomb needs both. Big: limit.reached.
inline constexpr std::uint64_t inflate_ratio_max = 128;
/// Fragments of encapsulated Pixel Data. Big: limit.reached.
inline constexpr std::uint32_t fragments_max = 4'000'000;
/// Values of one attribute that are given at once, as numbers or texts; each may take 32 bytes more
/// than it has in the file. The longest honest lists are points of a mesh. Big: limit.reached.
inline constexpr std::uint32_t attribute_values_max = 4'000'000;
/// Bytes read from standard input. Big: limit.reached.
inline constexpr std::uint64_t stream_bytes_max = 4ULL << 30;

// --- work: what one object may cost -----------------------------------------------------------
// Units of about a nanosecond of one core (an AMD EPYC of 2024); docs/performance.md has what was
// measured. What a step costs stands beside the step's own numbers: per byte, sample, look-up.
/// Work for an object of up to work_floor_bytes: two thirds of the two seconds that no file below
/// 1 MB may take, as start-up, parsing and the margin of the figures need the rest. Decodes a
/// mammogram of 24 million samples from JPEG 2000 twice, inflates and hashes a segmentation of 128
/// MiB, compares fifty evidences with a CT slice. Big: limit.reached.
inline constexpr std::uint64_t work_floor = 1'300'000'000;
inline constexpr std::uint64_t work_floor_bytes = 1'000'000;
/// Work for each byte more: JPEG 2000 at 100:1 decoded, at 30 a sample, and once again for a
/// candidate that the store proposes. Real files take below 10.
inline constexpr std::uint64_t work_a_byte = 6'000;
/// Hashing a byte, with its copy into canonical form and the sketch.
inline constexpr std::uint64_t work_a_hashed_byte = 2;
/// Inflating a byte (zlib).
inline constexpr std::uint64_t work_an_inflated_byte = 3;
/// Parsing an element, sorting its leaf, hashing two blocks and more of it, comparing it, reading
/// the copy that holds it. It needs some 600 bytes at sealing, so this bounds memory as well.
inline constexpr std::uint64_t work_an_element = 4'000;
/// A byte of a value, which may be decoded text, or a number brought into normal form.
inline constexpr std::uint64_t work_a_value_byte = 20;
/// A byte of a canonical path: built, sorted, looked up, hashed.
inline constexpr std::uint64_t work_a_path_byte = 8;
/// A Specific Character Set that is not counted with every value; past it, each value that does
/// not decode is hashed behind it.
inline constexpr std::size_t character_set_bytes_free = 256;
/// A frame of any size: its salts, its leaves, its finding.
inline constexpr std::uint64_t work_a_frame = 2'000;
/// A tile of any size: its head block, its salt.
inline constexpr std::uint64_t work_a_tile = 300;
/// A codestream handed to the decoder and back.
inline constexpr std::uint64_t work_a_codestream = 30'000;
/// Reading an evidence and judging its seal: some signatures and certificates.
inline constexpr std::uint64_t work_an_evidence = 2'000'000;

// --- codec: frames --------------------------------------------------------------------------
/// Frames of one object. Big: limit.reached.
inline constexpr std::uint32_t frames_max = 1'000'000;
/// Bytes of one decoded frame (a 32768 x 32768 slide at 8 bits fits). Big: limit.reached.
inline constexpr std::uint64_t frame_bytes_max = 1ULL << 30;
/// Samples of one frame that a decoder in its own process may always be asked for: the largest
/// mammograms, blank ones included. It needs some 10 bytes a sample. Bounds memory. ...
inline constexpr std::uint64_t frame_samples_free = 24ULL << 20;
/// Bytes of a decoded frame of the encodings that are decoded here, which need it twice. ...
inline constexpr std::uint64_t frame_bytes_free = 64ULL << 20;
/// ... and past these, for each byte of the file: JPEG 2000 at 100:1 of 8 bits, blank RLE at 64:1
/// reach half of it. Big: limit.reached.
inline constexpr std::uint64_t frame_samples_a_byte = 128;
/// Bytes of one encoded frame. Big: limit.reached.
inline constexpr std::uint64_t encoded_frame_bytes_max = 1ULL << 30;
/// Time one frame may take in the decoder. Big: codec.failed.
inline constexpr std::uint32_t decode_timeout_ms = 60'000;
/// Time that frames of one object may take the decoder in vain, all together. Big: codec.failed.
inline constexpr std::uint32_t decode_failing_ms_max = 1'000;
/// Processor time in ns that the decoder may take for one object: this much whatever it is asked
/// for, and for each frame so much a unit of its work and a byte of its codestream. The last
/// resort against what cannot be counted, loops that a codestream drives; set by hand, wide enough
/// for all images of the tests. Big: limit.reached.
inline constexpr std::uint64_t decoder_ns_free = 500'000'000;
inline constexpr std::uint64_t decoder_ns_a_unit = 4;
inline constexpr std::uint64_t decoder_ns_a_byte = 1'000;
/// Memory that a JPEG 2000 decoder may need for tiles, code-blocks and packets beside the samples,
/// and for each of these. Blocks of 16 x 16 need three bytes a sample. Big: limit.reached.
inline constexpr std::uint64_t jpeg_2000_bytes_free = 64ULL << 20;
inline constexpr std::uint64_t jpeg_2000_bytes_a_sample = 4;
/// Code-blocks times layers of one such frame, and for each sample: every packet asks every block.
/// Honest frames have a tenth of a visit a sample. Big: limit.reached.
inline constexpr std::uint64_t jpeg_2000_visits_free = 1'000'000;

// --- crypto: CBOR, COSE, certificates -------------------------------------------------------
inline constexpr std::uint32_t cbor_depth_max = 16;
/// Keys of one map in other people's COSE, where order does not rule out duplicates, so each key
/// is compared with all before it. Honest headers have below 20. Hostile: malformed.
inline constexpr std::size_t cbor_foreign_keys_max = 256;
/// Proofs of one kind in one receipt. Ours carry one. Hostile: malformed.
inline constexpr std::size_t cose_proofs_max = 64;
/// Certificates in one x5chain. Hostile: malformed.
inline constexpr std::size_t certificate_chain_max = 8;
inline constexpr std::size_t certificate_bytes_max = 64 << 10;
/// Bytes of one time-stamp token, or of a time-stamp authority's answer; honest ones are below
/// 10 KiB. Hostile: limit.reached, and in evidence malformed.
inline constexpr std::size_t time_stamp_bytes_max = 64 << 10;

// --- store --------------------------------------------------------------------------------------
/// Objects of one page of a listing: 150 KB. usage.invalid where more are asked for.
inline constexpr std::size_t store_page_objects_max = 1'000;
/// Identities that are kept for one caller at once: four batches of `seal`. usage.invalid.
inline constexpr std::size_t store_claims_max = 1'024;
/// Bytes of evidence that are held while a store is checked or moved; one record may be larger.
inline constexpr std::size_t store_pass_bytes_max = 64 << 20;
/// How long a database may take for one answer of the evidence store. busy.
inline constexpr std::uint32_t store_statement_timeout_ms = 30'000;
/// How long a reservation may be held while the ledger takes its entries: a round with witnesses
/// and time-stamps takes a minute at most. Past it the database ends it. io.unwritable.
inline constexpr std::uint32_t store_reservation_ms_max = 300'000;

// --- seal: evidence -------------------------------------------------------------------------
/// Bytes of one evidence: 4 million tiles of 32 bytes and the header. Big: limit.reached.
inline constexpr std::uint64_t evidence_bytes_max = 256ULL << 20;
/// Time-stamps over the checkpoint of one evidence; a trust file asks for one or two. Bounds what a
/// verifier may be made to check. Hostile: malformed.
inline constexpr std::size_t time_stamps_max = 8;
/// Ledger receipts in one evidence; it has one, and one more for each pinned checkpoint or further
/// ledger. Hostile: malformed.
inline constexpr std::size_t evidence_receipts_max = 16;
/// Evidences beside one file, or in the store under its UID, that are read. An object is sealed a
/// few times. Big: limit.reached.
inline constexpr std::size_t object_evidences_max = 64;
/// Bytes of paths of one header that are always allowed, and for each byte of its file: honest
/// ones need three. Sealing has them in memory eight times. Big: limit.reached.
inline constexpr std::uint64_t path_bytes_free = 8ULL << 20;
inline constexpr std::uint64_t path_bytes_a_byte = 8;
/// Tiles of one object, whether or not its samples can be decoded. Big: limit.reached.
inline constexpr std::uint64_t tiles_max = 16'000'000;
/// Tiles of one object whose samples are sealed: the hashes of more have no room in its evidence.
/// An object with more is sealed only if nothing but its encoded frames can be. Big: limit.reached.
inline constexpr std::uint64_t sealed_tiles_max = evidence_bytes_max / 32;
static_assert(sealed_tiles_max * 32 <= evidence_bytes_max && sealed_tiles_max <= tiles_max);
/// Findings listed in a result; the rest is counted in a last one. A page nobody reads to its
/// end, and a way to make a verifier print gigabytes.
inline constexpr std::size_t findings_max = 1'000;
/// Encapsulated Pixel Data inside items (icons): how many are decoded, and the bytes of one as a
/// native value. Part of the canonical form (spec/seal.md 5.3).
inline constexpr std::size_t nested_pixels_max = 64;
inline constexpr std::uint64_t nested_pixel_bytes_max = 1 << 20;
/// Tiles listed in one finding. The box always covers all of them.
inline constexpr std::size_t tiles_listed_max = 4'096;

// --- ledger ---------------------------------------------------------------------------------
/// An entry's length prefix has 16 bits (C2SP tlog-tiles).
inline constexpr std::size_t ledger_entry_bytes_max = 65'535;
/// Signature lines of one note (C2SP signed-note asks for at least 16).
inline constexpr std::size_t note_signatures_max = 64;
inline constexpr std::size_t note_bytes_max = 512 << 10;
/// Hashes of an inclusion path: levels of a tree below 2^64 leaves. malformed.
inline constexpr std::size_t inclusion_path_max = 64;
/// Extra data of a tlog-proof: a line below 64 KiB, which the reference reader takes as well. Big:
/// limit.reached.
inline constexpr std::size_t tlog_proof_extra_bytes_max = 48'000;
/// A tlog-proof: extra data, path and checkpoint. Big: limit.reached.
inline constexpr std::size_t tlog_proof_bytes_max = 640 << 10;
static_assert(tlog_proof_bytes_max >=
              note_bytes_max + tlog_proof_extra_bytes_max * 4 / 3 + inclusion_path_max * 45 + 256);
/// Entries that waiting appends may put into one round together; one append alone may have more.
/// Bounds the memory of a round to some 50 MiB of ordinary entries; the rest waits its turn.
inline constexpr std::size_t ledger_round_entries_max = 65'536;
/// Entries of one round with their length prefixes: what one journal record holds. Big:
/// limit.reached.
inline constexpr std::uint64_t ledger_round_bytes_max = 256ULL << 20;
/// An encoded tree in a journal: 8 partial tiles, a partial bundle and a note.
inline constexpr std::uint64_t ledger_tail_bytes_max = 32ULL << 20;
/// Segments of a journal: the first one, so that opening a log reads little, and the largest, so
/// that a busy log seldom begins a new one. A single round may need a longer one.
inline constexpr std::uint64_t ledger_segment_bytes_min = 256ULL << 10;
inline constexpr std::uint64_t ledger_segment_bytes_max = 32ULL << 20;
/// Rounds that may be acknowledged before their tiles are written; then appends wait.
inline constexpr std::size_t ledger_unpublished_rounds_max = 256;
/// Entries whose index is remembered, so that one that is appended again is found.
inline constexpr std::size_t ledger_remembered_entries_max = 65'536;
/// How far the clock may be behind the newest checkpoint: within this, checkpoints keep its time;
/// past it, nothing is appended. Big: clock.invalid.
inline constexpr std::int64_t ledger_clock_back_seconds_max = 300;
/// How far the clock may be ahead of the newest checkpoint before it has to be confirmed: a wrong
/// year would date seals, and forbid right ones until then. clock.invalid.
inline constexpr std::int64_t ledger_clock_ahead_seconds_max = 24 * 60 * 60;
/// State of a check that can be resumed: the tile rows at the right edge of a tree below 2^64
/// entries are 64 KiB, the origin at most a note's length. Hostile: malformed.check_state.
inline constexpr std::size_t ledger_check_state_bytes_max = 1 << 20;
/// How long opening a log waits for another appender. Big: busy.
inline constexpr std::uint32_t ledger_lock_timeout_ms = 10'000;

// --- ledger: witnesses ----------------------------------------------------------------------
/// Body of an add-checkpoint request, as the reference witness has it: 63 proof lines are below
/// 3 KiB, and a checkpoint with 64 Ed25519 signatures is below 12. Hostile: malformed.request.
inline constexpr std::size_t witness_request_bytes_max = 16 << 10;
/// A consistency proof between sizes below 2^64 (C2SP tlog-witness). Hostile: malformed.request.
inline constexpr std::size_t witness_proof_lines_max = 63;
/// How long a request waits for others of the same log. Big: busy.
inline constexpr std::uint32_t witness_lock_timeout_ms = 10'000;
/// How far the clock may step back behind the last cosignature: what time services do to fix a
/// small drift. Past it the time is not known, and none is signed: clock.invalid.
inline constexpr std::int64_t witness_clock_step_back_seconds_max = 300;
/// How far in the future a cosignature may be for whoever asked for it.
inline constexpr std::int64_t witness_clock_ahead_seconds_max = 300;
/// Files kept about a log that signs two trees of one size, and about proofs that do not hold
/// (which anybody can send); the rest is not kept. Bounds the disk.
inline constexpr std::size_t witness_split_views_max = 256;
inline constexpr std::size_t witness_unproven_max = 64;
/// What a witness may answer: a few signature lines, or a tree size.
inline constexpr std::size_t witness_answer_bytes_max = 64 << 10;
/// Bytes of a witness policy file, and logs, witnesses and groups in it (C2SP tlog-policy asks for
/// at least 32 of each). Big: limit.reached.
inline constexpr std::uint64_t policy_bytes_max = 1 << 20;
inline constexpr std::size_t policy_names_max = 256;

// --- ledger_net: mirrors ------------------------------------------------------------------------
/// What one run of a mirror takes of a log that may be hostile, or endless: entries that are new to
/// the copy (a tree that says more is refused before anything is fetched), bytes that are read of
/// the log, and time. The next run goes on where this one was. Big: limit.reached.
inline constexpr std::uint64_t mirror_run_entries_max = 1ULL << 30;
inline constexpr std::uint64_t mirror_run_bytes_max = 256ULL << 30;
inline constexpr std::uint32_t mirror_run_seconds_max = 24 * 60 * 60;

// --- http: server and client --------------------------------------------------------------------
/// Request line and header fields of one request; of a response, what the client reads. Browsers
/// and proxies send below 8 KiB. Hostile: 431, io.unreadable.
inline constexpr std::uint32_t http_header_bytes_max = 16 << 10;
/// Body of one request, unless a server says otherwise; witnesses get below 64 KiB. Big: 413.
inline constexpr std::uint64_t http_request_bytes_max = 1 << 20;
/// Body of one response, unless a request says otherwise: the largest entry bundle fits (a
/// static_assert in ledger_net). Big: limit.reached.
inline constexpr std::uint64_t http_response_bytes_max = 32ULL << 20;
/// Connections open at once to one server; each takes some 20 KiB, with TLS 50. More wait, or take
/// the place of one that makes no progress.
inline constexpr std::uint32_t http_connections_max = 1'024;
/// The same of one client, so that it cannot keep all others out. Browsers open six. More take the
/// place of the client's own, or are closed.
inline constexpr std::uint32_t http_connections_per_client_max = 256;
static_assert(http_connections_per_client_max < http_connections_max);
/// A request body this long is read over after an early answer, so that the connection can be used
/// again; after more it is closed.
inline constexpr std::uint64_t http_skipped_bytes_max = 64 << 10;
/// Clients whose rate is remembered; some 100 bytes each.
inline constexpr std::size_t http_peers_max = 65'536;

// --- ledger_s3: a log's tiles in S3 -------------------------------------------------------------
/// Access key, secret key or session token of an S3 server, and the file that holds them. Session
/// tokens of AWS reach some 2 KiB. config.invalid.
inline constexpr std::size_t s3_key_bytes_max = 4'096;
inline constexpr std::uint64_t s3_credentials_bytes_max = 64 << 10;
/// What is read of an object whose length nobody promised, and of an error document. An entry
/// bundle has at most 256 x (2 + 65,535) bytes. Big: limit.reached.
inline constexpr std::uint64_t s3_object_bytes_max = 32ULL << 20;
inline constexpr std::uint64_t s3_error_bytes_max = 64 << 10;
/// A version of an object in the server's words; longer ones are not remembered.
inline constexpr std::size_t s3_etag_bytes_max = 256;
/// A list of at most 255 objects, some 500 bytes each.
inline constexpr std::uint64_t s3_list_bytes_max = 1 << 20;
/// An S3 key has at most 1,024 bytes, a log's own path below 64. config.invalid.
inline constexpr std::size_t s3_prefix_bytes_max = 900;
/// Requests of one store at the same time. config.invalid.
inline constexpr unsigned s3_parallel_max = 64;
/// A lock cannot be taken back: a typing error must not cost a bucket for ever. config.invalid.
inline constexpr std::uint32_t s3_lock_days_max = 36'600;
/// Pauses between two tries of a request: random, up to a bound that doubles from here to there.
inline constexpr std::int64_t s3_backoff_first_ms = 100;
inline constexpr std::int64_t s3_backoff_ms_max = 5'000;

// --- ledger_postgres: a log's rounds in PostgreSQL ----------------------------------------------
/// The name of a log in a database. Ours have below 100. usage.invalid.
inline constexpr std::size_t postgres_origin_bytes_max = 1'024;
/// An encoded round; a value of PostgreSQL may have 1 GiB. Big: limit.reached.
inline constexpr std::uint64_t postgres_round_bytes_max = 512ULL << 20;
/// What is taken of one answer: the most that appenders leave unpublished, with room. A database
/// that sends more is taken for hostile. io.unreadable.
inline constexpr std::uint64_t postgres_row_bytes_max = 4ULL << 30;
/// Rounds that are handed to a publisher at once; one more may be.
inline constexpr std::uint64_t postgres_publishing_bytes_max = 64ULL << 20;
/// How long the turn to append may be held without a word: signing a round of the largest size
/// takes below a second. busy.
inline constexpr std::uint32_t postgres_turn_idle_ms_max = 30'000;
/// How long the database may take to answer. busy (it gave up itself), io.unreadable.
inline constexpr std::uint32_t postgres_answer_timeout_ms = 15'000;
/// Published rounds that are kept before the store is synced and they are forgotten. A process
/// that lost its connection finds among them what it had committed; it may wait a second before it
/// connects again, in which others commit over a thousand rounds.
inline constexpr std::uint64_t postgres_kept_rounds_max = 4'096;
inline constexpr std::uint64_t postgres_kept_bytes_max = 8ULL << 20;

// --- home ---
/// Bytes of a pass phrase: what OpenSSL takes. usage.invalid.
inline constexpr std::size_t passphrase_bytes_max = 1'000;

// --- json -----------------------------------------------------------------------------------
/// Bytes of one JSON text, unless its reader is told less. The metadata of a study of a thousand
/// images in the DICOM JSON model (PS3.18 annex F) has some 10 MiB. Big: limit.reached.
inline constexpr std::size_t json_bytes_max = 64 << 20;
/// Values in one JSON text, all depths. One costs below 100 bytes beside its text, twice that while
/// its list grows, so this bounds memory to 200 MiB. Big: limit.reached.
inline constexpr std::size_t json_values_max = 1'000'000;
/// Arrays and objects inside each other: a data set with sequences nested as deep as our reader
/// goes, three brackets each (attribute, "Value", item). Hostile: malformed.nesting.
inline constexpr std::size_t json_nesting_max = 200;
static_assert(json_nesting_max > 3 * nesting_depth_max + 3);

// --- dimse ----------------------------------------------------------------------------------
/// Bytes of an A-ASSOCIATE-RQ or -AC after its header (PS3.8 section 9.3.2). 128 presentation
/// contexts with three transfer syntaxes each have some 13 KB. Hostile: limit.reached.
inline constexpr std::uint32_t dimse_associate_bytes_max = 64 << 10;
/// The longest P-DATA-TF that we ask for and send, after its header (PS3.8 Annex D.1): what comes
/// must fit in memory for each association. Hostile: limit.reached.
inline constexpr std::uint32_t dimse_p_data_bytes_max = 128 << 10;
/// Bytes of one command set (PS3.7 section 6.3). The longest value is a list of UIDs of failed
/// instances: 65 bytes for each of a thousand. Hostile: limit.reached.
inline constexpr std::size_t dimse_command_bytes_max = 128 << 10;
/// Presentation contexts of an association: there are no more odd IDs of one byte.
inline constexpr std::size_t dimse_contexts_max = 128;
/// Connections of one listener, and of one client of it. Past these new ones are closed.
inline constexpr std::uint32_t dimse_connections_max = 1'024;
inline constexpr std::uint32_t dimse_connections_per_client_max = 128;

// --- trust file -----------------------------------------------------------------------------
inline constexpr std::uint64_t trust_file_bytes_max = 4ULL << 20;
/// Dots of one line and open brackets, outside of quotes, in any TOML that is read. No key of ours
/// has a dot, a list of tables written inline has depth 3. Bounds the depth of what the parser
/// builds, and frees by recursion. Hostile: config.invalid.
inline constexpr std::size_t toml_dots_max = 16;
inline constexpr std::size_t toml_nesting_max = 4;

static_assert(mirror_run_bytes_max > 256 * (ledger_entry_bytes_max + 2) + note_bytes_max);
static_assert(s3_object_bytes_max > 256 * (ledger_entry_bytes_max + 2));
static_assert(inflate_free_bytes < inflated_bytes_max);
static_assert(static_cast<std::uint64_t>(nesting_depth_max) < elements_max);
static_assert(postgres_publishing_bytes_max + postgres_round_bytes_max < postgres_row_bytes_max);
static_assert(ledger_check_state_bytes_max > note_bytes_max + (64 << 10));

}  // namespace fiducia::limits
