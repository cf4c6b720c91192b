// SPDX-License-Identifier: Apache-2.0
// What runs on a disk that fails: appends to a log and tells what it was promised; and small
// writers with and without care, which show that the disk fails as it should.
//
//   ledger_fault_worker create LOG KEY                   makes a log
//   ledger_fault_worker append LOG KEY COUNTER SEED STEPS THREADS
//                                                        STEPS 0: until killed
//   ledger_fault_worker write KIND FILE                  (see `write_file`)
//   ledger_fault_worker full FOLDER KEY                  a disk of a few MiB that is full, mounted
//   ledger_fault_worker read-only FOLDER KEY             ... that turns read-only
//
// Exit: 0 all done; 3 refused for good, with a sentence that was told; 77 mounting is not allowed
// here; others are faults of the worker itself.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <map>
#include <random>
#include <thread>

#include "fault_run.h"
#include "fault_workload.h"
#include "ledger/ledger.h"
#include "merkle/merkle.h"

namespace fiducia::ledger::test {
namespace {

namespace fs = std::filesystem;
constexpr int attempts_max = 16;
constexpr int refused_for_good = 3;
constexpr int mounting_is_not_allowed = 77;

void tell(const Told& told) {
  if (::write(STDOUT_FILENO, &told, sizeof told) != sizeof told) std::_Exit(97);
}
void tell_text(Told::Kind kind, const std::string& text) {
  Told told{.kind = kind};
  std::strncpy(told.text, text.c_str(), sizeof told.text - 1);
  tell(told);
}

/// What a refusal must say: where, why, and what to do.
void tell_refused(const Error& error) {
  const bool clear = error.code == ErrorCode::io_unwritable && !error.where.file.empty() &&
                     !error.what.empty() && !error.remedy.empty();
  tell_text(clear ? Told::refused : Told::wrong, code_word(error) + ": " + to_sentence(error));
}

void tell_seen(const std::string& note) {
  const auto read = ledger_format::read_note(note);
  const auto checkpoint =
      read ? ledger_format::read_checkpoint(read->text) : std::unexpected(read.error());
  if (!checkpoint) return tell_text(Told::wrong, "A checkpoint cannot be read: " + note);
  tell({.kind = Told::seen, .size = checkpoint->tree_size, .root = checkpoint->root});
}

void tell_acknowledged(const std::vector<ledger_format::Appended>& answers, std::uint64_t counter) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const ledger_format::Appended& answer = answers[i];
    const auto receipt = ledger_format::read_receipt(answer.receipt);
    const auto root = receipt ? merkle::root_from_inclusion(
                                    receipt->leaf_index, receipt->tree_size,
                                    merkle::leaf_hash(counter_entry(counter + i)), receipt->path)
                              : std::unexpected(receipt.error());
    if (!root || receipt->leaf_index != answer.index || receipt->tree_size != answer.tree_size)
      return tell_text(Told::wrong, "A receipt does not hold.");
    tell({.kind = Told::acknowledged,
          .index = answer.index,
          .counter = counter + i,
          .count = 1,
          .size = answer.tree_size,
          .root = *root});
  }
}

/// A log that is opened again when it refuses, as a person who knows nothing would do.
class Appender {
 public:
  Appender(fs::path folder, const fs::path& key_file) : folder_(std::move(folder)) {
    key_pem_ = read_file(key_file, 1 << 16).value();
  }

  [[nodiscard]] bool open() {
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
      auto log = open_small_log(folder_, crypto::PrivateKey::read_pem(as_text(key_pem_)).value());
      if (log) {
        log_.emplace(std::move(*log));
        return true;
      }
      tell_refused(log.error());
    }
    return false;
  }

  /// Appends until it is acknowledged; false when that does not happen.
  [[nodiscard]] bool append(std::uint64_t counter, std::uint64_t count) {
    const std::vector<Bytes> entries = counter_entries(counter, count);
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
      auto answers = log_->append(entries);
      if (answers) {
        tell_acknowledged(*answers, counter);
        return true;
      }
      tell_refused(answers.error());
    }
    return false;
  }

  void look() const {
    tell_seen(log_->checkpoint());
    // What everybody can see, durable or not.
    if (const auto note = read_file(folder_ / "checkpoint", 1 << 16))
      tell_seen(std::string{as_text(*note)});
  }

 private:
  fs::path folder_;
  Bytes key_pem_;
  std::optional<Log> log_;
};

/// Few steps, but each kind: alone, small, past the end of a tile.
std::uint64_t entries_of_step(std::mt19937_64& prng, std::uint64_t step) {
  if (step % 5 == 2) return 200 + prng() % 120;
  return 1 + prng() % 3;
}

int append(const fs::path& folder, const fs::path& key_file, std::uint64_t counter,
           std::uint64_t seed, std::uint64_t steps, unsigned threads) {
  Appender appender{folder, key_file};
  if (!appender.open()) return refused_for_good;
  std::atomic<bool> refused = false;
  const auto work = [&](unsigned thread) {
    std::mt19937_64 prng{seed + thread};
    std::uint64_t next = counter + thread * 1'000'000ULL;
    for (std::uint64_t step = 0; (steps == 0 || step < steps) && !refused; ++step) {
      const std::uint64_t count = entries_of_step(prng, step);
      if (!appender.append(next, count)) refused = true;
      next += count;
      appender.look();
    }
  };
  if (threads <= 1) {
    work(0);
  } else {
    std::vector<std::jthread> running;
    for (unsigned thread = 0; thread < threads; ++thread) running.emplace_back(work, thread);
  }
  return refused ? refused_for_good : 0;
}

int create(const fs::path& folder, const fs::path& key_file) {
  const Bytes pem = read_file(key_file, 1 << 16).value();
  const auto key = crypto::PrivateKey::read_pem(as_text(pem)).value();
  const Status created = Log::create(folder, log_origin, key, log_time);
  if (!created) {
    tell_refused(created.error());
    return refused_for_good;
  }
  tell({.kind = Told::acknowledged});
  return 0;
}

/// Writers that are told apart only by what they sync. Each says `acknowledged` at its end.
int write_file(const std::string& kind, const fs::path& file) {
  const std::string temporary = file.string() + ".new";
  const bool in_place = kind.starts_with("over");
  const int fd = in_place
                     ? ::open(file.c_str(), O_WRONLY | O_CLOEXEC)
                     : ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) return refused_for_good;
  const std::string text(new_text_bytes, 'n');
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = ::write(fd, text.data() + at, std::min<std::size_t>(1000, text.size() - at));
    if (n < 0) return refused_for_good;
    at += static_cast<std::size_t>(n);
  }
  const bool syncs_file = kind.find("file") != std::string::npos;
  const bool syncs_again = kind.find("again") != std::string::npos;
  if (syncs_file && ::fdatasync(fd) != 0 && !(syncs_again && ::fdatasync(fd) == 0))
    return refused_for_good;
  ::close(fd);
  if (!in_place && ::rename(temporary.c_str(), file.c_str()) != 0) return refused_for_good;
  if (kind.find("folder") != std::string::npos && !sync_folder(file.parent_path()))
    return refused_for_good;
  if (kind.find("everything") != std::string::npos) {
    const int folder = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (::syncfs(folder) != 0) return refused_for_good;
    ::close(folder);
  }
  tell({.kind = Told::acknowledged});
  // One more counted call, at which the power can be cut: nothing is behind it.
  const int again = ::open((file.string() + ".end").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  ::close(again);
  return 0;
}

int write_durably(const fs::path& file) {
  const std::string text(new_text_bytes, 'n');
  if (!durable_write(file, as_bytes(text))) return refused_for_good;
  tell({.kind = Told::acknowledged});
  return 0;
}

// --- a disk of its own ---------------------------------------------------------------------------

void expect(bool holds, const std::string& what) {
  if (!holds) tell_text(Told::wrong, what);
}

/// Gives this process a view of the file system of its own, where it may mount; as root of a user
/// namespace where it is not root already.
bool may_mount() {
  if (::unshare(CLONE_NEWNS) == 0)
    return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  const std::string map = "0 " + std::to_string(::getuid()) + " 1";
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  const int fd = ::open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
  const bool mapped = fd >= 0 && ::write(fd, map.data(), map.size()) > 0;
  ::close(fd);
  return mapped;
}

bool mount_disk(const fs::path& folder) {
  return may_mount() && ::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=32m,mode=0755") == 0;
}

/// Takes all the space there is. The disk has room again when the file is gone.
void fill(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  for (const std::string block(4096, 'f'); ::write(fd, block.data(), block.size()) > 0;) {
  }
  ::close(fd);
}

struct OwnDisk {
  fs::path folder;  // of the log
  fs::path filler;
  fs::path key_file;
  ledger_format::VerifierKey vkey = {};
  std::uint64_t counter = 1;
  std::map<std::uint64_t, std::uint64_t> acknowledged = {};  // index to counter

  [[nodiscard]] crypto::PrivateKey key() const {
    return crypto::PrivateKey::read_pem(as_text(read_file(key_file, 1 << 16).value())).value();
  }
  [[nodiscard]] Status append(Log& log, std::uint64_t count) {
    FIDUCIA_TRY(answers, log.append(counter_entries(counter, count)));
    for (const ledger_format::Appended& answer : answers) acknowledged[answer.index] = counter++;
    return {};
  }
  /// What can be read is sound, and as much as `published_min` says of it is there.
  void read(std::uint64_t published_min) const {
    const auto reader = LogReader::open(folder, vkey);
    expect(reader.has_value(), reader ? "" : "reading: " + to_sentence(reader.error()));
    if (!reader) return;
    const LogStatus& now = reader->status();
    expect(now.tree_size >= published_min, "Less can be read than was published.");
    for (const auto& [index, value] : acknowledged) {
      if (index >= now.tree_size) break;
      const auto entry = reader->entry(index);
      const auto path = reader->inclusion_proof(index);
      expect(entry && path && *entry == counter_entry(value) &&
                 merkle::verify_inclusion(index, now.tree_size, merkle::leaf_hash(*entry), *path,
                                          now.root)
                     .has_value(),
             "Entry " + std::to_string(index) + " cannot be read.");
    }
  }
  void check() const {
    read(acknowledged.rbegin()->first + 1);
    const auto check = check_log(folder, vkey);
    expect(check && check->ok, check ? check->text : to_sentence(check.error()));
  }
};

OwnDisk make_disk(const fs::path& folder, const fs::path& key_file) {
  OwnDisk disk{.folder = folder / "log", .filler = folder / "filler", .key_file = key_file};
  const auto key = disk.key();
  disk.vkey = ledger_format::make_vkey(log_origin, ledger_format::NoteKeyType::ed25519,
                                       key.public_key().write_ed25519());
  const Status created = Log::create(disk.folder, log_origin, key, log_time);
  expect(created.has_value(), created ? "" : to_sentence(created.error()));
  return disk;
}

int full_disk(const fs::path& folder, const fs::path& key_file) {
  if (!mount_disk(folder)) return mounting_is_not_allowed;
  OwnDisk disk = make_disk(folder, key_file);
  {
    auto log = open_small_log(disk.folder, disk.key()).value();
    expect(disk.append(log, 300).has_value(), "An append with space is refused.");
    const std::uint64_t before = LogReader::open(disk.folder, disk.vkey)->status().tree_size;
    fill(disk.filler);
    // What the journal has room for may still be acknowledged, but not for ever.
    bool refused = false;
    for (int round = 0; round < 2000 && !refused; ++round) {
      const Status appended = disk.append(log, 100);
      refused = !appended;
      if (refused) tell_refused(appended.error());
    }
    expect(refused, "A full disk was never noticed.");
    expect(!disk.append(log, 1), "A second append on a full disk is not refused.");
    disk.read(before);
    tell_seen(log.checkpoint());
    fs::remove(disk.filler);
    Status appended = disk.append(log, 1);
    for (int attempt = 0; attempt < attempts_max && !appended; ++attempt)
      appended = disk.append(log, 1);
    expect(appended.has_value(), appended ? "" : "space is back: " + to_sentence(appended.error()));
    expect(disk.append(log, 300).has_value(), "Space is back, and not used.");
  }
  disk.check();
  fill(disk.filler);
  if (auto log = open_small_log(disk.folder, disk.key()); !log) tell_refused(log.error());
  disk.check();
  fs::remove(disk.filler);
  auto log = open_small_log(disk.folder, disk.key());
  expect(log && disk.append(*log, 300), "The log does not open again on a disk with space.");
  log = std::unexpected(Error{});  // closes it
  disk.check();
  return 0;
}

int read_only_disk(const fs::path& folder, const fs::path& key_file) {
  if (!mount_disk(folder)) return mounting_is_not_allowed;
  OwnDisk disk = make_disk(folder, key_file);
  {
    auto log = open_small_log(disk.folder, disk.key()).value();
    expect(disk.append(log, 300).has_value(), "An append on a writable disk is refused.");
  }
  const auto remount = [&](unsigned long flags) {
    return ::mount("tmpfs", folder.c_str(), "tmpfs", MS_REMOUNT | flags, "size=32m,mode=0755") == 0;
  };
  if (!remount(MS_RDONLY)) return mounting_is_not_allowed;
  const auto refused = open_small_log(disk.folder, disk.key());
  expect(!refused, "A log on a read-only disk was opened for appending.");
  if (!refused) tell_refused(refused.error());
  const Status created = Log::create(folder / "another", log_origin, disk.key(), log_time);
  expect(!created, "A log was made on a read-only disk.");
  if (!created) tell_refused(created.error());
  disk.check();
  expect(remount(0), "The disk cannot be made writable again.");
  {
    auto log = open_small_log(disk.folder, disk.key());
    expect(log && disk.append(*log, 300), "The log does not open again on a writable disk.");
  }
  disk.check();
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 7 && arguments[0] == "append")
    return append(arguments[1], arguments[2], std::stoull(arguments[3]), std::stoull(arguments[4]),
                  std::stoull(arguments[5]), static_cast<unsigned>(std::stoul(arguments[6])));
  if (arguments.size() == 3 && arguments[0] == "create") return create(arguments[1], arguments[2]);
  if (arguments.size() == 3 && arguments[0] == "write")
    return arguments[1] == "durable_write" ? write_durably(arguments[2])
                                           : write_file(arguments[1], arguments[2]);
  if (arguments.size() == 3 && arguments[0] == "full") return full_disk(arguments[1], arguments[2]);
  if (arguments.size() == 3 && arguments[0] == "read-only")
    return read_only_disk(arguments[1], arguments[2]);
  std::fputs("ledger_fault_worker: see its first lines\n", stderr);
  return 2;
}

}  // namespace
}  // namespace fiducia::ledger::test

int main(int count, char** arguments) {
  return fiducia::ledger::test::run({arguments + 1, arguments + count});
}
