// SPDX-License-Identifier: Apache-2.0
// Look-ups in the evidence store with synthetic sketches: SQLite, and beside it PostgreSQL, in
// turn.
//   store_bench FILE RECORDS [EVIDENCE_BYTES [CONNECTION]]
// FILE, and the database, may be there from an earlier run with the same figures: then nothing is
// put. The tables of sketches are filled by SQL, in the order of their key.
#include <sqlite3.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "crypto/crypto.h"
#include "must.h"
#include "postgres/postgres.h"
#include "store/store.h"
#include "store_postgres/store_postgres.h"

using namespace fiducia;
using bench::must;
using bench::stop;

namespace {

constexpr int runs = 2'000;
constexpr std::uint64_t strangers = 1'000'000'000;  // numbers from here on are not stored

store::Record record_of(std::uint64_t number, std::size_t evidence_bytes, int values = 32) {
  store::Record record;
  record.sop_instance_uid = "1.2.826.0.1.3680043.10.1." + std::to_string(number);
  record.study_instance_uid = record.sop_instance_uid.substr(0, record.sop_instance_uid.size() - 2);
  record.series_instance_uid = record.study_instance_uid + ".1";
  std::mt19937_64 prng{number};
  for (std::size_t i = 0; i < 32; i += 8) store_le(record.object_root.bytes.data() + i, prng());
  for (int i = 0; i < values; ++i) record.sketch.values.push_back(prng());
  std::ranges::sort(record.sketch.values);
  record.sketch.textured_tiles = 50;
  record.evidence.assign(evidence_bytes, static_cast<std::byte>(number));
  return record;
}

/// A row of the sketch table.
struct SketchRow {
  std::int64_t value;
  std::int64_t object;
  auto operator<=>(const SketchRow&) const = default;
};

/// Of all records, in the order of the table's key: put one after the other, each of a million
/// objects would change 32 pages of the index.
std::vector<SketchRow> sketch_rows(std::uint64_t records) {
  std::vector<SketchRow> rows;
  rows.reserve(records * 32);
  for (std::uint64_t number = 0; number < records; ++number)
    for (const std::uint64_t value : record_of(number, 0).sketch.values)
      rows.push_back({std::bit_cast<std::int64_t>(value), static_cast<std::int64_t>(number) + 1});
  std::ranges::sort(rows);
  return rows;
}

void check_sqlite(sqlite3* database, int answer) {
  if (answer != SQLITE_OK && answer != SQLITE_DONE) stop(sqlite3_errmsg(database));
}

void fill_sqlite(const std::string& path, std::span<const SketchRow> rows) {
  sqlite3* database = nullptr;
  check_sqlite(database, sqlite3_open(path.c_str(), &database));
  const auto run = [&](const char* sql) {
    check_sqlite(database, sqlite3_exec(database, sql, nullptr, nullptr, nullptr));
  };
  run("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN");
  sqlite3_stmt* insert = nullptr;
  check_sqlite(database,
               sqlite3_prepare_v2(database, "INSERT INTO sketch (value, object) VALUES (?, ?)", -1,
                                  &insert, nullptr));
  for (const SketchRow& row : rows) {
    sqlite3_bind_int64(insert, 1, row.value);
    sqlite3_bind_int64(insert, 2, row.object);
    check_sqlite(database, sqlite3_step(insert));
    sqlite3_reset(insert);
  }
  sqlite3_finalize(insert);
  run("COMMIT; PRAGMA wal_checkpoint(TRUNCATE); ANALYZE sketch");
  sqlite3_close(database);
}

/// An array of bigint in PostgreSQL's binary form.
Bytes bigint_array(std::span<const SketchRow> rows, std::int64_t SketchRow::* member) {
  Bytes out;
  for (const std::uint32_t word :
       {1U, 0U, 20U, static_cast<std::uint32_t>(rows.size()), 1U})  // 20: the type bigint
    append_be(out, word);
  for (const SketchRow& row : rows) {
    append_be(out, std::uint32_t{8});
    append_be(out, std::bit_cast<std::uint64_t>(row.*member));
  }
  return out;
}

void fill_postgres(const std::string& connection, std::span<const SketchRow> rows) {
  auto opened = postgres::Connection::open(connection);
  if (!opened) stop(opened.error().text);
  const auto run = [&](const postgres::Command& command) {
    const auto done = opened->run(std::span{&command, 1}, std::chrono::minutes{30});
    if (!done) stop(done.error().text);
  };
  while (!rows.empty()) {
    const std::span<const SketchRow> part = rows.first(std::min<std::size_t>(rows.size(), 100'000));
    const Bytes values = bigint_array(part, &SketchRow::value);
    const Bytes objects = bigint_array(part, &SketchRow::object);
    run(
        {"INSERT INTO fiducia_evidence.sketch (value, object)"
         " SELECT v, o FROM unnest($1::bigint[], $2::bigint[]) AS a (v, o)",
         {ByteView{values}, ByteView{objects}}});
    rows = rows.subspan(part.size());
  }
  run({"ANALYZE fiducia_evidence.sketch"});
  run({"ANALYZE fiducia_evidence.object"});
}

struct Backend {
  std::string name;
  std::unique_ptr<store::EvidenceStore> store;
  std::function<void(std::span<const SketchRow>)> fill_sketches;
};

void fill(Backend& backend, std::uint64_t records, std::size_t evidence_bytes) {
  constexpr std::uint64_t batch_records = 250;
  if (must(backend.store->count()) >= records) return;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t next = 0; next < records;) {
    std::vector<store::Record> batch;
    for (; batch.size() < batch_records && next < records; ++next) {
      batch.push_back(record_of(next, evidence_bytes));
      batch.back().sketch.values.clear();
    }
    must(backend.store->put(batch));
  }
  backend.fill_sketches(sketch_rows(records));
  std::printf("%s filled in %.0f s\n", backend.name.c_str(),
              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  std::fflush(stdout);
}

/// Median and 99th percentile of the same calls on each store, which take turns.
void report(const char* what, std::vector<Backend>& backends, int calls,
            const std::function<bool(store::EvidenceStore&, int)>& call) {
  std::vector<std::vector<double>> times_ms(backends.size());
  for (int i = 0; i < calls; ++i)
    for (std::size_t b = 0; b < backends.size(); ++b) {
      const auto start = std::chrono::steady_clock::now();
      if (!call(*backends[b].store, i)) {
        std::printf("%s, %s: FAILED\n", what, backends[b].name.c_str());
        std::exit(1);
      }
      times_ms[b].push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
              .count());
    }
  std::printf("%-52s", what);
  for (std::size_t b = 0; b < backends.size(); ++b) {
    std::ranges::sort(times_ms[b]);
    const auto at = [&](int hundredth) {
      return times_ms[b][times_ms[b].size() * static_cast<std::size_t>(hundredth) / 100];
    };
    std::printf("  %s median %7.3f ms, p99 %7.3f ms", backends[b].name.c_str(), at(50), at(99));
    if (b > 0) std::printf(" (%.2f)", at(50) / times_ms[0][times_ms[0].size() / 2]);
  }
  std::printf("\n");
  std::fflush(stdout);
}

void look_up(std::vector<Backend>& backends, std::uint64_t records, std::uint64_t among,
             std::size_t evidence_bytes) {
  std::mt19937_64 prng{7};
  std::vector<store::Record> asked;
  for (int i = 0; i < runs; ++i) asked.push_back(record_of(prng() % among, evidence_bytes));
  std::printf("%llu objects asked for of %llu\n", static_cast<unsigned long long>(among),
              static_cast<unsigned long long>(records));
  const auto at = [&](int i) -> const store::Record& { return asked[static_cast<std::size_t>(i)]; };
  report("  by identity", backends, runs, [&](store::EvidenceStore& store, int i) {
    return must(store.find_by_instance(at(i).sop_instance_uid)) ==
           std::vector<Bytes>{at(i).evidence};
  });
  report("  by object root", backends, runs, [&](store::EvidenceStore& store, int i) {
    return must(store.find_by_root(at(i).object_root)) == at(i).evidence;
  });
  report("  by sketch", backends, runs, [&](store::EvidenceStore& store, int i) {
    return must(store.find_by_sketch(at(i).sketch)) == std::vector<Bytes>{at(i).evidence};
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 1;
  const std::uint64_t records = std::strtoull(argv[2], nullptr, 10);
  const std::size_t evidence_bytes = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1000;
  const Bytes key(32, std::byte{1});
  std::vector<Backend> backends;
  const std::string file = argv[1];
  backends.push_back({"SQLite", must(store::open_sqlite(file, key)),
                      [&](std::span<const SketchRow> rows) { fill_sqlite(file, rows); }});
  if (argc > 4) {
    const std::string connection = argv[4];
    must(store_postgres::create(connection, key));
    backends.push_back(
        {"PostgreSQL", must(store_postgres::open({.connection = connection, .home = "bench"}, key)),
         [connection](std::span<const SketchRow> rows) { fill_postgres(connection, rows); }});
  }
  for (Backend& backend : backends) fill(backend, records, evidence_bytes);
  std::printf("%llu records of %zu bytes; SQLite %.0f bytes each\n",
              static_cast<unsigned long long>(records), evidence_bytes,
              static_cast<double>(std::filesystem::file_size(file)) / static_cast<double>(records));

  // Warm: few objects, asked again and again. Spread: any object.
  for (const std::uint64_t among : {std::uint64_t{200}, records})
    look_up(backends, records, among, evidence_bytes);

  // What a new image asks: nobody has it. Each another one.
  std::vector<store::Record> absent;
  for (int i = 0; i < runs; ++i)
    absent.push_back(record_of(strangers + static_cast<std::uint64_t>(i), 0));
  const auto at = [&](int i) -> const store::Record& {
    return absent[static_cast<std::size_t>(i)];
  };
  std::printf("objects that are not there\n");
  report("  by identity", backends, runs, [&](store::EvidenceStore& store, int i) {
    return must(store.find_by_instance(at(i).sop_instance_uid)).empty();
  });
  report("  by sketch", backends, runs, [&](store::EvidenceStore& store, int i) {
    return must(store.find_by_sketch(at(i).sketch)).empty();
  });
  constexpr int most_values = 4'128;  // of an object of a thousand frames or more
  constexpr int wide_runs = 50;
  report("  by the largest sketch", backends, wide_runs, [&](store::EvidenceStore& store, int i) {
    const store::Record wide =
        record_of(2 * strangers + static_cast<std::uint64_t>(i), 0, most_values);
    return must(store.find_by_sketch(wide.sketch)).empty();
  });
  report("  claimed and put, one by one", backends, 200, [&](store::EvidenceStore& store, int i) {
    const std::uint64_t number =
        3 * strangers + must(store.count()) - records + static_cast<std::uint64_t>(i);
    const store::Record record = record_of(number, evidence_bytes);
    const auto held = must(store.reserve(std::vector<store::Claim>{{record.sop_instance_uid}}, 0));
    return held->put(std::vector{record}, nullptr).has_value();
  });
  return 0;
}
