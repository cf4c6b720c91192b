// SPDX-License-Identifier: Apache-2.0
// A log of a billion entries, by the real code over a store that keeps little: what the sequencer
// would commit is made by `make_round`, what the publisher would write by `apply_round`. Tiles of
// level 2 and above and the tree's edge are kept; tiles of level 0 and 1 and entry bundles are made
// again from the entry generator when somebody reads them (docs/performance.md).
//
//   ledger_simulation [ENTRIES [ROUND]]     1,000,000,000 entries, 60,000 a round
//
// Exit 0: every sampled proof verified. What is printed is Markdown.
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ledger/head.h"
#include "ledger/ledger.h"
#include "ledger/round.h"
#include "ledger_entries.h"
#include "ledger_format/bundle.h"
#include "ledger_format/ledger_format.h"
#include "ledger_format/tree.h"
#include "merkle/merkle.h"
#include "must.h"

namespace fiducia::bench {
namespace {

using namespace ledger;
using namespace ledger_format;
using Stopwatch = std::chrono::steady_clock;
using Count = unsigned long long;

const EntryWriter& entry_writer() {
  static const EntryWriter writer;
  return writer;
}

/// The leaf hashes of entries [first, first + count).
std::vector<Digest> leaf_hashes(std::uint64_t first, std::uint64_t count) {
  constexpr std::size_t leaf_bytes = entry_bytes + 1;  // 00 || entry (RFC 9162 section 2.1.1)
  std::vector<std::byte> raw(count * leaf_bytes);
  std::vector<ByteView> messages(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    entry_writer().write(first + i, raw.data() + i * leaf_bytes + 1);
    messages[i] = {raw.data() + i * leaf_bytes, leaf_bytes};
  }
  std::vector<Digest> leaves(count);
  crypto::sha256_many(messages, leaves);
  return leaves;
}

// --- the store ----------------------------------------------------------------------------------

struct Tally {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  void add(std::uint64_t size) {
    ++objects;
    bytes += size;
  }
};

/// What was written, and is read, in one kind of object.
struct Traffic {
  Tally written_full;
  Tally written_partial;
  Tally kept;  // in the store at the end: full ones, and partial ones that no full one supersedes
  Tally read;
};

/// -1: entry bundles; otherwise the level of a tile.
using KindOfObject = int;

/// Thread safety: reading may be concurrent, but not with writing.
class SparseStore final : public ObjectStore {
 public:
  [[nodiscard]] Result<std::optional<Bytes>> read(const std::string& path,
                                                  std::uint64_t bytes_max) const override {
    FIDUCIA_TRY(found, find(path));
    if (found && found->size() > bytes_max)
      return fail(ErrorCode::over_limit, "is too large.", "", Location{.file = path});
    if (found && path.starts_with("tile/")) {
      const std::lock_guard guard{mutex_};
      traffic_[kind_of(must(read_tile_path(path)))].read.add(found->size());
    }
    return std::move(found);
  }
  [[nodiscard]] std::string name_of(const std::string& path) const override {
    return "simulated:" + path;
  }

  [[nodiscard]] Status create(std::span<const NewObject> objects, Existing /*existing*/) override {
    for (const NewObject& object : objects) {
      FIDUCIA_TRY(address, read_tile_path(object.path));
      const KindOfObject kind = kind_of(address);
      Traffic& traffic = traffic_[kind];
      const bool full = address.width == tile_width;
      (full ? traffic.written_full : traffic.written_partial).add(object.content.size());
      traffic.kept.add(object.content.size());
      if (full) full_[kind] = std::max(full_[kind], address.index + 1);
      if (!full || kind >= level_kept_min) kept_[object.path] = object.content;
    }
    return {};
  }
  [[nodiscard]] Status replace(const std::string& path, ByteView content) override {
    ++replaced_;
    kept_[path] = Bytes{content.begin(), content.end()};
    return {};
  }
  [[nodiscard]] Status remove(std::span<const std::string> paths) override {
    for (const std::string& path : paths) forget(kept_.find(path));
    return {};
  }
  [[nodiscard]] Status remove_partials(const std::string& path) override {
    const std::string prefix = path + ".p/";
    for (auto it = kept_.lower_bound(prefix); it != kept_.end() && it->first.starts_with(prefix);)
      forget(it++);
    return {};
  }
  [[nodiscard]] Status sync() override { return {}; }

  [[nodiscard]] const std::map<KindOfObject, Traffic>& traffic() const { return traffic_; }
  [[nodiscard]] std::uint64_t replaced() const { return replaced_; }
  void forget_reads() {
    for (auto& [kind, traffic] : traffic_) traffic.read = {};
  }
  [[nodiscard]] Tally reads() const {
    Tally all;
    for (const auto& [kind, traffic] : traffic_) {
      all.objects += traffic.read.objects;
      all.bytes += traffic.read.bytes;
    }
    return all;
  }

 private:
  static constexpr KindOfObject level_kept_min = 2;

  static KindOfObject kind_of(const TileAddress& address) {
    return address.level ? static_cast<KindOfObject>(*address.level) : -1;
  }

  void forget(std::map<std::string, Bytes>::iterator place) {
    if (place == kept_.end()) return;
    if (const auto address = read_tile_path(place->first)) {
      Tally& kept = traffic_[kind_of(*address)].kept;
      --kept.objects;
      kept.bytes -= place->second.size();
    }
    kept_.erase(place);
  }

  [[nodiscard]] Result<std::optional<Bytes>> find(const std::string& path) const {
    if (const auto kept = kept_.find(path); kept != kept_.end()) return std::optional{kept->second};
    const auto address = read_tile_path(path);
    if (!address || address->width != tile_width) return std::optional<Bytes>{};
    const KindOfObject kind = kind_of(*address);
    const auto full = full_.find(kind);
    if (full == full_.end() || address->index >= full->second) return std::optional<Bytes>{};
    if (kind == -1) return std::optional{make_bundle(address->index)};
    if (kind == 0) return std::optional{make_leaf_tile(address->index).bytes()};
    Bytes tile;
    for (std::uint64_t i = 0; i < tile_width; ++i)
      append(tile, make_leaf_tile(address->index * tile_width + i).root().view());
    return std::optional{std::move(tile)};
  }
  static TileNodes make_leaf_tile(std::uint64_t index) {
    return TileNodes{leaf_hashes(index * tile_width, tile_width)};
  }
  static Bytes make_bundle(std::uint64_t index) {
    Bytes bundle;
    for (std::uint64_t i = 0; i < tile_width; ++i)
      append_to_bundle(bundle, entry_writer().bytes(index * tile_width + i));
    return bundle;
  }

  std::map<std::string, Bytes> kept_;
  std::map<KindOfObject, std::uint64_t> full_;  // how many full ones of each kind
  std::uint64_t replaced_ = 0;
  mutable std::mutex mutex_;  // guards the `read` of traffic_ while others read
  mutable std::map<KindOfObject, Traffic> traffic_;
};

// --- growing ------------------------------------------------------------------------------------

/// Hands things from one thread to the next; whoever is faster waits.
template <class T>
class Handover {
 public:
  void give(T thing) {
    std::unique_lock guard{mutex_};
    changed_.wait(guard, [&] { return things_.size() < room; });
    things_.push_back(std::move(thing));
    changed_.notify_all();
  }
  T take() {
    std::unique_lock guard{mutex_};
    changed_.wait(guard, [&] { return !things_.empty(); });
    T thing = std::move(things_.front());
    things_.pop_front();
    changed_.notify_all();
    return thing;
  }

 private:
  static constexpr std::size_t room = 2;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<T> things_;
};

/// Entries of one round, made ahead of it.
struct Batch {
  std::uint64_t first = 0;
  std::vector<std::byte> raw;  // one after the other
  std::vector<ByteView> entries;
  std::vector<Digest> leaves;
};

std::unique_ptr<Batch> make_batch(std::uint64_t first, std::uint64_t count) {
  auto batch = std::make_unique<Batch>();
  batch->first = first;
  batch->raw.resize(count * entry_bytes);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::byte* const at = batch->raw.data() + i * entry_bytes;
    entry_writer().write(first + i, at);
    batch->entries.emplace_back(at, entry_bytes);
  }
  batch->leaves = leaf_hashes(first, count);
  return batch;
}

struct Grown {
  Tail tail;
  std::uint64_t rounds = 0;
  std::uint64_t round_bytes = 0;  // what the journal would hold of all rounds
  std::vector<std::pair<std::uint64_t, Digest>> checkpoints;  // size and root, of some rounds
};

/// One thread makes entries, one makes and signs rounds, one writes what they bring.
Grown grow(const LogIdentity& identity, SparseStore& store, std::uint64_t entries,
           std::uint64_t round_entries) {
  Handover<std::unique_ptr<Batch>> batches;
  Handover<std::unique_ptr<Round>> rounds;
  const std::uint64_t round_count = (entries + round_entries - 1) / round_entries;
  const std::jthread generator{[&] {
    for (std::uint64_t at = 0; at < entries; at += round_entries)
      batches.give(make_batch(at, std::min(round_entries, entries - at)));
  }};
  const std::jthread sequencer{[&] {
    Tail tail;
    for (std::uint64_t i = 0; i < round_count; ++i) {
      const auto batch = batches.take();
      auto next = must(make_round(identity, tail, batch->entries, batch->leaves,
                                  UnixTime{1'764'000'000 + static_cast<std::int64_t>(i)}));
      tail = std::move(next.tail);
      rounds.give(std::make_unique<Round>(std::move(next.round)));
    }
  }};
  Grown grown;
  const std::uint64_t keep_every = std::max<std::uint64_t>(1, round_count / 200);
  const auto begin = Stopwatch::now();
  for (std::uint64_t i = 0; i < round_count; ++i) {
    const auto round = rounds.take();
    auto applied = must(apply_round(grown.tail, *round));
    must(sign_record(identity, *applied.tail.record));
    must(store.create(applied.objects, Existing::refuse));
    must(store.replace(signed_root_file, write_root_records({.current = *applied.tail.record,
                                                             .previous = grown.tail.record})));
    must(store.replace(checkpoint_file, as_bytes(applied.tail.note)));
    for (const std::string& path : applied.superseded) must(store.remove_partials(path));
    grown.tail = std::move(applied.tail);
    ++grown.rounds;
    grown.round_bytes += write_round(*round).size();
    if (i % keep_every == 0)
      grown.checkpoints.emplace_back(grown.tail.frontage.size, grown.tail.record->root);
    if (i % 2000 == 1999)
      std::fprintf(stderr, "ledger_simulation: %llu entries, %.0f s\n",
                   static_cast<Count>(grown.tail.frontage.size),
                   std::chrono::duration<double>(Stopwatch::now() - begin).count());
  }
  return grown;
}

// --- proofs -------------------------------------------------------------------------------------

struct ProofFigures {
  std::uint64_t count = 0;
  std::uint64_t hashes_min = UINT64_MAX;
  std::uint64_t hashes_max = 0;
  double hashes_mean = 0;
  double objects_mean = 0;   // read for one proof
  double amplification = 0;  // bytes read for each byte of proof
};

template <class Prove>
ProofFigures measure(SparseStore& store, std::uint64_t count, Prove&& prove) {
  ProofFigures figures{.count = count};
  std::uint64_t hashes = 0;
  store.forget_reads();
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t length = prove(i);
    hashes += length;
    figures.hashes_min = std::min(figures.hashes_min, length);
    figures.hashes_max = std::max(figures.hashes_max, length);
  }
  const Tally reads = store.reads();
  figures.hashes_mean = static_cast<double>(hashes) / static_cast<double>(count);
  figures.objects_mean = static_cast<double>(reads.objects) / static_cast<double>(count);
  figures.amplification = static_cast<double>(reads.bytes) / static_cast<double>(hashes * 32);
  return figures;
}

void print_proofs(const char* what, const ProofFigures& figures) {
  std::printf("| %s | %llu | %llu / %.1f / %llu | %.0f | %.2f | %.1f |\n", what,
              static_cast<Count>(figures.count), static_cast<Count>(figures.hashes_min),
              figures.hashes_mean, static_cast<Count>(figures.hashes_max), 32 * figures.hashes_mean,
              figures.objects_mean, figures.amplification);
}

void measure_proofs(const std::shared_ptr<SparseStore>& store, const VerifierKey& vkey,
                    const Grown& grown) {
  std::mt19937_64 prng{1};
  const std::uint64_t size = grown.tail.frontage.size;
  const Digest root = grown.tail.record->root;
  const auto check_inclusion = [&](const LogReader& reader, std::uint64_t index) {
    const auto path = must(reader.inclusion_proof(index));
    const Digest leaf = merkle::leaf_hash(entry_writer().bytes(index));
    must(merkle::verify_inclusion(index, size, leaf, path, root));
    return static_cast<std::uint64_t>(path.size());
  };
  const auto check_consistency = [&](const LogReader& reader, std::uint64_t i) {
    const auto& [first, first_root] = grown.checkpoints[i % grown.checkpoints.size()];
    const auto proof = must(reader.consistency_proof(first));
    must(merkle::verify_consistency(first, size, first_root, root, proof));
    return static_cast<std::uint64_t>(proof.size());
  };
  const auto open = [&] { return must(LogReader::open(store, vkey)); };

  std::printf(
      "\n| proof | proofs | hashes min / mean / max | bytes mean | objects read for one | bytes "
      "read for one byte of proof |\n|---|---|---|---|---|---|\n");
  print_proofs("inclusion, cold: a new reader for each", measure(*store, 100, [&](std::uint64_t) {
                 return check_inclusion(open(), prng() % size);
               }));
  const LogReader reader = open();
  for (int i = 0; i < 200; ++i) check_inclusion(reader, prng() % size);
  print_proofs("inclusion, warm: one reader, any leaf", measure(*store, 2'000, [&](std::uint64_t) {
                 return check_inclusion(reader, prng() % size);
               }));
  const std::uint64_t newest = std::min<std::uint64_t>(size, 20'000);
  for (int i = 0; i < 1'000; ++i) check_inclusion(reader, size - 1 - prng() % newest);
  print_proofs("inclusion, warm: one of the newest 20,000",
               measure(*store, 2'000, [&](std::uint64_t) {
                 return check_inclusion(reader, size - 1 - prng() % newest);
               }));
  print_proofs("consistency, cold: a new reader for each",
               measure(*store, 100, [&](std::uint64_t i) { return check_consistency(open(), i); }));
  print_proofs("consistency, warm: one reader",
               measure(*store, 200, [&](std::uint64_t i) { return check_consistency(reader, i); }));
  // Entries as well: bundle and leaf tile agree.
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t index = prng() % size;
    if (must(reader.entry(index)) != entry_writer().bytes(index)) stop("an entry differs");
  }
}

// --- the whole run ------------------------------------------------------------------------------

void print_objects(const SparseStore& store, std::uint64_t entries) {
  std::printf(
      "\n| | full | partial ones written on the way | in the store at the end | bytes at the end "
      "| bytes for one entry |\n|---|---|---|---|---|---|\n");
  Tally kept;
  Tally written;
  for (const auto& [kind, traffic] : store.traffic()) {
    const std::string name =
        kind == -1 ? "entry bundles" : "tiles of level " + std::to_string(kind);
    std::printf("| %s | %llu | %llu | %llu | %llu | %.3f |\n", name.c_str(),
                static_cast<Count>(traffic.written_full.objects),
                static_cast<Count>(traffic.written_partial.objects),
                static_cast<Count>(traffic.kept.objects), static_cast<Count>(traffic.kept.bytes),
                static_cast<double>(traffic.kept.bytes) / static_cast<double>(entries));
    kept.objects += traffic.kept.objects;
    kept.bytes += traffic.kept.bytes;
    written.objects += traffic.written_full.objects + traffic.written_partial.objects;
    written.bytes += traffic.written_full.bytes + traffic.written_partial.bytes;
  }
  std::printf("| together | | | %llu | %llu | %.3f |\n", static_cast<Count>(kept.objects),
              static_cast<Count>(kept.bytes),
              static_cast<double>(kept.bytes) / static_cast<double>(entries));
  std::printf(
      "\nWritten in all: %llu objects, %llu bytes; the two small files replaced %llu times.\n",
      static_cast<Count>(written.objects), static_cast<Count>(written.bytes),
      static_cast<Count>(store.replaced()));
}

double mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

std::uint64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

int run(std::uint64_t entries, std::uint64_t round_entries) {
  const LogIdentity identity{"example.org/ledger",
                             std::make_shared<const crypto::PrivateKey>(
                                 must(crypto::PrivateKey::generate(crypto::KeyKind::ed25519)))};
  const auto store = std::make_shared<SparseStore>();
  const auto begin = Stopwatch::now();
  const Grown grown = grow(identity, *store, entries, round_entries);
  const double seconds = std::chrono::duration<double>(Stopwatch::now() - begin).count();
  const std::uint64_t peak_growing = peak_bytes();
  std::printf(
      "%llu entries of %zu bytes in %llu rounds of %llu, in %.0f s (%.0f entries/s); peak "
      "memory %.0f MiB. The journal would have been given %llu bytes. The checkpoint has "
      "%zu bytes.\n",
      static_cast<Count>(entries), entry_bytes, static_cast<Count>(grown.rounds),
      static_cast<Count>(round_entries), seconds, static_cast<double>(entries) / seconds,
      mebibytes(peak_growing), static_cast<Count>(grown.round_bytes), grown.tail.note.size());
  print_objects(*store, entries);
  measure_proofs(store, identity.vkey, grown);
  std::printf(
      "\nEvery proof was verified against the root %s. Peak memory with the proofs: %.0f MiB.\n",
      to_hex(grown.tail.record->root.view()).c_str(), mebibytes(peak_bytes()));
  return 0;
}

}  // namespace
}  // namespace fiducia::bench

int main(int count, char** arguments) {
  const std::uint64_t entries =
      count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1'000'000'000;
  const std::uint64_t round = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 60'000;
  if (entries == 0 || round == 0) fiducia::bench::stop("ENTRIES and ROUND are numbers above 0");
  return fiducia::bench::run(entries, round);
}
