// SPDX-License-Identifier: Apache-2.0
// How fast `ledger check` is against the hashing alone, and that its memory does not grow.
//
//   ledger_check [FOLDER] [ENTRIES ...]    default: the temporary folder, 1,000,000 10,000,000
//
// Makes a log of that many entries once (some 120 bytes an entry on disk), straight from its
// tiles. The limit is the same leaf and node hashes over entries that lie in memory, with the same
// hashers and as many threads. Every measurement is a process of its own, so that its peak memory
// is its own.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>

#include "ledger/ledger.h"
#include "ledger_format/bundle.h"
#include "ledger_format/ledger_format.h"
#include "ledger_format/tree.h"
#include "merkle/merkle.h"
#include "must.h"

using namespace fiducia;
using namespace fiducia::ledger;
using namespace fiducia::ledger_format;

namespace {

namespace fs = std::filesystem;
using bench::stop;

constexpr int runs = 5;
constexpr std::uint64_t chunk_entries = 1 << 16;
constexpr std::uint64_t limit_entries_max = 1'000'000;  // in memory at a time, 80 MB

/// As long as a real one (spec/seal.md).
Bytes entry_of(std::uint64_t i) {
  Entry entry;
  entry.claimed_at.seconds = static_cast<std::int64_t>(1'764'000'000 + i / 20);
  store_be(entry.sign1_hash.bytes.data(), i);
  return write_entry(entry);
}

void write_plain(const fs::path& path, ByteView bytes) {
  std::ofstream file{path, std::ios::binary};
  if (!file) {
    fs::create_directories(path.parent_path());
    file.open(path, std::ios::binary);
  }
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) stop("cannot write " + path.string());
}

void write_partial(const fs::path& folder, std::optional<unsigned> level, std::uint64_t size,
                   const Bytes& content) {
  const std::uint64_t hashes = shifted_right(size, tile_height * level.value_or(0));
  if (hashes % tile_width == 0) return;
  write_plain(folder / tile_path({.level = level,
                                  .index = hashes / tile_width,
                                  .width = static_cast<unsigned>(hashes % tile_width)}),
              content);
}

void make_log(const fs::path& folder, std::uint64_t size) {
  auto key = crypto::PrivateKey::generate(crypto::KeyKind::ed25519);
  if (!key) stop("no key");
  Frontage frontage;
  Digest root;
  Bytes bundle;
  while (frontage.size < size) {
    const std::uint64_t count = std::min(chunk_entries, size - frontage.size);
    std::vector<Bytes> entries;
    for (std::uint64_t i = 0; i < count; ++i) entries.push_back(entry_of(frontage.size + i));
    const std::vector<ByteView> views{entries.begin(), entries.end()};
    std::vector<Digest> leaves(views.size());
    merkle::leaf_hashes(views, leaves);
    for (std::uint64_t i = 0; i < count; ++i) {
      append_to_bundle(bundle, entries[i]);
      const std::uint64_t next = frontage.size + i + 1;
      if (next % tile_width != 0) continue;
      write_plain(folder / tile_path({.level = {}, .index = next / tile_width - 1}), bundle);
      bundle.clear();
    }
    const GrownTree tree{frontage, leaves};
    for (const GrownTree::File& file : tree.changed_files())
      if (file.address.width == tile_width)
        write_plain(folder / tile_path(file.address), file.content);
    frontage = tree.after();
    root = tree.root();
  }
  write_partial(folder, std::nullopt, size, bundle);
  for (unsigned level = 0; level < frontage.levels.size(); ++level) {
    Bytes content;
    for (const Digest& hash : frontage.hashes(level)) append(content, hash.view());
    write_partial(folder, level, size, content);
  }
  const std::string name = "bench.example/ledger";
  const auto note = write_note(
      write_checkpoint({.origin = name, .tree_size = size, .root = root, .extensions = {}}), name,
      *key);
  if (!note) stop("no note");
  write_plain(folder / "log.vkey",
              as_bytes(write_vkey(
                  make_vkey(name, NoteKeyType::ed25519, key->public_key().write_ed25519()))));
  write_plain(folder / "checkpoint", as_bytes(*note));  // last: a log is there when this is
}

struct Measured {
  double seconds = 0;
  double peak_mib = 0;
};

/// Runs `work` in a process of its own; it returns the seconds that count.
Measured in_child(const std::function<double()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) stop("no pipe");
  const pid_t child = ::fork();
  if (child < 0) stop("no process");
  if (child == 0) {
    const double seconds = work();
    ::_exit(::write(ends[1], &seconds, sizeof seconds) == sizeof seconds ? 0 : 1);
  }
  ::close(ends[1]);
  Measured measured;
  const bool answered =
      ::read(ends[0], &measured.seconds, sizeof measured.seconds) == sizeof measured.seconds;
  ::close(ends[0]);
  int status = 0;
  struct rusage usage = {};
  if (::wait4(child, &status, 0, &usage) != child || status != 0 || !answered)
    stop("a measurement failed");
  measured.peak_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  return measured;
}

double timed(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double check_once(const fs::path& folder, std::uint64_t size) {
  const auto vkey_text = read_file(folder / "log.vkey", 4096);
  if (!vkey_text) stop("no log.vkey");
  const auto key = read_vkey(as_text(*vkey_text));
  if (!key) stop("log.vkey");
  return timed([&] {
    const auto check = check_log(folder, *key);
    if (!check || !check->ok || check->entries_checked != size) stop("the log is not intact");
  });
}

double hash_once(std::uint64_t size) {
  const std::uint64_t held = std::min(size, limit_entries_max) / tile_width * tile_width;
  Bytes bytes;
  for (std::uint64_t i = 0; i < held; ++i) append(bytes, entry_of(i));
  const std::size_t length = bytes.size() / held;
  std::vector<ByteView> entries;
  for (std::uint64_t i = 0; i < held; ++i)
    entries.push_back(ByteView{bytes}.subspan(i * length, length));
  const std::uint64_t bundles = size / tile_width;
  return timed([&] {
    std::vector<Digest> roots(bundles);
    // 32 bundles at a time, as the check does.
    parallel_for((bundles + 31) / 32, worker_count(), [&](std::size_t batch, unsigned) {
      std::vector<Digest> leaves(tile_width);
      for (std::uint64_t i = batch * 32; i < std::min<std::uint64_t>(bundles, batch * 32 + 32);
           ++i) {
        const std::size_t first = i * tile_width % held;
        merkle::leaf_hashes(std::span{entries}.subspan(first, tile_width), leaves);
        roots[i] = merkle::root(leaves);
      }
    });
    volatile std::byte kept = merkle::root(roots).bytes[0];
    static_cast<void>(kept);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path base = argc > 1 ? fs::path{argv[1]} : fs::temp_directory_path();
  std::vector<std::uint64_t> sizes;
  for (int i = 2; i < argc; ++i) sizes.push_back(std::strtoull(argv[i], nullptr, 10));
  if (sizes.empty()) sizes = {1'000'000, 10'000'000};
  std::printf("%u threads; best of %d runs, checks and hashing in turn\n", worker_count(), runs);
  std::printf("   entries      MB   check s    MB/s   hashing s   hashing/check   peak MiB\n");
  for (const std::uint64_t size : sizes) {
    if (size < tile_width) stop("at least 256 entries");
    const fs::path folder = base / ("fiducia-ledger-check-" + std::to_string(size));
    // In a process of its own as well: what it used would count as its children's memory.
    if (!fs::exists(folder / "checkpoint"))
      static_cast<void>(in_child([&] { return timed([&] { make_log(folder, size); }); }));
    const double mb = static_cast<double>(size) *
                      static_cast<double>(entry_of(size - 1).size() + 2 + sizeof(Digest)) / 1e6;
    static_cast<void>(in_child([&] { return check_once(folder, size); }));  // warms the page cache
    Measured check{.seconds = 1e9};
    Measured hashing{.seconds = 1e9};
    for (int run = 0; run < runs; ++run) {
      const Measured checked = in_child([&] { return check_once(folder, size); });
      const Measured hashed = in_child([&] { return hash_once(size); });
      check.seconds = std::min(check.seconds, checked.seconds);
      check.peak_mib = std::max(check.peak_mib, checked.peak_mib);
      hashing.seconds = std::min(hashing.seconds, hashed.seconds);
    }
    std::printf("%10llu %7.0f %9.3f %7.0f %11.3f %15.2f %10.1f\n",
                static_cast<unsigned long long>(size), mb, check.seconds, mb / check.seconds,
                hashing.seconds, hashing.seconds / check.seconds, check.peak_mib);
    std::fflush(stdout);
  }
  return 0;
}
