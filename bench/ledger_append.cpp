// SPDX-License-Identifier: Apache-2.0
// Durable appends: the ledger beside the disk's own group commit, SQLite and PostgreSQL, with the
// same records from the same number of clients, taking turns in one run (docs/performance.md).
//
//   ledger_append [--folder DIR] [--seconds S] [--rounds N] [--proof-leaves N] [--alone CLIENTS]
//
// --alone measures the ledger alone, with that many clients, to be looked at by a profiler.
// DIR is on the disk to be measured. PostgreSQL takes part when FIDUCIA_POSTGRESQL has a connection
// string; its data must be on the same disk:
//   FIDUCIA_POSTGRESQL_FOLDER=DIR tests/services/postgresql run ledger_append --folder DIR/append
#include <fcntl.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ledger/ledger.h"
#include "ledger_entries.h"
#include "ledger_format/ledger_format.h"
#include "ledger_format/tree.h"
#include "merkle/merkle.h"
#include "must.h"

namespace fiducia::bench {
namespace {

namespace fs = std::filesystem;
using ledger::Log;
using Stopwatch = std::chrono::steady_clock;

const std::string origin = "example.org/ledger";

double seconds_since(Stopwatch::time_point start) {
  return std::chrono::duration<double>(Stopwatch::now() - start).count();
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t status_kib(const char* field) {
  std::FILE* const file = std::fopen("/proc/self/status", "r");
  char line[256];
  std::uint64_t value = 0;
  while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr)
    if (std::string_view{line}.starts_with(field))
      value = std::strtoull(line + std::strlen(field) + 1, nullptr, 10);
  if (file != nullptr) std::fclose(file);
  return value;
}

double quantile(std::vector<double> values, double part) {
  if (values.empty()) return std::nan("");
  const auto place = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place),
                   values.end());
  return values[place];
}
double median(const std::vector<double>& values) { return quantile(values, 0.5); }

// --- what is measured ---------------------------------------------------------------------------

const EntryWriter& entries() {
  static const EntryWriter writer;
  return writer;
}
std::atomic<std::uint64_t> next_number = 1;  // no record is appended twice

/// One client's connection. `append` returns when the records are durable.
class Client {
 public:
  virtual ~Client() = default;
  virtual void append(std::span<const Bytes> records) = 0;
};

class Target {
 public:
  virtual ~Target() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  virtual std::unique_ptr<Client> connect() = 0;
  /// Work that was put off is done, so that it does not fall into another one's time.
  virtual void settle() {}
};

/// A file full of zeroes, all of it on the disk: writing into it changes no metadata.
int open_filled(const fs::path& path, std::uint64_t bytes) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) stop("cannot make " + path.string());
  const std::string zeroes(1 << 20, '\0');
  for (std::uint64_t at = 0; at < bytes; at += zeroes.size())
    if (::pwrite(fd, zeroes.data(), zeroes.size(), static_cast<off_t>(at)) !=
        static_cast<ssize_t>(zeroes.size()))
      stop("cannot fill " + path.string());
  if (::fsync(fd) != 0) stop("cannot sync " + path.string());
  return fd;
}

class Ledger final : public Target {
 public:
  explicit Ledger(const fs::path& folder) {
    const auto key = must(crypto::PrivateKey::generate(crypto::KeyKind::ed25519));
    must(Log::create(folder, origin, key, system_now()));
    auto own = must(crypto::PrivateKey::read_pem(must(key.write_pem())));
    log_ = std::make_unique<Log>(must(Log::open(folder, std::move(own))));
  }
  [[nodiscard]] std::string name() const override { return "Fiducia"; }
  std::unique_ptr<Client> connect() override {
    struct Appender final : Client {
      explicit Appender(Log& shared) : log(shared) {}
      void append(std::span<const Bytes> records) override { must(log.append(records)); }
      Log& log;
    };
    return std::make_unique<Appender>(*log_);
  }
  void settle() override { must(log_->flush()); }
  [[nodiscard]] std::string note() const { return log_->checkpoint(); }

 private:
  std::unique_ptr<Log> log_;
};

/// The plainest group commit there is: whoever finds nobody writing writes for all that wait, one
/// pwrite and one fdatasync into a file filled beforehand. It writes as many bytes for a round of n
/// records as the ledger's journal does, and wakes its clients as the ledger does, one by one.
class GroupCommit final : public Target {
 public:
  GroupCommit(const fs::path& path, std::uint64_t round_overhead_bytes)
      : fd_(open_filled(path, capacity_bytes)), overhead_(round_overhead_bytes) {}
  ~GroupCommit() override { ::close(fd_); }
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;
  [[nodiscard]] std::string name() const override { return "pwrite + fdatasync, grouped"; }
  std::unique_ptr<Client> connect() override {
    struct Writer final : Client {
      explicit Writer(GroupCommit& shared) : group(shared) {}
      void append(std::span<const Bytes> records) override { group.append(records); }
      GroupCommit& group;
    };
    return std::make_unique<Writer>(*this);
  }

 private:
  static constexpr std::uint64_t capacity_bytes = 64 << 20;
  enum class Call : std::uint8_t { none, lead, done };
  struct Request {
    std::span<const Bytes> records;
    std::mutex mutex = {};  // guards call
    std::condition_variable rung = {};
    Call call = Call::none;
    Call wait() {
      std::unique_lock guard{mutex};
      rung.wait(guard, [&] { return call != Call::none; });
      return call;
    }
    void ring(Call what) {
      const std::lock_guard guard{mutex};
      call = what;
      rung.notify_one();
    }
  };

  void append(std::span<const Bytes> records) {
    Request request{.records = records};
    bool leads = false;
    {
      const std::lock_guard guard{mutex_};
      waiting_.push_back(&request);
      leads = !std::exchange(leading_, true);
    }
    if (!leads && request.wait() == Call::done) return;
    std::unique_lock guard{mutex_};
    const std::vector<Request*> round{waiting_.begin(), waiting_.end()};
    waiting_.clear();
    guard.unlock();
    write(round);
    guard.lock();
    leading_ = !waiting_.empty();
    if (leading_) waiting_.front()->ring(Call::lead);
    guard.unlock();
    for (Request* const one : round)
      if (one != &request) one->ring(Call::done);
  }

  void write(const std::vector<Request*>& round) {
    buffer_.assign(overhead_, std::byte{'h'});
    for (const Request* const request : round)
      for (const Bytes& record : request->records) {
        append_be(buffer_, static_cast<std::uint16_t>(record.size()));
        fiducia::append(buffer_, record);
      }
    buffer_.resize((buffer_.size() + 511) / 512 * 512);
    if (offset_ + buffer_.size() > capacity_bytes) offset_ = 0;
    const ssize_t n = ::pwrite(fd_, buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
    if (n != static_cast<ssize_t>(buffer_.size()) || ::fdatasync(fd_) != 0) stop("cannot write");
    offset_ += buffer_.size();
  }

  const int fd_;
  const std::uint64_t overhead_;
  Bytes buffer_;  // owned by the leader, as offset_
  std::uint64_t offset_ = 0;
  std::mutex mutex_;  // guards what follows
  std::deque<Request*> waiting_;
  bool leading_ = false;
};

class Sqlite final : public Target {
 public:
  explicit Sqlite(fs::path path) : path_(std::move(path)) {
    const Connection made{path_};
    made.run("CREATE TABLE entries (number INTEGER PRIMARY KEY, entry BLOB NOT NULL)");
  }
  [[nodiscard]] std::string name() const override {
    return std::string{"SQLite "} + sqlite3_libversion();
  }
  std::unique_ptr<Client> connect() override { return std::make_unique<Connection>(path_); }

 private:
  struct Connection final : Client {
    explicit Connection(const fs::path& path) {
      if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) stop("SQLite does not open");
      sqlite3_busy_timeout(database, 60'000);
      run("PRAGMA journal_mode=WAL");
      run("PRAGMA synchronous=FULL");
    }
    ~Connection() override {
      sqlite3_finalize(insert);
      sqlite3_close(database);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    void run(const char* sql) const {
      if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        stop(std::string{"SQLite: "} + sqlite3_errmsg(database));
    }
    void append(std::span<const Bytes> records) override {
      if (insert == nullptr &&
          sqlite3_prepare_v2(database, "INSERT INTO entries (entry) VALUES (?)", -1, &insert,
                             nullptr) != SQLITE_OK)
        stop(sqlite3_errmsg(database));
      // One statement is one transaction; the write lock is waited for by the busy handler.
      for (const Bytes& record : records) {
        sqlite3_bind_blob(insert, 1, record.data(), static_cast<int>(record.size()), nullptr);
        int result = sqlite3_step(insert);
        while (result == SQLITE_BUSY) {
          sqlite3_reset(insert);
          result = sqlite3_step(insert);
        }
        sqlite3_reset(insert);
        if (result != SQLITE_DONE) stop(sqlite3_errmsg(database));
      }
    }
    sqlite3* database = nullptr;
    sqlite3_stmt* insert = nullptr;
  };
  fs::path path_;
};

class Postgres final : public Target {
 public:
  /// `beside` is on the disk that is measured.
  Postgres(std::string where, const fs::path& beside) : where_(std::move(where)) {
    Connection made{where_};
    struct stat data{};
    struct stat disk{};
    if (::stat(made.run("SHOW data_directory").c_str(), &data) != 0 ||
        ::stat(beside.c_str(), &disk) != 0 || data.st_dev != disk.st_dev)
      stop("PostgreSQL's data are on another disk (set FIDUCIA_POSTGRESQL_FOLDER)");
    made.run("CREATE TABLE IF NOT EXISTS entries (number BIGSERIAL PRIMARY KEY, entry BYTEA)");
    version_ = PQserverVersion(made.connection) / 10'000;
    for (const char* setting : {"fsync", "synchronous_commit", "full_page_writes"})
      if (made.run(std::string{"SHOW "} + setting) != "on")
        stop(std::string{"PostgreSQL runs with "} + setting + " off");
  }
  [[nodiscard]] std::string name() const override {
    return "PostgreSQL " + std::to_string(version_);
  }
  std::unique_ptr<Client> connect() override {
    auto client = std::make_unique<Connection>(where_);
    client->prepare();
    return client;
  }

 private:
  struct Connection final : Client {
    explicit Connection(const std::string& where) : connection(PQconnectdb(where.c_str())) {
      if (PQstatus(connection) != CONNECTION_OK) stop(PQerrorMessage(connection));
    }
    ~Connection() override { PQfinish(connection); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    std::string run(const std::string& sql) const {
      PGresult* const result = PQexec(connection, sql.c_str());
      const ExecStatusType status = PQresultStatus(result);
      if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) stop(PQerrorMessage(connection));
      std::string value = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
      PQclear(result);
      return value;
    }
    void prepare() const {
      PGresult* const result = PQprepare(
          connection, "append", "INSERT INTO entries (entry) VALUES ($1::bytea)", 1, nullptr);
      if (PQresultStatus(result) != PGRES_COMMAND_OK) stop(PQerrorMessage(connection));
      PQclear(result);
    }
    void append(std::span<const Bytes> records) override {
      for (const Bytes& record : records) {
        const char* const value = reinterpret_cast<const char*>(record.data());
        const int length = static_cast<int>(record.size());
        const int format = 1;
        PGresult* const result =
            PQexecPrepared(connection, "append", 1, &value, &length, &format, 0);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) stop(PQerrorMessage(connection));
        PQclear(result);
      }
    }
    PGconn* connection;
  };
  std::string where_;
  int version_ = 0;
};

// --- one measurement ----------------------------------------------------------------------------

struct Sample {
  double rate = 0;          // records a second, until the last answer
  double settled_rate = 0;  // ... until put-off work was done as well
  double cpu_us = 0;        // of this process, for one record
  double p50_us = 0;
  double p99_us = 0;
};

/// `pause_us`: how long a client waits after an answer, on average (exponentially distributed, as
/// for requests that come independently of each other); 0 for clients that never rest.
Sample measure(Target& target, unsigned clients, std::size_t batch, double seconds,
               double pause_us = 0) {
  std::vector<std::unique_ptr<Client>> connections;
  for (unsigned i = 0; i < clients; ++i) connections.push_back(target.connect());
  std::vector<std::vector<double>> latencies(clients);
  std::atomic<bool> over = false;
  std::barrier start{static_cast<std::ptrdiff_t>(clients) + 1};
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < clients; ++i)
    threads.emplace_back([&, i] {
      std::vector<Bytes> records(batch);
      latencies[i].reserve(1 << 16);
      std::minstd_rand prng{i + 1};
      std::exponential_distribution<double> pause{pause_us > 0 ? 1 / pause_us : 1};
      start.arrive_and_wait();
      while (!over.load(std::memory_order_relaxed)) {
        for (Bytes& record : records) record = entries().bytes(next_number.fetch_add(1));
        const auto begin = Stopwatch::now();
        connections[i]->append(records);
        latencies[i].push_back(1e6 * seconds_since(begin));
        if (pause_us > 0)
          std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(pause(prng)));
      }
    });
  const double cpu = cpu_seconds();
  start.arrive_and_wait();
  const auto begin = Stopwatch::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  over = true;
  threads.clear();
  const double took = seconds_since(begin);
  target.settle();
  const double settled = seconds_since(begin);
  std::vector<double> all;
  for (const auto& own : latencies) all.insert(all.end(), own.begin(), own.end());
  const double records = static_cast<double>(all.size() * batch);
  return {.rate = records / took,
          .settled_rate = records / settled,
          .cpu_us = 1e6 * (cpu_seconds() - cpu) / records,
          .p50_us = quantile(all, 0.5),
          .p99_us = quantile(all, 0.99)};
}

/// Microseconds of `count` times pwrite of one block and fdatasync, one after the other.
std::vector<double> measure_fsync(int fd, std::size_t count) {
  std::vector<double> latencies;
  const std::string block(512, 'b');
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = Stopwatch::now();
    if (::pwrite(fd, block.data(), block.size(), static_cast<off_t>(i % 1024 * block.size())) < 0 ||
        ::fdatasync(fd) != 0)
      stop("cannot sync");
    latencies.push_back(1e6 * seconds_since(begin));
  }
  return latencies;
}

/// Bytes of a round's record in the journal beside its entries, before rounding up to blocks.
std::uint64_t round_overhead(const std::string& note) {
  ledger::Round round;
  round.entries.resize(1);
  round.note = note;
  constexpr std::uint64_t record_header_bytes = 64;
  return record_header_bytes + ledger::write_round(round).size() - 1;
}

// --- tables -------------------------------------------------------------------------------------

struct Cell {
  std::vector<double> rate, settled, cpu, p50, p99;
  void add(const Sample& sample) {
    rate.push_back(sample.rate);
    settled.push_back(sample.settled_rate);
    cpu.push_back(sample.cpu_us);
    p50.push_back(sample.p50_us);
    p99.push_back(sample.p99_us);
  }
};

std::string spread(const std::vector<double>& values) {
  char text[96];
  const auto [low, high] = std::ranges::minmax(values);
  std::snprintf(text, sizeof text, "%.0f (%.0f to %.0f)", median(values), low, high);
  return text;
}

/// A load that is measured for each target.
struct Load {
  unsigned clients;
  bool pauses;
  auto operator<=>(const Load&) const = default;
};
constexpr std::array loads{Load{1, false}, Load{8, false}, Load{64, false}, Load{64, true}};
constexpr double paused_rate = 4'000;  // appends a second of all clients, if answers took no time

std::string name_of(const Load& load) {
  std::string name = std::to_string(load.clients) + (load.clients == 1 ? " client" : " clients");
  if (load.pauses)
    name += " that pause, about " + std::to_string(std::lround(paused_rate)) + " appends a second";
  return name;
}

void print_appends(const std::vector<std::unique_ptr<Target>>& targets,
                   std::map<std::pair<Load, std::size_t>, Cell>& cells,
                   const std::vector<double>& fsyncs) {
  const double fsync_us = median(fsyncs);
  const double slow_fsync_us = quantile(fsyncs, 0.99);
  for (const Load& load : loads) {
    std::printf("\n**%s, one entry of %zu bytes an append**\n\n", name_of(load).c_str(),
                entry_bytes);
    std::printf(
        "| | appends/s | p50 us | p99 us | p99 in fsyncs | in p99 of fsyncs | Fiducia is |\n");
    std::printf("|---|---|---|---|---|---|---|\n");
    const double ours = median(cells[{load, 0}].rate);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const Cell& cell = cells[{load, i}];
      std::printf("| %s | %s | %.0f | %.0f | %.2f | %.2f | %.2f x |\n", targets[i]->name().c_str(),
                  spread(cell.rate).c_str(), median(cell.p50), median(cell.p99),
                  median(cell.p99) / fsync_us, median(cell.p99) / slow_fsync_us,
                  ours / median(cell.rate));
    }
  }
}

// --- inclusion proofs ---------------------------------------------------------------------------

/// Times proofs from the files of a log of `leaves` entries, all of them in the page cache.
void measure_proofs(const fs::path& folder, std::uint64_t leaves) {
  fs::create_directories(folder);
  ledger::DirectoryStore store{folder};
  ledger_format::Frontage frontage;
  Digest root;
  constexpr std::uint64_t round_leaves = 65'536;
  while (frontage.size < leaves) {
    const std::uint64_t count = std::min(round_leaves, leaves - frontage.size);
    std::vector<Digest> hashes(count);
    std::vector<std::byte> raw(count * (entry_bytes + 1));
    std::vector<ByteView> messages(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      std::byte* const at = raw.data() + i * (entry_bytes + 1);  // 00 and the entry: the leaf
      entries().write(frontage.size + i, at + 1);
      messages[i] = {at, entry_bytes + 1};
    }
    crypto::sha256_many(messages, hashes);
    const ledger_format::GrownTree tree{frontage, hashes};
    std::vector<ledger::NewObject> objects;
    for (auto& file : tree.changed_files())
      objects.push_back({.path = tile_path(file.address), .content = std::move(file.content)});
    must(store.create(objects, ledger::Existing::refuse));
    frontage = tree.after();
    root = tree.root();
  }
  const auto key = must(crypto::PrivateKey::generate(crypto::KeyKind::ed25519));
  const std::string text = ledger_format::write_checkpoint(
      {.origin = origin, .tree_size = leaves, .root = root, .extensions = {}});
  must(store.replace("checkpoint", as_bytes(must(ledger_format::write_note(text, origin, key)))));
  const auto reader = must(ledger::LogReader::open(
      folder, ledger_format::make_vkey(origin, ledger_format::NoteKeyType::ed25519,
                                       key.public_key().write_ed25519())));
  std::mt19937_64 prng{1};
  const auto timed = [&](std::size_t count, std::uint64_t range) {
    std::vector<double> times;
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t index = leaves - 1 - prng() % range;
      const auto begin = Stopwatch::now();
      const auto path = reader.inclusion_proof(index);
      times.push_back(1e6 * seconds_since(begin));
      const Digest leaf = merkle::leaf_hash(entries().bytes(index));
      if (!path || !merkle::verify_inclusion(index, leaves, leaf, *path, root)) ++wrong;
    }
    if (wrong != 0) stop("a proof does not verify");
    return times;
  };
  timed(5'000, leaves);
  const std::uint64_t before = status_kib("VmRSS:");
  const auto anywhere = timed(50'000, leaves);
  const std::uint64_t after = status_kib("VmRSS:");
  timed(5'000, 256 * 100);
  const auto recent = timed(50'000, 256 * 100);
  std::printf("\n**Inclusion proofs over %llu leaves, from the tiles of a directory**\n\n",
              static_cast<unsigned long long>(leaves));
  std::printf("| | median us | p99 us |\n|---|---|---|\n");
  std::printf("| any leaf (its tile is read and checked) | %.1f | %.1f |\n", median(anywhere),
              quantile(anywhere, 0.99));
  std::printf("| one of the newest 25,600 (its tile is in memory) | %.1f | %.1f |\n",
              median(recent), quantile(recent, 0.99));
  std::printf(
      "\nResident memory: %.1f MiB before, %.1f MiB after the 50,000 proofs of any leaf; "
      "each was verified.\n",
      static_cast<double>(before) / 1024, static_cast<double>(after) / 1024);
}

// --- the whole run ------------------------------------------------------------------------------

struct Options {
  fs::path folder = "ledger-append";
  double seconds = 1.0;
  unsigned rounds = 5;
  std::uint64_t proof_leaves = 10'000'000;
  unsigned alone = 0;
};

Options read_options(int count, char** arguments) {
  Options options;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = arguments[i];
    const std::string value = arguments[i + 1];
    if (name == "--folder")
      options.folder = value;
    else if (name == "--seconds")
      options.seconds = std::stod(value);
    else if (name == "--rounds")
      options.rounds = static_cast<unsigned>(std::stoul(value));
    else if (name == "--proof-leaves")
      options.proof_leaves = std::stoull(value);
    else if (name == "--alone")
      options.alone = static_cast<unsigned>(std::stoul(value));
    else
      stop("no option is called " + name);
  }
  return options;
}

int run(const Options& options) {
  fs::remove_all(options.folder);
  fs::create_directories(options.folder);
  std::vector<std::unique_ptr<Target>> targets;
  auto own = std::make_unique<Ledger>(options.folder / "ledger");
  Ledger& ledger = *own;
  const std::uint64_t overhead = round_overhead(ledger.note());
  if (options.alone > 0) {
    const Sample sample = measure(ledger, options.alone, 1, options.seconds);
    std::printf("%.0f entries/s, %.1f CPU us for one, p50 %.0f us, p99 %.0f us\n", sample.rate,
                sample.cpu_us, sample.p50_us, sample.p99_us);
    own.reset();
    fs::remove_all(options.folder);
    return 0;
  }
  targets.push_back(std::move(own));
  targets.push_back(std::make_unique<GroupCommit>(options.folder / "grouped", overhead));
  targets.push_back(std::make_unique<Sqlite>(options.folder / "entries.db"));
  if (const char* const where = std::getenv("FIDUCIA_POSTGRESQL"))
    targets.push_back(std::make_unique<Postgres>(where, options.folder));
  const int plain = open_filled(options.folder / "plain", 1 << 20);

  std::vector<double> fsyncs, fsync_medians;
  std::map<std::pair<Load, std::size_t>, Cell> cells;
  std::map<unsigned, Cell> batches;
  constexpr std::size_t batch = 256;
  for (unsigned round = 0; round <= options.rounds; ++round) {
    const bool warm_up = round == 0;
    const double seconds = warm_up ? 0.2 : options.seconds;
    for (const Load& load : loads) {
      const auto measured = measure_fsync(plain, 150);
      if (!warm_up) fsyncs.insert(fsyncs.end(), measured.begin(), measured.end());
      if (!warm_up) fsync_medians.push_back(median(measured));
      for (std::size_t i = 0; i < targets.size(); ++i) {
        const double pause_us = load.pauses ? 1e6 * load.clients / paused_rate : 0;
        const Sample sample = measure(*targets[i], load.clients, 1, seconds, pause_us);
        if (!warm_up) cells[{load, i}].add(sample);
      }
    }
    for (const unsigned clients : {1U, 8U}) {
      const Sample sample = measure(ledger, clients, batch, seconds);
      if (!warm_up) batches[clients].add(sample);
    }
    std::fprintf(stderr, "ledger_append: round %u of %u\n", round, options.rounds);
  }
  ::close(plain);

  const double fsync_us = median(fsyncs);
  std::printf(
      "fsync: pwrite of 512 bytes into a file filled beforehand and fdatasync, one client: "
      "median %.0f us, p99 %.0f us, %.0f a second; medians of its %zu turns %s us\n",
      fsync_us, quantile(fsyncs, 0.99), 1e6 / fsync_us, fsync_medians.size(),
      spread(fsync_medians).c_str());
  std::printf("A round of n entries writes %llu + 78 n bytes, rounded up to 512, and syncs once.\n",
              static_cast<unsigned long long>(overhead));
  print_appends(targets, cells, fsyncs);
  std::printf(
      "\n**Fiducia: work for one entry**\n\n| | entries/s | until published as well | p50 us "
      "| p99 us | CPU us for one entry | entries/s for one busy core |\n"
      "|---|---|---|---|---|---|---|\n");
  const auto print_work = [](const std::string& what, const Cell& cell) {
    std::printf("| %s | %s | %s | %.0f | %.0f | %.1f | %.0f |\n", what.c_str(),
                spread(cell.rate).c_str(), spread(cell.settled).c_str(), median(cell.p50),
                median(cell.p99), median(cell.cpu), 1e6 / median(cell.cpu));
  };
  for (const unsigned clients : {1U, 8U, 64U})
    print_work(std::to_string(clients) + " clients, 1 entry an append",
               cells[{Load{clients, false}, 0}]);
  for (const auto& [clients, cell] : batches)
    print_work(std::to_string(clients) + " clients, 256 entries an append", cell);
  targets.clear();
  if (options.proof_leaves > 0) measure_proofs(options.folder / "proofs", options.proof_leaves);
  fs::remove_all(options.folder);
  return 0;
}

}  // namespace
}  // namespace fiducia::bench

int main(int count, char** arguments) {
  return fiducia::bench::run(fiducia::bench::read_options(count, arguments));
}
